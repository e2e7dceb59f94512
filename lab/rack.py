"""What a virtual rack consists of, read from ``lab/racks/<name>.toml``, and where its run state lives."""

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

NAMESPACE_PREFIX: Final = "henhouse-"
"""What the names of all racks' network namespaces and control groups begin with."""
RACKS: Final = Path(__file__).with_name("racks")
LAB_NETWORK: Final = IPv4Network("198.18.0.0/15")
"""Reserved for tests between networks (RFC 2544), so no route of the computer that hosts the rack can clash."""

_NAME = r"^[a-z][a-z0-9-]{0,11}$"
_SIZE = re.compile(r"^([1-9][0-9]*)([MG])$")
_UNIX_PATH_MAX: Final = 107
"""Longest path of a Unix socket, unix(7)."""


class RackError(Exception):
    """Something about the rack that the person at the keyboard can put right; the message says how."""


def _size(text: str) -> str:
    if not _SIZE.match(text):
        raise ValueError(f"{text!r} is not a size; write a whole number and M or G (MiB or GiB), such as 512M or 2G")
    return text


Size = Annotated[str, AfterValidator(_size)]
Name = Annotated[str, Field(pattern=_NAME)]


def size_in_bytes(size: Size) -> int:
    """``2G`` is 2 x 1024**3."""
    match = _SIZE.match(size)
    assert match is not None
    return int(match[1]) * (1024**2 if match[2] == "M" else 1024**3)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Disks(_Model):
    """Blank data disks, each a sparse file."""

    size: Size
    serials: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,20}$")], ...]
    """Serial numbers; the guest sees ``/dev/disk/by-id/virtio-<serial>``. virtio-blk carries 20 characters."""


class MachineSpec(_Model):
    """One machine of the rack."""

    name: Name
    kind: Literal["nspawn", "qemu", "uml"]
    address: IPv4Address
    memory: Size
    cpus: int = Field(default=1, ge=1, le=16)
    """Processors of a virtual machine; an nspawn machine uses all of the computer's."""
    disks: Disks | None = None

    @model_validator(mode="after")
    def _kind_has_disks(self) -> Self:
        if self.disks is not None and self.kind == "nspawn":
            raise ValueError(f'machines.{self.name}.disks: an nspawn machine has no disks; use kind = "qemu"')
        return self


class Campus(_Model):
    """The network outside the rack, as far as the rack can tell."""

    interface: IPv4Interface
    """The bridge's address and the prefix that every machine shares."""
    gateway: Name
    """The machine that is every other machine's default route; its own is the campus."""
    mirror: bool = False
    """Whether a mirror of packages and images serves on the bridge's address."""


class BackDoor(_Model):
    """A loopback port of this computer that leads to a port of one machine."""

    listen: Annotated[str, Field(pattern=r"^127\.0\.0\.1:[1-9][0-9]{0,4}$")]
    machine: Name
    port: int = Field(ge=1, le=65535)


class Door(BackDoor):
    """A way in for a browser."""

    url: str
    """What a person types into a browser."""


class Needs(_Model):
    """What the computer must have free before the rack is made."""

    memory: Size = "2G"
    disk: Size = "4G"


class Rack(_Model):
    """A rack by name, with its machines in the order in which they are switched on."""

    name: Name
    needs: Needs = Needs()
    campus: Campus
    machines: tuple[MachineSpec, ...] = Field(min_length=1)
    door: Door | None = None
    back_door: BackDoor | None = None
    """A way in for an administrator who is not on the campus."""

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        problems = list(_address_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _references(self) -> Self:
        names = [machine.name for machine in self.machines]
        references = {"campus.gateway": self.campus.gateway}
        references |= {f"{name}.machine": door.machine for name, door in self.doors.items()}
        for setting, value in references.items():
            if value not in names:
                raise ValueError(f"{setting}: {value!r} is not a machine of this rack; it has {', '.join(names)}")
        return self

    @property
    def doors(self) -> Mapping[str, BackDoor]:
        """The ways in, by their names in the rack's file."""
        doors = {"door": self.door, "back_door": self.back_door}
        return {name: door for name, door in doors.items() if door is not None}

    def machine(self, name: str) -> MachineSpec:
        """Return the machine of that name; raise `RackError` when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise RackError(f"{name!r} is not in the rack {self.name!r}; it has {known}")

    def default_route(self, machine: MachineSpec) -> IPv4Address:
        """Return the gateway machine's address for all other machines, the campus's for the gateway itself."""
        if machine.name == self.campus.gateway:
            return self.campus.interface.ip
        return self.machine(self.campus.gateway).address

    @property
    def namespace(self) -> str:
        """Name of the network namespace, and of the rack's directory in every cgroup hierarchy."""
        return f"{NAMESPACE_PREFIX}{self.name}"

    @property
    def state(self) -> Path:
        """Run state: root file systems, disks, process records, consoles. Gone after ``lab down``."""
        return state_root() / self.name

    def machine_state(self, machine: MachineSpec) -> Path:
        """Run state of one machine."""
        return self.state / "machines" / machine.name

    @property
    def agent_socket(self) -> Path:
        """Where the rack's own ssh-agent listens; it holds the administrator's key."""
        return self.state / "agent.sock"


def _address_problems(rack: Rack) -> list[str]:
    network, taken, problems = rack.campus.interface.network, {rack.campus.interface.ip: "the campus"}, []
    if not network.subnet_of(LAB_NETWORK):
        problems.append(f"campus.interface: {network} is outside {LAB_NETWORK}, the only range a rack may use")
    for machine in rack.machines:
        path = f"machines.{machine.name}.address: {machine.address}"
        if machine.address in taken:
            problems.append(f"{path} is also {taken[machine.address]}'s")
        elif machine.address not in network or machine.address in (network.network_address, network.broadcast_address):
            problems.append(f"{path} is not a host address of {network}")
        taken.setdefault(machine.address, machine.name)
    return problems


def state_root() -> Path:
    """``$HENHOUSE_STATE``, or ``henhouse`` in the user's state directory (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(os.environ.get("HENHOUSE_STATE") or Path(base) / "henhouse").resolve()


def parse_rack(name: str, text: str) -> Rack:
    """Parse a rack from TOML; raise a `RackError` that lists every mistake with the setting's path."""
    try:
        tree = tomllib.loads(text)
        machines = [{"name": key, **value} for key, value in tree.pop("machines", {}).items()]
        rack = Rack.model_validate({"name": name, "machines": machines, **tree})
    except tomllib.TOMLDecodeError as error:
        raise RackError(f"rack {name!r} is not TOML: {error}") from error
    except ValidationError as error:
        lines = [".".join(str(part) for part in item["loc"]) + ": " + item["msg"] for item in error.errors()]
        raise RackError(f"rack {name!r}:\n  " + "\n  ".join(lines)) from error
    if len(str(rack.agent_socket)) > _UNIX_PATH_MAX:
        raise RackError(f"{rack.agent_socket} is too long for a socket; set HENHOUSE_STATE to a shorter path")
    return rack


def load_rack(name: str) -> Rack:
    """Load the rack described in ``lab/racks/<name>.toml``, or in the file itself when `name` is a path to one."""
    path = Path(name) if name.endswith(".toml") else RACKS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in RACKS.glob("*.toml")))
        raise RackError(f"no rack {name!r}: {path} does not exist; there are {known}, or give a path to a .toml file")
    return parse_rack(path.stem, path.read_text())
