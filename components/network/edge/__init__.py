"""The way in: a TLS proxy in the cluster, and a proxy by server name on the gateway in front of it."""
