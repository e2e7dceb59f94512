"""Tries to connect to every TCP port of machines, and prints which answer: `scan.py ADDRESS...`, as JSON.

Run inside the rack's network, where a person on the campus would be. Standard library only.
"""

import asyncio
import json
import sys

SECONDS = 1.5
"""How long an answer may take: the machines are one switch away."""
AT_ONCE = 4000


async def connects(address: str, port: int) -> bool:
    """Return whether something accepts a connection."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def scan(addresses: list[str]) -> dict[str, list[int]]:
    """Return the ports that answer, by address."""
    found: dict[str, list[int]] = {address: [] for address in addresses}
    targets = iter([(address, port) for port in range(1, 65536) for address in addresses])

    async def worker() -> None:
        for address, port in targets:
            if await connects(address, port):
                found[address].append(port)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return {address: sorted(ports) for address, ports in found.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(scan(sys.argv[1:]))))
