"""How an environment is built: one room per capability, each with one ComponentResource and its pure half beside it."""
