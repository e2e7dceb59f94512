"""What may reach a machine: the ports that rooms declare, and nothing else."""
