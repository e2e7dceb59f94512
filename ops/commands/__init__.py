"""The commands of `python -m ops`, one file each: `add` puts it on the command line, `run` does it."""
