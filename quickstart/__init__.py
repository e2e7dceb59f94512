"""`make up`: the virtual rack, the dev stack on it, and what to try next."""
