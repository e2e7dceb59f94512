"""When certificates end: told to Prometheus, and on control planes seen to. Runs on the machines that have them."""
