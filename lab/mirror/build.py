"""What the mirror shows, put together from its parts."""

import glob
from os.path import relpath
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.machines.zfs import ZFS_MODULES
from lab.mirror import archive
from lab.mirror.debs import EPOCH
from lab.mirror.packages import PROGRAMS, site_packages
from lab.mirror.programs import CALICO
from lab.mirror.registry import REGISTRY
from lab.mirror.serve import Mirror
from lab.mirror.signing import KEY, mirror_keyring
from lab.versions import SITE

_RECIPES: Final = sorted(Path(__file__).parent.glob("*.py"))


def _mirror_debian(output: Path) -> None:
    archive.download_closure(output, SITE["debian"], _WANTED)
    archive.index(output, SITE["debian"], archive.COMPONENTS)


def _build_site_packages(output: Path) -> None:
    pool = output / "pool/main"
    pool.mkdir(parents=True)
    for package in site_packages():
        package.build(pool)
    archive.add_packages(output, "main", map(Path, glob.glob(f"{ZFS_MODULES.path}/*.deb")))
    archive.index(output, SITE["debian"], ["main"])


_WANTED: Final = sorted(archive.package_names(archive.WANTED.read_text()))

DEBIAN_ARCHIVE: Final = Artifact(
    "debian-archive",
    f"mirroring a part of Debian {SITE['debian']}",
    _mirror_debian,
    {
        "suite": SITE["debian"],
        "packages": _WANTED,
        "components": archive.COMPONENTS,
        "recipe": file_digest(Path(archive.__file__)),
    },
    needs=(KEY,),
)
SITE_ARCHIVE: Final = Artifact(
    "site-archive",
    "building the site's packages",
    _build_site_packages,
    {"suite": SITE["debian"], "epoch": EPOCH, "recipe": file_digest(*_RECIPES)},
    needs=(KEY, ZFS_MODULES, *PROGRAMS),
)


def _links() -> dict[str, Path]:
    """Return the links below the server's root and the directories that they lead to."""
    release = f"calico/v{SITE['calico']}"
    return {
        "debian": DEBIAN_ARCHIVE.path,
        "site": SITE_ARCHIVE.path,
        f"{release}/manifests": CALICO.artifact.path / "source/manifests",
    }


def _link(output: Path) -> None:
    for name, target in _links().items():
        link = output / name
        link.parent.mkdir(parents=True, exist_ok=True)
        # Relative, so that the cache may move; built under another name beside the final one, which reads the same.
        link.symlink_to(relpath(target, link.parent))


ROOT: Final = Artifact(
    "mirror-root",
    "putting the mirror together",
    _link,
    {"links": sorted(_links())},
    needs=(DEBIAN_ARCHIVE, SITE_ARCHIVE, CALICO.artifact),
)

PARTS: Final = (ROOT, DEBIAN_ARCHIVE, SITE_ARCHIVE, CALICO.artifact, REGISTRY)
"""All that the servers read: links lead from the root to the others."""


def mirror() -> Mirror:
    """Return the mirror. Its `PARTS` must have been made."""
    return Mirror(root=ROOT.path, registry=REGISTRY.path, keyring=mirror_keyring())
