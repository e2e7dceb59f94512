"""The watch over a site, from outside the cluster."""
