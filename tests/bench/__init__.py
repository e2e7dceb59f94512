"""How long things take, beside a peer where there is one."""
