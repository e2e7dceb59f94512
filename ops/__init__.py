"""Day 2: `python -m ops …` looks at a stack's machines and cluster and prints a table, or with `--json` data."""
