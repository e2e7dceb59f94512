"""JupyterHub, its proxy, and the rules by which people's servers are made."""
