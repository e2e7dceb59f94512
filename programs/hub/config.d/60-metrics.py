"""Prometheus may read /hub/metrics and nothing else."""

from henhouse_hub import c, secret

c.JupyterHub.services.append({"name": "prometheus", "api_token": secret("metrics-token")})
c.JupyterHub.load_roles.append({"name": "prometheus", "scopes": ["read:metrics"], "services": ["prometheus"]})
