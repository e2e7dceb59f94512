"""A machine without `mirrors`: the program's own roles install from the official hosts."""

from collections.abc import Mapping

import pytest

from converge.role import Role
from tests.converge.scripts import RackShell
from tests.official.layout import MINOR, SUITE
from tests.official.server import DEBIAN, DOCKER

pytestmark = pytest.mark.official


def test_everything_is_installed_from_the_official_hosts(installed: RackShell, roles: Mapping[str, Role]) -> None:
    for role in roles.values():
        assert installed.check(role).differences == [], role.name
    for package, address in {
        "kubelet": f"https://pkgs.k8s.io/core:/stable:/v{MINOR}/deb",
        "kubeadm": f"https://pkgs.k8s.io/core:/stable:/v{MINOR}/deb",
        "containerd.io": f"https://{DOCKER}/linux/debian {SUITE}/stable",
        "chrony": f"http://{DEBIAN}/debian {SUITE}/main",
        "zfs-zed": f"http://{DEBIAN}/debian {SUITE}/contrib",
    }.items():
        assert f" {address} " in installed.run(f"apt-cache policy {package}").stdout, package
    assert installed.run("systemctl is-active containerd chrony").stdout == "active\nactive\n"
    assert installed.run("kubelet --version; containerd --version").status == 0
