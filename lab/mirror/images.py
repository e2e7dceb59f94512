"""The container images of the mirror, each built with buildah from its Containerfile below ``images/``.

The Containerfiles take programs from the named context ``programs`` and userland from ``localhost/debian``, one
Debian layer that they share. Nothing else is pulled from anywhere.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.machines.debian import source
from lab.mirror.debs import EPOCH
from lab.mirror.programs import CALICO, CNI_PLUGINS, COREDNS, ETCD, KUBERNETES
from lab.processes import ALONE, run
from lab.versions import SITE

RECIPES: Final = Path(__file__).with_name("images")
_BASE: Final = "localhost/debian"
_DEBIAN_RECIPE: Final = RECIPES / "debian" / "Containerfile"
_PAUSE_FLAGS: Final = ("-Os", "-Wall", "-Werror", "-static", "-s", f"-DVERSION=v{SITE['pause']}")
_DEBIAN: Final = (
    *("--variant=minbase", "--include=ca-certificates,netbase"),
    *(f"--dpkgopt=path-exclude=/usr/share/{documentation}/*" for documentation in ("doc", "info", "locale", "man")),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    # An image is whole or thrown away: dpkg need not wait for the disk after each file.
    "--dpkgopt=force-unsafe-io",
    # No package may start its service while an image is built, see invoke-rc.d(8).
    '--customize-hook=printf "#!/bin/sh\\nexit 101\\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"',
    '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*; : >"$1/etc/resolv.conf"',
)
"""Arguments of mmdebstrap(1) for the shared layer: a minimal Debian without documentation."""


@dataclass(frozen=True)
class Image:
    """An image under the name that upstream gives it."""

    name: str
    """With its registry's host, such as ``registry.k8s.io/kube-proxy``."""
    tag: str
    recipe: str
    """Directory below ``images/``."""
    contexts: Mapping[str, Artifact] = field(default_factory=dict)
    """The named contexts of the Containerfile."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Values of the Containerfile's ``ARG``."""

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.tag}"

    @property
    def directory(self) -> Path:
        return RECIPES / self.recipe

    @property
    def stands_on_debian(self) -> bool:
        """Whether it has the shared layer; an image of programs that need no files has not."""
        return f"FROM {_BASE}" in (self.directory / "Containerfile").read_text()

    @cached_property
    def layout(self) -> Artifact:
        """Its OCI image layout, https://github.com/opencontainers/image-spec."""
        inputs = {
            "recipe": file_digest(*self.directory.iterdir()),
            "contexts": {name: context.directory_name for name, context in self.contexts.items()},
            "arguments": dict(self.arguments),
            "epoch": EPOCH,
        }
        needs = (*self.contexts.values(), *([DEBIAN] if self.stands_on_debian else []))
        name = f"image-{self.name.rpartition('/')[2]}"
        return Artifact(name, f"building the image {self.reference}", lambda to: _bake(self, to), inputs, needs)


def kubernetes_images() -> tuple[Image, ...]:
    """Return the images that ``kubeadm config images list`` names."""
    server = {
        program: Image(
            f"registry.k8s.io/{program}",
            f"v{SITE['kubernetes']}",
            "kubernetes",
            contexts={"programs": KUBERNETES.artifact},
            arguments={"PROGRAM": program},
        )
        for program in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    }
    proxy = Image(
        "registry.k8s.io/kube-proxy", f"v{SITE['kubernetes']}", "kube-proxy", {"programs": KUBERNETES.artifact}
    )
    return (
        *server.values(),
        proxy,
        Image("registry.k8s.io/etcd", f"{SITE['etcd']}-0", "etcd", {"programs": ETCD.artifact}),
        Image("registry.k8s.io/coredns/coredns", f"v{SITE['coredns']}", "coredns", {"programs": COREDNS.artifact}),
        Image("registry.k8s.io/pause", SITE["pause"], "pause", {"programs": PAUSE}),
    )


def calico_images() -> tuple[Image, ...]:
    """Return the images that Calico's manifest names."""
    tag = f"v{SITE['calico']}"
    return (
        Image("quay.io/calico/node", tag, "calico-node", {"programs": CALICO.artifact}),
        Image("quay.io/calico/cni", tag, "calico-cni", {"programs": CALICO.artifact, "plugins": CNI_PLUGINS.artifact}),
        Image("quay.io/calico/kube-controllers", tag, "calico-kube-controllers", {"programs": CALICO.artifact}),
    )


def application_images() -> tuple[Image, ...]:
    """Return the images of the hub, its proxy, user servers and the edge, whose programs are not compiled here."""
    return (
        Image("quay.io/jupyterhub/k8s-hub", SITE["k8s_hub"], "k8s-hub"),
        Image("quay.io/jupyterhub/configurable-http-proxy", SITE["configurable_http_proxy"], "configurable-http-proxy"),
        Image("quay.io/jupyter/base-notebook", SITE["base_notebook"], "base-notebook"),
        Image("docker.io/library/nginx", SITE["nginx"], "nginx", arguments={"VERSION": SITE["nginx"]}),
    )


def all_images() -> tuple[Image, ...]:
    """Every image that the registry holds."""
    return (*application_images(), *kubernetes_images(), *calico_images())


def _bake_debian(output: Path) -> None:
    with tempfile.TemporaryDirectory(dir=output) as context, container_storage(output) as (buildah, _):
        command = ["mmdebstrap", "--quiet", *_DEBIAN, SITE["debian"], f"{context}/root.tar", source()]
        run([*ALONE, "env", f"SOURCE_DATE_EPOCH={EPOCH}", f"TMPDIR={context}", *command])
        run([*buildah, "bud", *build_options(), "--tag", _BASE, "--file", str(_DEBIAN_RECIPE), context])
        run([*buildah, "push", "--quiet", _BASE, f"oci:{output}/oci:latest"])


def _compile_pause(output: Path) -> None:
    code = KUBERNETES.artifact.path / "source/build/pause/linux/pause.c"
    run(["gcc", *_PAUSE_FLAGS, "-o", str(output / "pause"), str(code)])


def _bake(image: Image, output: Path) -> None:
    with container_storage(output) as (buildah, storage):
        if image.stands_on_debian:
            shared = f"containers-storage:[overlay@{storage}/root+{storage}/run]{_BASE}:latest"
            run([*ALONE, "skopeo", "copy", "--quiet", f"oci:{DEBIAN.path}/oci:latest", shared])
        named = [f"--build-context={name}={context.path}" for name, context in image.contexts.items()]
        values = [f"--build-arg={name}={value}" for name, value in image.arguments.items()]
        file = str(image.directory / "Containerfile")
        options = [*build_options(), *named, *values, "--tag", image.reference, "--file", file]
        run([*buildah, "bud", *options, str(image.directory)])
        run([*buildah, "push", "--quiet", image.reference, f"oci:{output}/oci:{image.tag}"])


def build_options() -> list[str]:
    """Return options that need no container runtime and no bridge, and trust this computer's authorities.

    A site may have authorities of its own.
    """
    trust = "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"
    return ["--isolation=chroot", "--network=host", "--pull-never", f"--timestamp={EPOCH}", trust]


@contextmanager
def container_storage(output: Path) -> Iterator[tuple[list[str], str]]:
    """Yield the buildah command and the directory of its container storage, which lasts for one build."""
    with tempfile.TemporaryDirectory(prefix="buildah-", dir=output) as directory:
        options = [f"--root={directory}/root", f"--runroot={directory}/run", "--storage-driver=overlay"]
        yield [*ALONE, "buildah", *options], directory


DEBIAN: Final = Artifact(
    "image-debian",
    "building the images' Debian layer",
    _bake_debian,
    {"suite": SITE["debian"], "options": _DEBIAN, "recipe": file_digest(_DEBIAN_RECIPE), "epoch": EPOCH},
)
"""OCI layout of the layer that images share."""

PAUSE: Final = Artifact(
    "pause", "compiling pause", _compile_pause, {"flags": _PAUSE_FLAGS}, needs=(KUBERNETES.artifact,)
)
"""Upstream's pause.c, compiled as upstream's Makefile does."""
