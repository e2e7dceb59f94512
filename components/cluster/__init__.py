"""Kubernetes itself, and the namespaces that the site's own pods run in."""
