"""What an environment is: its typed settings, the checks across them, its generated secrets, and its outputs."""
