"""The computer on which something was measured: figures say nothing without it."""

import os
from pathlib import Path


def computer() -> str:
    """Return the machine's description."""
    texts = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in texts if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    return f"{os.cpu_count()} processors {model}, {memory:.0f} GiB, Linux {os.uname().release}"
