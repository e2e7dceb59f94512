"""``make bench-hub``: the real hub, proxy and control plane; simulated nodes, servers and people."""
