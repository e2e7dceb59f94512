"""The command line of the virtual rack."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from lab import host, lifecycle, network, ssh
from lab.cli_status import print_status
from lab.keys import public_key
from lab.leaks import leaks
from lab.machines import machines
from lab.progress import plan, release_terminal, say
from lab.rack import Rack, RackError, load_rack

Command = Callable[[Rack, argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """``lab [--rack NAME] COMMAND``; ``--rack`` may also follow the command."""
    rack = argparse.ArgumentParser(add_help=False)
    rack.add_argument("--rack", default=argparse.SUPPRESS, help="name of a rack, or a .toml file (default: dev)")
    found = argparse.ArgumentParser(prog="python -m lab", description="The virtual rack.", parents=[rack])
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[rack])

    add("packages", "install the Debian packages that racks need on this computer, those that are missing")
    add("up", "make what is missing of the rack and switch on what is off")
    add("down", "remove the rack with all its data; the cache stays")
    status = add("status", "what there is, what runs, and where to point a browser")
    status.add_argument("--json", action="store_true", help="the same as data")
    session = add("ssh", "a session on a machine, or one command")
    session.add_argument("host")
    session.add_argument("words", nargs=argparse.REMAINDER, metavar="CMD")
    execute = add("exec", "run a command of this computer inside the rack's network")
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD")
    add("leaks", "list what of the rack is on this computer; fails when there is anything")
    add("env", "print the environment of `exec` as lines for a shell")
    add("host-keys", "print the machines' public SSH keys, which do not change")
    power = add("power", "switch machines: cut (pull the plug), off (shut down), on")
    power.add_argument("action", choices=tuple(_POWER))
    power.add_argument("hosts", nargs="*", metavar="HOST", help="all machines when none is named")
    again = add("reinstall", "reinstall machines, as after the loss of their system disks; data disks stay")
    again.add_argument("hosts", nargs="+", metavar="HOST")
    return found


def _packages(rack: Rack, options: argparse.Namespace) -> int:
    host.check_root()
    host.install_packages()
    return 0


def _up(rack: Rack, options: argparse.Namespace) -> int:
    network.require_way_out("`lab up`")
    with lifecycle.only_one(rack), plan(lifecycle.stages(rack)):
        lifecycle.up(rack)
    return print_status(rack, as_json=False)


def _down(rack: Rack, options: argparse.Namespace) -> int:
    network.require_way_out("`lab down`")
    with lifecycle.only_one(rack):
        lifecycle.down(rack)
    return 0


def _leaks(rack: Rack, options: argparse.Namespace) -> int:
    left = leaks(rack)
    for line in left:
        print(line)
    return 1 if left else 0


def _status(rack: Rack, options: argparse.Namespace) -> int:
    return print_status(rack, as_json=options.json)


def _ssh(rack: Rack, options: argparse.Namespace) -> int:
    network.require_up(rack)
    return _become(ssh.ssh_command(rack, options.host, _after_dashes(options.words)), {})


def _exec(rack: Rack, options: argparse.Namespace) -> int:
    network.require_up(rack)
    words = _after_dashes(options.words)
    if not words:
        raise RackError("exec needs a command: python -m lab exec -- curl http://198.18.0.1/")
    return _become(network.inside(rack, words), ssh.environment(rack))


def _env(rack: Rack, options: argparse.Namespace) -> int:
    for name, value in ssh.environment(rack).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _host_keys(rack: Rack, options: argparse.Namespace) -> int:
    for spec in rack.machines:
        print(f"{spec.name} {public_key(spec.name)}")
    return 0


def _power(rack: Rack, options: argparse.Namespace) -> int:
    with lifecycle.only_one(rack):
        _POWER[options.action](machines(rack, tuple(options.hosts)))
    return 0


def _reinstall(rack: Rack, options: argparse.Namespace) -> int:
    network.require_up(rack)
    network.require_way_out("`lab reinstall`")
    with lifecycle.only_one(rack):
        lifecycle.reinstall(rack, tuple(options.hosts))
    return 0


_POWER: Final = {"cut": lifecycle.power_cut, "off": lifecycle.power_off, "on": lifecycle.power_on}
_COMMANDS: Final[Mapping[str, Command]] = {
    "packages": _packages,
    "up": _up,
    "down": _down,
    "leaks": _leaks,
    "status": _status,
    "ssh": _ssh,
    "exec": _exec,
    "env": _env,
    "host-keys": _host_keys,
    "power": _power,
    "reinstall": _reinstall,
}


def _after_dashes(words: list[str]) -> list[str]:
    return words[1:] if words[:1] == ["--"] else words


def _become(command: list[str], additions: Mapping[str, str]) -> NoReturn:
    os.execvpe(command[0], command, {**os.environ, **additions})


def main(arguments: list[str]) -> int:
    """Do what the command line says; return 1 when that failed, 130 when it was interrupted."""
    options = parser().parse_args(arguments)
    try:
        rack = load_rack(getattr(options, "rack", os.environ.get("HENHOUSE_RACK", "dev")))
        return _COMMANDS[options.command](rack, options)
    except (RackError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run the same command to resume")
        return 130
    finally:
        release_terminal()
        sys.stdout.flush()
