"""`make up`: the virtual rack, the dev stack on it, and how to go on from there."""
