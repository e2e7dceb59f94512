"""Programs of the site's own machines and pods, for tests that let them judge what we wrote.

What is not installed is unpacked into the cache instead: `make test` starts no nginx on anybody's computer.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from lab.cache import Artifact, file_digest, uv
from lab.machines import debian
from lab.versions import SITE

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = (
    *("bird2", "dnsmasq-base", "docker-registry", "haproxy", "knot", "nftables", "nginx"),
    *("prometheus", "prometheus-blackbox-exporter"),
)
OF_THE_MACHINES: Final = {"amtool": "prometheus-alertmanager", "prometheus-alertmanager": "prometheus-alertmanager"}
"""Programs that have to be of the Debian that machines run, whatever this computer is: what they read has grown."""
SHELLCHECK: Final = str(Path(sys.executable).with_name("shellcheck"))
Answer = TypeVar("Answer")
HUB_IMAGE: Final = ROOT / "lab/mirror/images/k8s-hub"


def run(program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Debian program; return what it says, on both streams, and how it ends."""
    return subprocess.run(
        [*command(program), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@contextmanager
def running(program: str, *arguments: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Debian program while the block runs; what it says is in `log`."""
    path, environment = _program(program)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [path, *arguments], env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def command(program: str) -> list[str]:
    """Return the words that run a Debian program, also in another network namespace."""
    path, environment = _program(program)
    return ["env", *(f"{name}={value}" for name, value in environment.items()), path]


def accepts(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """Return what a program says when it accepts its input; fail with its output when it does not."""
    done = run(program, *arguments, cwd=cwd)
    assert done.returncode == 0, f"{program} {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout


def shellcheck(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Return what shellcheck says of a script, on its standard output."""
    command = [SHELLCHECK, *options, "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False)


@cache
def jupyterhub_python() -> Path:
    """Return the interpreter of an environment that has what the hub's image has."""
    required, upstream = HUB_IMAGE / "requirements.in", HUB_IMAGE / "upstream.txt"
    inputs = {"requirements": file_digest(required, upstream), "python": sys.version}

    def build(directory: Path) -> None:
        python = str(directory / "venv/bin/python")
        quiet = [str(uv()), "--quiet"]
        subprocess.run(
            [*quiet, "venv", "--relocatable", "--python", sys.executable, str(directory / "venv")], check=True
        )
        install = [
            *quiet,
            "pip",
            "install",
            "--compile-bytecode",
            "--python",
            python,
            "--requirement",
            str(required),
            "--constraint",
            str(upstream),
        ]
        subprocess.run(install, check=True)

    return Artifact("jupyterhub", "installing JupyterHub", build, inputs).make() / "venv/bin/python"


def served_by_the_machines(name: str) -> list[str]:
    """Return the words that start a program of `OF_THE_MACHINES` which reads files of its package, under /usr/share."""
    root = _unpacked_of_the_machines()
    mounted = 'mount --bind "$0/usr/share" /usr/share && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mounted, str(root), f"{root}/usr/bin/{name}"]


def postgres_programs(name: str) -> list[str]:
    """Return the words that run one of PostgreSQL's programs, of the newest version there is.

    Debian keeps them away from the PATH, and its package would start a server of its own: so it is never installed.
    """
    root = Path("/")
    if not list(root.glob("usr/lib/postgresql/*/bin/initdb")):
        root = _unpacked("postgresql", ("postgresql",))
    directory = max(root.glob("usr/lib/postgresql/*/bin"), key=lambda path: int(path.parent.name))
    if root == Path("/"):
        return [str(directory / name)]
    return ["env", f"LD_LIBRARY_PATH={_libraries(root)}", str(directory / name)]


def _libraries(root: Path) -> str:
    return ":".join(sorted({str(each.parent) for each in root.glob("usr/lib/**/*.so*")}))


def _program(name: str) -> tuple[str, dict[str, str]]:
    if name in OF_THE_MACHINES:
        return f"{_unpacked_of_the_machines()}/usr/bin/{name}", {}
    search = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    installed = shutil.which(name, path=search)
    if installed:
        return installed, {}
    root = _unpacked("debian-programs", PACKAGES)
    unpacked = shutil.which(name, path=f"{root}/usr/bin:{root}/usr/sbin")
    assert unpacked, f"{name} is in none of the packages {', '.join(PACKAGES)}"
    return unpacked, {"LD_LIBRARY_PATH": _libraries(root)}


@cache
def _unpacked(name: str, packages: tuple[str, ...]) -> Path:
    """Unpack packages, and those of their dependencies that are not installed, into the cache; return the path."""
    release = Path("/etc/debian_version").read_text()

    def build(directory: Path) -> None:
        archives = directory / "archives"
        (archives / "partial").mkdir(parents=True)
        subprocess.run(["apt-get", "--quiet", "update"], check=True, capture_output=True)
        wanted = ["install", "--yes", "--quiet", "--no-install-recommends", "--download-only", *packages]
        subprocess.run(["apt-get", "-o", f"Dir::Cache::archives={archives}", *wanted], check=True, capture_output=True)
        for package in archives.glob("*.deb"):
            subprocess.run(["dpkg", "--extract", package, directory], check=True)
        shutil.rmtree(archives)

    inputs = {"packages": packages, "release": release}
    return Artifact(name, f"unpacking {', '.join(packages)}", build, inputs).make()


@cache
def _unpacked_of_the_machines() -> Path:
    """Unpack the packages of `OF_THE_MACHINES`; their programs need the C library alone, and this one will do."""
    packages = sorted(set(OF_THE_MACHINES.values()))

    def build(directory: Path) -> None:
        for each in ("lists/partial", "archives/partial", "none"):
            (directory / "apt" / each).mkdir(parents=True)
        sources = directory / "apt/sources.list"
        sources.write_text(f"deb {debian.source()} {SITE['debian']} main\n")
        places = {
            "State::lists": "lists",
            "Cache::archives": "archives",
            "Etc::sourcelist": "sources.list",
            "Etc::sourceparts": "none",
            "Cache::pkgcache": "",
            "Cache::srcpkgcache": "",
        }
        apt = ["apt-get", "--quiet"]
        apt += [f"-oDir::{key}={directory / 'apt' / value if value else ''}" for key, value in places.items()]
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run([*apt, "download", *packages], cwd=directory / "apt", check=True, capture_output=True)
        for package in (directory / "apt").glob("*.deb"):
            subprocess.run(["dpkg", "--extract", package, directory], check=True)
        shutil.rmtree(directory / "apt")

    inputs = {"packages": packages, "suite": SITE["debian"]}
    return Artifact("machines-programs", f"unpacking {', '.join(packages)}", build, inputs).make()


def free_port() -> int:
    """Return a TCP port of the loopback that no process listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Return whether a process listens at a TCP port of the loopback."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def eventually(what: str, ask: Callable[[], Answer | None], *, seconds: float) -> Answer:
    """Return the first answer that is not None or False; fail, naming what was awaited, if there is none in time.

    It is asked again after a twentieth of a second, and then less and less often, up to every two seconds.
    """
    deadline, pause = time.monotonic() + seconds, 0.05
    while True:
        try:
            answer = ask()
        except subprocess.CalledProcessError:
            answer = None
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
        pause = min(1.3 * pause, 2)
