"""The official repositories in small: the hosts' own paths and Release fields, around packages that the lab has.

The signing keys differ from the real ones: those of Debian, Kubernetes and Docker are not public. The fields are
those that the hosts publish.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from lab.cache import Artifact
from lab.mirror import archive
from lab.mirror.build import DEBIAN_ARCHIVE, SITE_ARCHIVE
from lab.versions import SITE
from tests.converge.repositories import PAST, Key, index, package
from tests.official.server import DEBIAN, DOCKER, KUBERNETES_FILES, SECURITY

SUITE: Final = SITE["debian"]
MINOR: Final = SITE["kubernetes"].rpartition(".")[0]
DEMO: Final = "demo"
"""A package with a security update whose installation waits for /run/go."""

_MORE: Final = ("unattended-upgrades", "libfaketime")
MORE: Final = Artifact(
    "debian-of-installers",
    "downloading what an installer puts on a machine",
    lambda output: archive.download_closure(output, SUITE, _MORE),
    {"suite": SUITE, "packages": _MORE},
)
_DEBIAN_FIELDS: Final = {"Origin": "Debian", "Acquire-By-Hash": "yes", "Architectures": "all amd64 arm64"}
_DOCKER_FIELDS: Final = {
    "Origin": "Docker",
    "Label": "Docker CE",
    "Suite": SUITE,
    "Architectures": "amd64 arm64",
    "Components": "edge nightly stable test",
}
_WAITS: Final = "#!/bin/sh\ntouch /run/upgrading\nuntil [ -e /run/go ]; do sleep 0.2; done\n"


@dataclass(frozen=True)
class Keys:
    """Who signs."""

    debian: Key
    kubernetes: Key
    docker: Key
    kubernetes_expired: str
    """The public half of Kubernetes' key as it was before its owner made it live longer, under the same fingerprint."""

    @classmethod
    def make(cls, home: Path) -> "Keys":
        """Make all of them below `home`, a short path."""
        kubernetes = Key.make(home / "k", "--faked-system-time", PAST, expire="30d")
        expired = kubernetes.public
        kubernetes.gpg("--quick-set-expire", kubernetes.fingerprint, "0")
        return cls(Key.make(home / "d"), kubernetes, Key.make(home / "o"), expired)


@dataclass(frozen=True)
class Official:
    """The hosts' files, below `root` as `server` shows them."""

    root: Path
    keys: Keys

    def stall(self, *paths: str) -> None:
        """Answer no more for these paths, until it is called again."""
        (self.root / "stalled").write_text("\n".join(paths))

    def write(self) -> None:
        """Write all of it again, as it is on a good day."""
        self.debian()
        self.security()
        self.kubernetes()
        self.docker()

    def debian(self) -> None:
        """deb.debian.org: a closed part of Debian, and what installers take from it besides."""
        root = self.root / DEBIAN / "debian"
        pool = root / "pool"
        pool.mkdir(parents=True, exist_ok=True)
        for name, target in {
            **{component: DEBIAN_ARCHIVE.path / "pool" / component for component in archive.COMPONENTS},
            "more": MORE.make() / "pool",
        }.items():
            (pool / name).unlink(missing_ok=True)
            (pool / name).symlink_to(target)
        (pool / DEMO).mkdir(exist_ok=True)
        package(pool / DEMO, DEMO, "1.0-1")
        packages = {
            component: (DEBIAN_ARCHIVE.path / f"dists/{SUITE}/{component}/binary-amd64/Packages").read_bytes()
            for component in archive.COMPONENTS
        }
        packages["main"] += b"\n" + _index(root, "pool/more/") + b"\n" + _index(root, f"pool/{DEMO}")
        fields = {**_DEBIAN_FIELDS, "Label": "Debian", "Suite": "stable", "Version": "13.2", "Codename": SUITE}
        _publish(root / "dists" / SUITE, self.keys.debian, fields, packages)
        updates = {**fields, "Suite": "stable-updates", "Version": "13-updates", "Codename": f"{SUITE}-updates"}
        _publish(root / "dists" / f"{SUITE}-updates", self.keys.debian, updates, dict.fromkeys(packages, b""))

    def security(self, *, valid_for: timedelta = timedelta(days=7)) -> None:
        """security.debian.org, which says until when it is to be believed."""
        root = self.root / SECURITY / "debian-security"
        pool = root / "pool/updates/main/d" / DEMO
        pool.mkdir(parents=True, exist_ok=True)
        package(pool, DEMO, "1.0-1+deb13u1", postinst=_WAITS)
        end = datetime.now(UTC) + valid_for
        fields = {
            **_DEBIAN_FIELDS,
            "Label": "Debian-Security",
            "Suite": "stable-security",
            "Version": "13",
            "Codename": f"{SUITE}-security",
            "Date": _date(end - timedelta(days=7)),
            "Valid-Until": _date(end),
        }
        packages = {"main": _index(root, "pool/updates/main"), "contrib": b""}
        _publish(root / "dists" / f"{SUITE}-security", self.keys.debian, fields, packages, prefix="updates/")

    def kubernetes(self, *, versions: Mapping[str, str] | None = None) -> None:
        """pkgs.k8s.io: flat, one for each minor version. With `versions`, of these packages alone."""
        directory = self.root / KUBERNETES_FILES / f"repositories/isv:/kubernetes:/core:/stable:/v{MINOR}/deb"
        debs = directory / "amd64"
        debs.mkdir(parents=True, exist_ok=True)
        for old in debs.iterdir():
            old.unlink()
        for name, version in (versions or {}).items():
            package(debs, name, version)
        found = _index(directory, "amd64") if versions else _site_packages(debs, "amd64", "kube")
        label = f"isv:kubernetes:core:stable:v{MINOR}"
        fields = {
            "Origin": f"obs://build.opensuse.org/{label}/deb",
            "Label": label,
            "Architecture": "amd64 arm64 ppc64el s390x",
            "Description": f"Kubernetes v{MINOR} stable (deb)",
        }
        _release(directory, self.keys.kubernetes, fields, {"Packages": found})

    def docker(self) -> None:
        """download.docker.com, which has no Codename."""
        root = self.root / DOCKER / "linux/debian"
        debs = root / f"dists/{SUITE}/pool/stable/amd64"
        debs.mkdir(parents=True, exist_ok=True)
        found = _site_packages(debs, f"dists/{SUITE}/pool/stable/amd64", "containerd")
        _publish(root / "dists" / SUITE, self.keys.docker, _DOCKER_FIELDS, {"stable": found})


def _site_packages(debs: Path, below: str, prefix: str) -> bytes:
    """Link packages of the lab's to where a host has them; return their index."""
    listed = (SITE_ARCHIVE.path / f"dists/{SUITE}/main/binary-amd64/Packages").read_text()
    stanzas = []
    for stanza in listed.strip().split("\n\n"):
        name = re.search(r"^Filename: (.*)$", stanza, re.MULTILINE)
        assert name
        file = SITE_ARCHIVE.path / name[1]
        if file.name.startswith(prefix):
            (debs / file.name).unlink(missing_ok=True)
            (debs / file.name).symlink_to(file)
            stanzas.append(stanza.replace(name[1], f"{below}/{file.name}"))
    assert stanzas, prefix
    return ("\n\n".join(stanzas) + "\n").encode()


def _index(root: Path, below: str) -> bytes:
    packages = root / ".Packages"
    index(root, below, packages)
    return packages.read_bytes()


def _publish(
    dists: Path, key: Key, fields: Mapping[str, str], packages: Mapping[str, bytes], *, prefix: str = ""
) -> None:
    """Write a suite: an index of each component, of sources too, which an installer asks for."""
    files = {f"{component}/binary-amd64/Packages": text for component, text in packages.items()}
    files |= {f"{component}/source/Sources": b"" for component in packages}
    components = " ".join(f"{prefix}{name}" for name in (*packages, "non-free-firmware", "non-free"))
    _release(dists, key, {"Components": components, **fields}, files)


def _release(directory: Path, key: Key, fields: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    """Write the files, plain, packed and by their digests, and the InRelease over them."""
    digests = []
    for name, text in files.items():
        for path, content in ((name, text), (f"{name}.gz", gzip.compress(text, mtime=0))):
            digest = hashlib.sha256(content).hexdigest()
            by_hash = directory / path.rpartition("/")[0] / "by-hash/SHA256" / digest
            by_hash.parent.mkdir(parents=True, exist_ok=True)
            for file in (directory / path, by_hash):
                file.write_bytes(content)
            digests.append(f" {digest} {len(content)} {path}")
    all_fields = {"Date": _date(datetime.now(UTC)), **fields}
    lines = [*(f"{name}: {value}" for name, value in all_fields.items()), "SHA256:", *digests]
    release = directory / "Release"
    release.write_text("\n".join(lines) + "\n")
    key.gpg("--clearsign", "--output", f"{directory}/InRelease", str(release))


def _date(when: datetime) -> str:
    return when.strftime("%a, %d %b %Y %H:%M:%S UTC")


def artifacts() -> Iterable[Artifact]:
    """Return what the repositories are made from."""
    return (DEBIAN_ARCHIVE, SITE_ARCHIVE, MORE)
