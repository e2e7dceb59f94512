"""Builds the mirror from its parts, each of them cached by what went into it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os.path import relpath
from pathlib import Path

from lab.cache import artifact, file_digest
from lab.mirror import archive
from lab.mirror.debs import EPOCH
from lab.mirror.images import all_images, application_images
from lab.mirror.packages import description, site_packages
from lab.mirror.programs import ALL, CALICO
from lab.mirror.registry import fill_registry
from lab.mirror.serve import Mirror
from lab.mirror.signing import mirror_keyring
from lab.progress import step
from lab.versions import SITE


def ensure_mirror(extra_packages: Sequence[Path] = ()) -> Mirror:
    """The mirror of the pinned versions, building whatever the cache lacks.

    `extra_packages` are further Debian packages for the repository ``site``, such as kernel modules that stand for
    a machine's own. Progress goes through `lab.progress`. Raises RackError when a part fails to build.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        # Downloads mostly wait for the network, compilers never do.
        downloaded = beside.submit(_download)
        for programs in ALL:
            programs.build()
        debian = downloaded.result()
    site = _site_repository(extra_packages)
    registry = fill_registry([(image, image.build()) for image in all_images()])
    return Mirror(root=_root(debian, site), registry=registry, keyring=mirror_keyring())


def _download() -> Path:
    debian = _debian_repository()
    for image in application_images():
        image.build()
    return debian


def _debian_repository() -> Path:
    def build(output: Path) -> None:
        with step(f"mirroring a part of Debian {SITE['debian']}"):
            archive.download_closure(output, SITE["debian"], archive.package_names(archive.WANTED.read_text()))
            archive.index(output, SITE["debian"], archive.COMPONENTS)

    inputs = {
        "suite": SITE["debian"],
        "packages": sorted(archive.package_names(archive.WANTED.read_text())),
        "components": archive.COMPONENTS,
        "key": file_digest(mirror_keyring()),
        "recipe": file_digest(Path(archive.__file__)),
    }
    return artifact("debian-archive", inputs, build)


def _site_repository(extra_packages: Sequence[Path]) -> Path:
    packages = site_packages()

    def build(output: Path) -> None:
        with step("building the site's packages"):
            pool = output / "pool/main"
            pool.mkdir(parents=True)
            for package in packages:
                package.build(pool)
            archive.add_packages(output, "main", extra_packages)
            archive.index(output, SITE["debian"], ["main"])

    inputs = {
        "packages": description(packages),
        "extra": sorted(file_digest(package) for package in extra_packages),
        "suite": SITE["debian"],
        "epoch": EPOCH,
        "key": file_digest(mirror_keyring()),
        "recipe": file_digest(Path(archive.__file__)),
    }
    return artifact("site-archive", inputs, build)


def _root(debian: Path, site: Path) -> Path:
    """The directory that the HTTP server shows: links into the cache, relative so that the cache may move."""
    calico = CALICO.build()
    release = f"calico/v{SITE['calico']}"
    links = {
        "debian": debian,
        "site": site,
        f"{release}/manifests": calico / "source/manifests",
        f"{release}/calicoctl-linux-amd64": calico / "calicoctl",
    }

    def build(output: Path) -> None:
        for name, target in links.items():
            link = output / name
            link.parent.mkdir(parents=True, exist_ok=True)
            # Built under another name beside the final one: relative to either, the link reads the same.
            link.symlink_to(relpath(target, link.parent))

    return artifact(
        "mirror-root", {name: str(target.relative_to(debian.parent)) for name, target in links.items()}, build
    )
