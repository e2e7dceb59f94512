"""JupyterHub's configuration, and what runs before JupyterHub does."""
