"""What an image says to a container runtime, read from the last stage of its Containerfile."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

RUNTIMES_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where an image has none: containerd's, and that of images which BuildKit makes from nothing."""


@dataclass
class Configuration:
    """The fields of an image's configuration that decide how a program in it runs."""

    user: str = "0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)
    expose: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    stopsignal: str = "SIGTERM"
    env: dict[str, str] = field(default_factory=lambda: {"PATH": RUNTIMES_PATH})
    capabilities: dict[str, str] = field(default_factory=dict)
    """By file, in any stage."""

    def flat(self) -> dict[str, object]:
        """Return each field by name; each entry of a table by the table's name, a dot and its own."""
        tables = {name: value for name, value in vars(self).items() if isinstance(value, dict)}
        found = {name: value for name, value in vars(self).items() if name not in tables}
        return found | {f"{name}.{key}": value for name, table in tables.items() for key, value in table.items()}


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions and their arguments, with continued lines in one."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines()) if name]


def configuration(text: str, bases: Mapping[str, str]) -> Configuration:
    """Return what the image says whose Containerfile this is; `bases` are those of what it may stand on, by name.

    An ENTRYPOINT takes away the base's CMD, https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact.
    """
    found, inherited = Configuration(), False
    capabilities: dict[str, str] = {}
    for name, rest in instructions(text):
        match name:
            case "FROM":
                base = rest.split()[0]
                found, inherited = configuration(bases[base], {}) if base in bases else Configuration(), True
            case "USER":
                found.user = rest
            case "WORKDIR":
                found.workdir = str(PurePosixPath(found.workdir) / rest)
            case "ENTRYPOINT":
                found.entrypoint = json.loads(rest)
                found.cmd = [] if inherited else found.cmd
            case "CMD":
                found.cmd, inherited = json.loads(rest), False
            case "EXPOSE":
                found.expose += rest.split()
            case "VOLUME":
                found.volumes += json.loads(rest)
            case "STOPSIGNAL":
                found.stopsignal = rest
            case "ENV":
                found.env |= dict(each.split("=", 1) for each in shlex.split(rest))
            case "RUN":
                capabilities |= {file: what for what, file in re.findall(r"\bsetcap (\S+) (\S+)", rest)}
    found.capabilities = capabilities
    return found
