"""Small apt repositories, signed by throwaway keys: sound ones, and one for each way in which apt refuses a source."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAST: Final = "20200101T000000!"
"""gpg's own clock, where a key or a signature has to be of another day (gpg(1), --faked-system-time)."""
FUTURE: Final = "20991201T120000!"


@dataclass(frozen=True)
class Key:
    """An OpenPGP key whose secret half is in a directory of its own."""

    home: Path

    @classmethod
    def make(cls, home: Path, *options: str, expire: str = "never") -> "Key":
        """Make the key in `home`, a short path: gpg's agent has its socket there."""
        home.mkdir(mode=0o700)
        key = cls(home)
        key.gpg(*options, "--quick-generate-key", "test", "ed25519", "sign", expire)
        return key

    def gpg(self, *words: str) -> bytes:
        """Run gpg with this key alone."""
        gpg = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback"]
        return subprocess.run([*gpg, "--passphrase", "", *words], check=True, capture_output=True).stdout

    @property
    def fingerprint(self) -> str:
        """The key's name among all keys."""
        rows = self.gpg("--with-colons", "--list-keys").decode().splitlines()
        return next(row.split(":")[9] for row in rows if row.startswith("fpr:"))

    @property
    def public(self) -> str:
        """The public half, armoured."""
        return self.gpg("--armor", "--export").decode()


def package(directory: Path, name: str, version: str, *, postinst: str = "") -> None:
    """Put an empty package into the directory; `postinst` is what runs when it is installed."""
    with tempfile.TemporaryDirectory(dir=directory) as build:
        control = Path(build) / "DEBIAN/control"
        control.parent.mkdir()
        Path(build).chmod(0o755)
        fields = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "a <a@example.org>"}
        lines = {**fields, "Description": "a test"}
        control.write_text("".join(f"{field}: {value}\n" for field, value in lines.items()))
        if postinst:
            (control.parent / "postinst").write_text(postinst)
            (control.parent / "postinst").chmod(0o755)
        file = directory / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", build, file], check=True, capture_output=True)


def sign(release: Path, key: Key, *options: str, fields: dict[str, str] | None = None) -> None:
    """Write the Release of the directory around it, with these fields instead of its own, and sign it."""
    words = ["apt-ftparchive", "-o", "APT::FTPArchive::Release::Suite=trixie", "release", "."]
    release.unlink(missing_ok=True)
    text = subprocess.run(words, check=True, capture_output=True, text=True, cwd=release.parent).stdout
    own = fields or {}
    kept = [line for line in text.splitlines() if line.partition(":")[0] not in own]
    release.write_text("\n".join([*(f"{name}: {value}" for name, value in own.items()), *kept]) + "\n")
    key.gpg(*options, "--clearsign", "--output", str(release.with_name("InRelease")), str(release))


def flat(
    directory: Path, key: Key, *options: str, fields: dict[str, str] | None = None, versions: str = "1.0-1"
) -> None:
    """Make a repository without components, with the package `demo` in these versions."""
    directory.mkdir(parents=True)
    for version in versions.split():
        package(directory, "demo", version)
    index(directory, ".", directory / "Packages")
    sign(directory / "Release", key, *options, fields=fields)


def debian(directory: Path, key: Key, components: tuple[str, ...] = ("main", "contrib")) -> None:
    """Make a repository that has Debian's layout: a package named after each component."""
    dists = directory / "dists/trixie"
    for component in components:
        pool = directory / "pool" / component
        pool.mkdir(parents=True)
        package(pool, f"only-{component}", "1.0-1")
        (dists / component / "binary-amd64").mkdir(parents=True)
        index(directory, f"pool/{component}", dists / component / "binary-amd64/Packages")
    sign(dists / "Release", key, fields={"Components": " ".join(components), "Architectures": "amd64"})


def index(root: Path, below: str, packages: Path) -> None:
    """Write the index of the packages that are below a directory of the repository."""
    listed = subprocess.run(["apt-ftparchive", "packages", below], check=True, capture_output=True, cwd=root).stdout
    packages.write_bytes(listed)
