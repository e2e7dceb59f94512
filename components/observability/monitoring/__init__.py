"""The monitoring of a site, from outside the cluster."""
