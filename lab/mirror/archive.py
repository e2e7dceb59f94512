"""Apt repositories: a closed part of Debian, and one with packages of our own, both in the layout that Debian uses."""

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from lab.machines.debian import source
from lab.mirror.debs import EPOCH
from lab.mirror.signing import sign_release
from lab.processes import run
from lab.rack import RackError

WANTED: Final = Path(__file__).with_name("packages.txt")
COMPONENTS: Final = ("main", "contrib")
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


def package_names(text: str) -> list[str]:
    """Return the names in a list such as ``packages.txt``: one name on each line, ``#`` starts a comment."""
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]


def apt_configuration(root: Path) -> str:
    """apt.conf(5) of an apt that knows nothing of this computer: own sources, and no package installed."""
    options = {
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::Cache": f"{root}/cache",
        "Dir::Etc": f"{root}/etc",
        "Dir::State": f"{root}/state",
        "Dir::State::status": f"{root}/status",
    }
    return "".join(f'{name} "{value}";\n' for name, value in options.items())


def pool_path(address: str) -> Path:
    """Where a package of Debian's archive lies below its root: ``pool/main/b/bird2/bird2_2.17_amd64.deb``."""
    parts = unquote(urlsplit(address).path).split("/")
    return Path(*parts[parts.index("pool") :])


def download_closure(target: Path, suite: str, names: Iterable[str]) -> None:
    """Download packages of a Debian suite and everything they depend on into ``pool`` below `target`."""
    with tempfile.TemporaryDirectory(prefix="apt-", dir=target) as temporary:
        root = Path(temporary)
        for directory in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
            (root / directory).mkdir(parents=True)
        (root / "status").touch()
        (root / "etc/sources.list").write_text(
            f"deb [signed-by={_KEYRING}] {source()} {suite} {' '.join(COMPONENTS)}\n"
        )
        (root / "apt.conf").write_text(apt_configuration(root))
        apt = ["env", f"APT_CONFIG={root}/apt.conf", "apt-get", "--quiet", "--assume-yes"]
        install = ["install", "--download-only", *names]
        run([*apt, "update"])
        listed = run([*apt, "--print-uris", *install]).stdout.decode()
        run([*apt, *install])
        for line in listed.splitlines():
            if not line.startswith("'"):
                continue
            address, file_name = line.split()[:2]
            final = target / pool_path(address.strip("'"))
            final.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(root / "cache/archives" / file_name, final)


def index(root: Path, suite: str, components: Sequence[str]) -> None:
    """Write ``dists`` for the packages in ``pool/<component>`` below `root`, and sign it."""
    dists = root / "dists" / suite
    for component in components:
        directory = dists / component / "binary-amd64"
        directory.mkdir(parents=True)
        packages = run(["env", "--chdir", str(root), "apt-ftparchive", "packages", f"pool/{component}"]).stdout
        (directory / "Packages").write_bytes(packages)
        (directory / "Packages.gz").write_bytes(gzip.compress(packages, mtime=EPOCH))
    fields = {
        "Origin": "henhouse lab mirror",
        "Label": "henhouse lab mirror",
        "Suite": suite,
        "Codename": suite,
        "Architectures": "amd64",
        "Components": " ".join(components),
    }
    options = [word for name, value in fields.items() for word in ("-o", f"APT::FTPArchive::Release::{name}={value}")]
    release = run(["apt-ftparchive", *options, "release", str(dists)]).stdout
    (dists / "Release").write_bytes(release)
    sign_release(dists / "Release")


def add_packages(root: Path, component: str, packages: Iterable[Path]) -> None:
    """Put package files into ``pool`` below `root`, as hard links where that is possible."""
    pool = root / "pool" / component
    pool.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if package.suffix != ".deb" or not package.is_file():
            raise RackError(f"{package} is not a Debian package; the repository takes existing .deb files")
        try:
            os.link(package, pool / package.name)
        except OSError:
            shutil.copyfile(package, pool / package.name)
