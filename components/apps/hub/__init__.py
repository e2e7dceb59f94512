"""JupyterHub, its proxy, and the rules by which user servers are made."""
