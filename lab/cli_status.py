"""What ``lab status`` prints."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from lab import door, ssh
from lab.machines import machines
from lab.machines.base import Machine
from lab.mirror import mirror_status
from lab.processes import run, running
from lab.rack import Rack
from lab.together import together

_UNLIMITED: Final = 10_000


@dataclass(frozen=True)
class Row:
    """One machine."""

    name: str
    kind: str
    address: str
    state: str
    """``absent``, ``off``, ``booting`` (on, and SSH does not answer) or ``on``."""
    memory: int
    """Bytes held now."""
    console: str


def rows(rack: Rack) -> tuple[Row, ...]:
    """All machines in the rack's order, queried in parallel."""
    found: dict[str, Row] = {}

    def look(machine: Machine) -> None:
        spec, status = machine.spec, machine.status()
        state = "booting" if status.state == "on" and not _answers(rack, machine) else status.state
        console = str(machine.console)
        found[spec.name] = Row(spec.name, spec.kind, str(spec.address), state, status.memory, console)

    together(machines(rack), look)
    return tuple(found[spec.name] for spec in rack.machines)


def _answers(rack: Rack, machine: Machine) -> bool:
    probe = ssh.ssh_command(rack, machine.spec.name, ["true"], "-o", "BatchMode=yes", "-o", "ConnectTimeout=3")
    return run(probe, check=False).returncode == 0


def print_status(rack: Rack, *, as_json: bool) -> int:
    """Print the rack's status; return 0 when every machine is on and answers, 3 otherwise (as systemctl does)."""
    machine_rows = rows(rack)
    mirror = mirror_status(rack)
    services = {}
    if rack.campus.mirror:
        services["mirror"] = "on" if mirror.http and mirror.registry else "off"
    services |= {name: "on" if running(rack, door.unit(name)) else "off" for name in rack.doors}
    if as_json:
        tree = {"rack": rack.name, "machines": [asdict(row) for row in machine_rows], "services": services}
        print(json.dumps(tree | ({"url": rack.door.url} if rack.door else {}), indent=2))
    else:
        _print_table(rack, machine_rows, services)
    healthy = all(row.state == "on" for row in machine_rows) and "off" not in services.values()
    return 0 if healthy else 3


def _print_table(rack: Rack, machine_rows: tuple[Row, ...], services: dict[str, str]) -> None:
    table = Table(title=f"rack {rack.name}", title_justify="left")
    for heading in ("machine", "kind", "address", "state"):
        table.add_column(heading, overflow="fold")
    table.add_column("memory", justify="right")
    for row in machine_rows:
        memory = f"{row.memory / 1024**2:.0f} MiB" if row.memory else ""
        table.add_row(row.name, row.kind, row.address, row.state, memory)
    # What is not a terminal has no width, and nothing is cut there.
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _UNLIMITED)
    console.print(table)
    for name, state in services.items():
        print(f"{name}: {state}")
    if rack.door is not None:
        print(f"in a browser on this computer, once the program is up: {rack.door.url}")
