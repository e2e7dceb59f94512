"""The language host: runs a Pulumi program written in Python for the engine."""
