"""How an environment is built: one room a capability, each with one ComponentResource and its pure half beside it."""
