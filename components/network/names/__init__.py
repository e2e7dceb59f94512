"""The machines' names: the gateway answers for them, and every machine asks it."""
