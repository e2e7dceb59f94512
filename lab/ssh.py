"""Secure Shell into the rack's machines, with pinned host keys and the rack's own agent."""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from lab.keys import ADMINISTRATOR, private_key, public_key
from lab.network import inside
from lab.processes import Done, run, running, start
from lab.rack import MachineSpec, Rack, RackError

AGENT_UNIT: Final = "_agent"
_POLL_SECONDS: Final = 0.2


def environment(rack: Rack) -> Mapping[str, str]:
    """Return the variables that tell a program on the campus how to log in to the machines, and which rack they are."""
    return {"HENHOUSE_RACK": rack.name, "SSH_AUTH_SOCK": str(rack.agent_socket)}


def config_file(rack: Rack) -> Path:
    """Return the path of an ssh_config(5) that knows the rack's machines by name."""
    return rack.state / "ssh_config"


def known_hosts(rack: Rack) -> str:
    """Return one line for each machine, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT"."""
    return "".join(f"{spec.name},{spec.address} {public_key(spec.name)}\n" for spec in rack.machines)


def ssh_config(rack: Rack) -> str:
    """Return a configuration that never asks, and never falls back to the person's own keys, agent or known hosts."""
    common = {
        "User": "root",
        "IdentityAgent": rack.agent_socket,
        "UserKnownHostsFile": rack.state / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "HostKeyAlgorithms": "ssh-ed25519",
        "PreferredAuthentications": "publickey",
        "ConnectTimeout": 10,
        "ServerAliveInterval": 15,
    }
    hosts = "".join(f"Host {spec.name}\n  HostName {spec.address}\n" for spec in rack.machines)
    return hosts + "Host *\n" + "".join(f'  {key} "{value}"\n' for key, value in common.items())


def set_up(rack: Rack) -> None:
    """Write the configuration, and start the agent with the administrator's key unless it runs."""
    rack.state.mkdir(parents=True, exist_ok=True)
    (rack.state / "known_hosts").write_text(known_hosts(rack))
    config_file(rack).write_text(ssh_config(rack))
    if not running(rack, AGENT_UNIT):
        rack.agent_socket.unlink(missing_ok=True)
        start(rack, AGENT_UNIT, ["ssh-agent", "-D", "-a", str(rack.agent_socket)], log=rack.state / "agent.log")
        _wait_for_socket(rack.agent_socket)
    # Adding a key that is there already changes nothing, and repairs an agent that was started and never filled.
    run(["env", f"SSH_AUTH_SOCK={rack.agent_socket}", "ssh-add", "-q", "-"], stdin=private_key(ADMINISTRATOR))


def _wait_for_socket(path: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.02)
    raise RackError(f"ssh-agent does not listen on {path}; see agent.log beside it")


def ssh_command(rack: Rack, machine: str, command: Sequence[str] = (), *options: str) -> list[str]:
    """Return the command line of a session, or of one command on a machine (joined by blanks, as ssh(1) does)."""
    return inside(rack, ["ssh", "-F", str(config_file(rack)), *options, rack.machine(machine).name, *command])


def on(rack: Rack, machine: str, command: str, *, stdin: bytes = b"", check: bool = True) -> Done:
    """Run a shell command on a machine to its end."""
    return run(ssh_command(rack, machine, [command], "-o", "BatchMode=yes"), stdin=stdin, check=check)


def wait(rack: Rack, spec: MachineSpec, seconds: float, alive: Callable[[], bool], console: Path) -> None:
    """Return when the machine runs a command over SSH; raise `RackError` when it died or took longer than `seconds`."""
    deadline = time.monotonic() + seconds
    probe = ssh_command(rack, spec.name, ["true"], "-o", "BatchMode=yes", "-o", "LogLevel=ERROR")
    while (done := run(probe, check=False)).returncode != 0:
        words = done.stderr.decode(errors="replace").strip()
        if not alive():
            raise RackError(f"{spec.name} died while booting; the end of {console}:\n{_tail(console)}")
        if time.monotonic() > deadline:
            raise RackError(f"{spec.name} does not answer over SSH after {seconds:.0f} s ({words}); see {console}")
        time.sleep(_POLL_SECONDS)


def _tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(nothing)"
