"""Every machine, whatever it is for: its name, packages, clock and way in, and what the cluster needs of it."""
