"""Debian packages, and an archive of them that apt itself installs from."""

import subprocess
from pathlib import Path

import pytest

from lab.mirror import archive
from lab.mirror.debs import DebianPackage
from lab.mirror.packages import containerd_package, kubernetes_packages
from lab.mirror.signing import mirror_keyring
from lab.rack import RackError
from lab.versions import SITE


@pytest.fixture
def hello(tmp_path: Path) -> DebianPackage:
    program = tmp_path / "hello"
    program.write_text("#!/bin/sh\necho hello\n")
    return DebianPackage(
        "henhouse-hello",
        "1.0-1",
        "Says hello",
        "https://example.org",
        depends=("libc6 (>= 2.34)", "mount"),
        provides=("hello",),
        programs={"/usr/bin/hello": program},
        files={"/etc/hello.conf": "greeting=hello\n", "/usr/lib/systemd/system/hello.service": "[Service]\n"},
        unit="hello.service",
    )


def _field(package: Path, name: str) -> str:
    return subprocess.run(
        ["dpkg-deb", "--field", package, name], check=True, text=True, capture_output=True
    ).stdout.strip()


def test_control_file_is_what_dpkg_reads(hello: DebianPackage, tmp_path: Path) -> None:
    built = hello.build(tmp_path)
    assert built.name == "henhouse-hello_1.0-1_amd64.deb"
    assert _field(built, "Depends") == "libc6 (>= 2.34), mount"
    assert _field(built, "Provides") == _field(built, "Conflicts") == _field(built, "Replaces") == "hello"


def test_contents_belong_to_root_and_keep_their_modes(hello: DebianPackage, tmp_path: Path) -> None:
    listing = subprocess.run(
        ["dpkg-deb", "--contents", hello.build(tmp_path)], check=True, text=True, capture_output=True
    ).stdout
    modes = {line.split()[-1]: (line.split()[0], line.split()[1]) for line in listing.splitlines()}
    assert modes["./usr/bin/hello"] == ("-rwxr-xr-x", "root/root")
    assert modes["./etc/hello.conf"] == ("-rw-r--r--", "root/root")
    assert modes["./usr/lib/systemd/"][0] == "drwxr-xr-x"


def test_maintainer_scripts_are_valid_shell(hello: DebianPackage) -> None:
    for script in hello.maintainer_scripts().values():
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_same_input_makes_the_same_bytes(hello: DebianPackage, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert hello.build(tmp_path / "a").read_bytes() == hello.build(tmp_path / "b").read_bytes()


def test_apt_trusts_and_reads_the_index(hello: DebianPackage, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    archive.add_packages(root, "main", [hello.build(tmp_path)])
    archive.index(root, "trixie", ["main"])
    apt = tmp_path / "apt"
    for directory in ("etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (apt / directory).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "apt.conf").write_text(archive.apt_configuration(apt))
    (apt / "etc/sources.list").write_text(f"deb [signed-by={mirror_keyring()}] file:{root} trixie main\n")
    command = ["env", f"APT_CONFIG={apt}/apt.conf"]
    subprocess.run([*command, "apt-get", "update", "--error-on=any"], check=True, capture_output=True)
    shown = subprocess.run([*command, "apt-cache", "show", hello.name], check=True, text=True, capture_output=True)
    assert "Version: 1.0-1" in shown.stdout
    assert "Filename: pool/main/henhouse-hello_1.0-1_amd64.deb" in shown.stdout


def test_apt_refuses_an_index_that_was_changed(hello: DebianPackage, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    archive.add_packages(root, "main", [hello.build(tmp_path)])
    archive.index(root, "trixie", ["main"])
    release = root / "dists/trixie/InRelease"
    release.write_text(release.read_text().replace("Suite: trixie", "Suite: sid"))
    verified = subprocess.run(["gpgv", "--keyring", mirror_keyring(), release], capture_output=True, check=False)
    assert verified.returncode != 0


def test_file_that_is_not_a_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RackError, match=r"nothing\.deb is not a Debian package"):
        archive.add_packages(tmp_path, "main", [tmp_path / "nothing.deb"])


def test_package_list_without_comments() -> None:
    assert archive.package_names("# any machine\nacl\n\njq  # for scripts\n") == ["acl", "jq"]


def test_wanted_packages_are_named_once() -> None:
    names = archive.package_names(archive.WANTED.read_text())
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (
            "http://deb.debian.org/debian/pool/main/b/bird2/bird2_2.17-1_amd64.deb",
            "pool/main/b/bird2/bird2_2.17-1_amd64.deb",
        ),
        ("http://mirror/x/pool/contrib/z/zfs_2.3%2bx_amd64.deb", "pool/contrib/z/zfs_2.3+x_amd64.deb"),
    ],
)
def test_packages_keep_their_place_in_the_pool(address: str, path: str) -> None:
    assert archive.pool_path(address) == Path(path)


def test_kubernetes_packages_have_upstreams_names_and_places(tmp_path: Path) -> None:
    (tmp_path / "loopback").touch()
    packages = {package.name: package for package in kubernetes_packages(tmp_path, tmp_path)}
    assert packages.keys() == {"kubelet", "kubeadm", "kubectl", "kubernetes-cni"}
    assert packages["kubeadm"].version == f"{SITE['kubernetes']}-1.1"
    assert "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf" in packages["kubeadm"].files
    assert "kubernetes-cni (>= 1.2.0)" in packages["kubelet"].depends
    assert packages["kubernetes-cni"].programs == {"/opt/cni/bin/loopback": tmp_path / "loopback"}


def test_containerd_comes_as_upstream_packages_it(tmp_path: Path) -> None:
    unit = tmp_path / "source/containerd.service"
    unit.parent.mkdir()
    unit.write_text("[Service]\nExecStart=/usr/local/bin/containerd\n")
    package = containerd_package(tmp_path, tmp_path)
    assert package.files["/usr/lib/systemd/system/containerd.service"] == "[Service]\nExecStart=/usr/bin/containerd\n"
    assert package.provides == ("containerd", "runc")
    # Docker's package switches the CRI plugin off; a node must be given a configuration of its own.
    assert package.files["/etc/containerd/config.toml"] == 'disabled_plugins = ["cri"]\n'
