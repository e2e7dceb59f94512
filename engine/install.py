"""Makes the engine ready: the official one where it is installed, else the lab's own."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from engine.build import CLI
from lab.cache import Artifact
from lab.rack import load_rack, state_root
from lab.versions import PULUMI, ROOT


@dataclass(frozen=True)
class Plugin:
    """One plugin of the engine's, and the module of the lab's that can stand in for it."""

    kind: str
    name: str
    module: str
    version: str

    @property
    def directory(self) -> str:
        """Its name below ``plugins/`` in the engine's home."""
        return f"{self.kind}-{self.name}-v{self.version}"

    @property
    def program(self) -> str:
        """The executable that the engine starts."""
        return f"pulumi-{self.kind}-{self.name}"


def plugins() -> tuple[Plugin, ...]:
    """Return the plugins that the program needs, in the versions that the installed SDKs ask for."""
    providers = {
        "command": "engine.standins.command.plugin",
        "random": "engine.standins.random_values",
        "tls": "engine.standins.tls.plugin",
        "kubernetes": "engine.standins.kubernetes.plugin",
    }
    return (
        Plugin("language", "python", "engine.standins.language.host", PULUMI),
        *(Plugin("resource", name, at, metadata.version(f"pulumi-{name}")) for name, at in providers.items()),
    )


@dataclass(frozen=True)
class Engine:
    """A `pulumi` that is ready to run the program."""

    bin_dir: Path
    """Where `pulumi` is."""
    env: Mapping[str, str]
    """What to add to a process's environment; see `engine_environment`."""
    official: bool
    """Whether its plugins are the official ones."""


def ensure_engine(rack: str | None = None, backend: Path | None = None) -> Engine:
    """Return the engine, and build what is missing of it.

    The stacks' state is in the directory `backend`. If omitted, it is beside that of `rack`, and is deleted
    with it; for no rack it is where PULUMI_BACKEND_URL says, else in a directory of its own beside the racks'.
    """
    url = _backend_url(rack, backend)
    installed = official_cli()
    if installed is not None:
        home = official_home()
        return Engine(installed.parent, engine_environment(installed.parent, home, url), official=True)
    # The launchers in it run this very environment's interpreter, and go with it.
    bin_dir, home = CLI.make(), Path(sys.prefix) / "engine"
    install_standins(home)
    return Engine(bin_dir, engine_environment(bin_dir, home, url), official=False)


def engine_artifacts() -> tuple[Artifact, ...]:
    """Return what `ensure_engine` would have to build."""
    return () if official_cli() else (CLI,)


def state_directory(rack: str) -> Path:
    """Where the states of the stacks that go with a rack are kept."""
    return load_rack(rack).state / "stacks"


def _backend_url(rack: str | None, backend: Path | None) -> str:
    url = os.environ.get("PULUMI_BACKEND_URL")
    if url and not (rack or backend):
        return url
    directory = backend or (state_directory(rack) if rack else state_root() / ".stacks")
    directory.mkdir(parents=True, exist_ok=True)
    return f"file://{directory.resolve()}"


def engine_environment(bin_dir: Path, home: Path, backend: str) -> dict[str, str]:
    """Return the variables that make a `pulumi` command use this engine and keep its state at the URL `backend`.

    With them the command looks for no update and downloads no plugin.
    """
    return {
        "PATH": f"{bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def official_home() -> Path:
    """Where an installed engine keeps its plugins."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def official_cli() -> Path | None:
    """Return the installed `pulumi` if it is of the pinned version and has every official plugin, else None.

    The lab's own engine does not count.
    """
    found = shutil.which("pulumi")
    if found is None:
        return None
    answer = subprocess.run([found, "version"], capture_output=True, text=True, check=False)
    if answer.stdout.strip() != f"v{PULUMI}" or not all(_is_official(plugin) for plugin in plugins()):
        return None
    return Path(found)


def _is_official(plugin: Plugin) -> bool:
    program = official_home() / "plugins" / plugin.directory / plugin.program
    if not program.exists() and plugin.kind == "language":  # these come with the command line, beside it
        program = Path(shutil.which(plugin.program) or program)
    return program.exists() and plugin.module.encode() not in program.read_bytes()[:_LAUNCHER_BYTES]


_LAUNCHER_BYTES: Final = 4096


def install_standins(home: Path) -> None:
    """Put a launcher of each stand-in where the engine looks for the plugin; remove those of other versions."""
    wanted = {plugin.directory: plugin for plugin in plugins()}
    folder = home / "plugins"
    for other in folder.glob("*-v*"):
        if other.is_dir() and other.name not in wanted:
            shutil.rmtree(other)
    for plugin in wanted.values():
        _write_launcher(folder / plugin.directory / plugin.program, launcher(plugin))


def launcher(plugin: Plugin) -> str:
    """Return a script that runs the stand-in under this interpreter, unaffected by the caller's Python variables."""
    argument = "" if plugin.kind == "language" else repr(plugin.version)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from {plugin.module} import main; main({argument})"
    return f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(code)} "$@"\n'


def _write_launcher(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.chmod(0o755)
    beside.rename(path)
