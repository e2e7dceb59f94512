"""The program `henhouse-homes`, which runs on the file server and makes homes. Python's standard library only."""
