"""The file server: a dataset over NFS 4.2, homes made on the server, and one address for it inside the cluster."""
