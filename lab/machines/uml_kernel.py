"""The kernel of user-mode Linux machines: Debian's kernel source built as an ordinary program of this computer."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.machines.identity import GuestFile
from lab.processes import ALONE, run
from lab.rack import RackError
from lab.versions import LAB, SITE

_RECIPE: Final = Path(__file__).with_name("uml")
_OPTIONS: Final = _RECIPE / "kernel.config"
_PATCHES: Final = tuple(sorted(_RECIPE.glob("*.patch")))
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_ARCHIVES: Final = ("http://deb.debian.org/debian", "http://snapshot.debian.org/archive/debian/{snapshot}")
"""The second keeps what the first has replaced by a newer version (https://snapshot.debian.org)."""


@dataclass(frozen=True)
class Kernel:
    """A built kernel."""

    program: Path
    """Runs as a process of this computer; its arguments are the kernel's command line."""
    modules: Path
    """``/usr/lib/modules/<release>`` of a guest: no modules, but modprobe(8) finds every name as built in."""

    def files(self) -> tuple[GuestFile, ...]:
        """Return the module directory as files of a guest."""
        where = f"usr/lib/modules/{self.modules.name}"
        return tuple(GuestFile(f"{where}/{file.name}", file.read_bytes()) for file in sorted(self.modules.iterdir()))


def kernel() -> Kernel:
    """Return the kernel; building it takes minutes, once."""
    built = KERNEL.make()
    (modules,) = (built / "modules").iterdir()
    return Kernel(built / "linux", modules)


def missing_options(wanted: str, config: str) -> list[str]:
    """Lines of the fragment `wanted` that are not in the resulting `config`: some option they depend on is off."""
    have = set(config.splitlines())
    return [line for line in wanted.splitlines() if line.startswith("CONFIG_") and line not in have]


def sources_list(archive: str) -> str:
    """Return the one source that the kernel's source package comes from, sources.list(5)."""
    return f"deb [signed-by={_KEYRING} check-valid-until=no] {archive} {SITE['debian']}-backports main\n"


def _source(version: str, scratch: Path) -> Path:
    """Fetch and unpack the source package of exactly that version."""
    failures = []
    for archive in _ARCHIVES:
        try:
            package = _download(version, archive.format(snapshot=LAB["linux_snapshot"]), scratch)
            break
        except RackError as error:
            failures.append(str(error))
    else:
        problem = f"cannot fetch linux-source {version} (lab.linux_source in versions.toml):"
        raise RackError("\n".join((problem, *failures)))
    run(["dpkg-deb", "--extract", str(package), str(scratch)])
    (tarball,) = (scratch / "usr/src").glob("linux-source-*.tar.xz")
    run(["tar", "--extract", "--file", str(tarball), "--directory", str(scratch)])
    return scratch / tarball.name.removesuffix(".tar.xz")


def _download(version: str, archive: str, scratch: Path) -> Path:
    """Download the source package, with apt in directories of its own.

    This computer's Debian may be another release, and keeps its sources.
    """
    apt = scratch / "apt"
    for directory in ("etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (apt / directory).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "etc/apt/sources.list").write_text(sources_list(archive))
    system = Path("/etc/apt/apt.conf.d")
    if system.is_dir():  # a proxy, if there is one
        shutil.copytree(system, apt / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    options = [f"-oDir={apt}", f"-oDir::State::status={apt}/status", "-oAPT::Sandbox::User=root"]
    series = ".".join(version.split(".")[:2])
    name = f"linux-source-{series}={version}"
    run(["apt-get", *options, "--quiet", "--error-on=any", "update"])
    run(["sh", "-c", 'cd "$1" && shift && exec "$@"', "-", str(scratch), "apt-get", *options, "download", name])
    (package,) = scratch.glob("linux-source-*.deb")
    return package


def _build(directory: Path) -> None:
    # Not a temporary directory elsewhere: what a killed build leaves behind is removed by the next one.
    scratch = directory / "scratch"
    scratch.mkdir()
    _compile(_source(LAB["linux_source"], scratch), directory)
    shutil.rmtree(scratch)


def _compile(source: Path, directory: Path) -> None:
    for patch in _PATCHES:
        run(["patch", "--directory", str(source), "--strip=1", "--input", str(patch)])
    make = [*ALONE, "nice", "make", "--directory", str(source), "ARCH=um", "--silent", f"--jobs={os.cpu_count()}"]
    run([*make, f"KCONFIG_ALLCONFIG={_OPTIONS}", "allnoconfig"])
    missing = missing_options(_OPTIONS.read_text(), (source / ".config").read_text())
    if missing:
        raise RackError(f"{_OPTIONS} asks for what this kernel source cannot have: {', '.join(missing)}")
    run([*make, "linux"])
    release = run([*make, "--no-print-directory", "kernelrelease"]).stdout.decode().strip()
    modules = directory / "modules" / release
    modules.mkdir(parents=True)
    for name in ("modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(source / name, modules)
    (modules / "modules.order").touch()
    _index(modules)
    run(["strip", "-o", str(directory / "linux"), str(source / "linux")])
    shutil.copy(source / ".config", directory / "config")


def _index(modules: Path) -> None:
    """Run depmod(8), which wants the directory at its usual place below a root directory."""
    with tempfile.TemporaryDirectory() as root:
        placed = Path(root) / "lib/modules" / modules.name
        shutil.copytree(modules, placed)
        run(["depmod", "--basedir", root, modules.name])
        shutil.copytree(placed, modules, dirs_exist_ok=True)


KERNEL: Final = Artifact(
    "uml-kernel",
    f"building user-mode Linux {LAB['linux_source']}",
    _build,
    {
        "source": LAB["linux_source"],
        "options": file_digest(_OPTIONS),
        "patches": file_digest(*_PATCHES),
        "recipe": file_digest(Path(__file__)),
    },
)
