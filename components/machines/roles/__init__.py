"""What must be true of every machine, and of every node of the cluster: pure functions from settings to roles."""
