"""`pulumi-resource-tls`: private keys, certificate requests and certificates."""
