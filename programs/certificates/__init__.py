"""When certificates end: reported to Prometheus, and on control planes renewed. Runs on the machines that have them."""
