"""Command lines and files that other programs read; where the program is at hand, it reads them here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.door import door_command
from lab.host import missing, shortages
from lab.machines.identity import KEYRING, GuestFile, identity, into_image, network_file
from lab.machines.modules import available
from lab.machines.nspawn import nspawn_command
from lab.machines.qemu import hardware_address, qemu_command
from lab.machines.zfs import control
from lab.rack import Rack, load_rack
from lab.ssh import ssh_config


@pytest.fixture
def dev() -> Rack:
    return load_rack("dev")


def test_hens_disks_have_their_serial_numbers_and_places_of_their_own(dev: Rack) -> None:
    hen = dev.machine("hen")
    command = qemu_command(hen, Path("/state"))
    devices = [word for word in command if word.startswith("virtio-blk-pci")]
    serials = [match[1] for word in devices if (match := re.search(r"serial=([^,]+)", word))]
    assert hen.disks is not None
    assert tuple(serials) == ("root", "swap", *hen.disks.serials)
    assert len(serials) == 30
    places = {word.partition(f"serial={serial},")[2] for word, serial in zip(devices, serials, strict=True)}
    assert len(places) == 30


def test_hardware_addresses_differ(dev: Rack) -> None:
    assert hardware_address(dev.machine("hen")) == "52:54:00:12:00:c8"
    assert len({hardware_address(spec) for spec in dev.machines}) == len(dev.machines)


def test_nspawn_machines_of_two_racks_never_share_a_name(dev: Rack) -> None:
    other = dev.model_copy(update={"name": "other"})
    names = {
        word
        for rack in (dev, other)
        for word in nspawn_command(rack, rack.machine("chick0"), Path("/root"))
        if word.startswith("--machine=")
    }
    assert names == {"--machine=dev-chick0", "--machine=other-chick0"}


def test_network_file(dev: Rack) -> None:
    assert network_file(dev, dev.machine("chick1"), "host0").splitlines() == [
        "[Match]",
        "Name=host0",
        "",
        "[Network]",
        "Address=198.18.0.101/19",
        "Gateway=198.18.0.2",
        "LinkLocalAddressing=no",
        "IPv6AcceptRA=no",
    ]


def test_ssh_reads_the_configuration(dev: Rack, tmp_path: Path) -> None:
    """ssh(1) itself says what it understood: pinned keys, the rack's agent, nothing of the person's own."""
    file = tmp_path / "ssh_config"
    file.write_text(ssh_config(dev))
    printed = subprocess.run(["ssh", "-G", "-F", file, "hen"], check=True, capture_output=True, text=True).stdout
    understood = dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)
    assert understood["hostname"] == "198.18.0.200"
    assert understood["user"] == "root"
    assert understood["identityagent"] == str(dev.agent_socket)
    assert understood["userknownhostsfile"] == str(dev.state / "known_hosts")
    assert understood["stricthostkeychecking"] in ("true", "yes")


def test_door_listens_outside_and_connects_inside(dev: Rack) -> None:
    assert dev.door is not None
    assert door_command(dev, dev.door) == [
        "systemd-socket-activate",
        "--listen=127.0.0.1:8443",
        "nsenter",
        "--net=/run/netns/henhouse-dev",
        "/usr/lib/systemd/systemd-socket-proxyd",
        "198.18.0.2:443",
    ]


def test_back_door_leads_to_the_jump(dev: Rack) -> None:
    assert door_command(dev, dev.doors["back_door"])[-1] == "198.18.0.2:22"
    assert dev.doors["back_door"].listen == "127.0.0.1:2222"


def test_files_reach_an_image_that_is_never_mounted(dev: Rack, tmp_path: Path) -> None:
    """Written and read back by debugfs(8): new directories, replaced files, modes and owners."""
    tree, image, keyring = tmp_path / "tree", tmp_path / "image", tmp_path / "keyring"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/hostname").write_text("another-machine-with-a-long-name\n")
    keyring.write_bytes(b"\x99\x01key")
    subprocess.run(["truncate", "--size=8M", image], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, image], check=True, capture_output=True)
    into_image(identity(dev, dev.machine("hen"), "eth0", keyring), image)

    def debugfs(request: str) -> bytes:
        return subprocess.run(["debugfs", "-R", request, image], check=True, capture_output=True).stdout

    assert debugfs("cat /etc/hostname") == b"hen\n"
    assert debugfs(f"cat /{KEYRING}") == b"\x99\x01key"
    assert b"Mode:  0600" in debugfs("stat /etc/ssh/ssh_host_ed25519_key")
    assert re.search(rb"Mode:  0600.*\nUser: +0 +Group: +0", debugfs("stat /root/.ssh/authorized_keys"), re.DOTALL)
    assert subprocess.run(["e2fsck", "-fn", image], capture_output=True, check=False).returncode == 0


def test_a_file_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    image = tmp_path / "image"
    subprocess.run(["truncate", "--size=1M", image], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image], check=True, capture_output=True)
    with pytest.raises(Exception, match="could not write /etc/large"):
        into_image([GuestFile("etc/large", bytes(range(256)) * 8192)], image)


def test_missing_packages() -> None:
    listing = "iproute2 installed\nskopeo config-files\n"
    assert missing(("iproute2", "kmod", "skopeo"), listing) == ("kmod", "skopeo")


def test_shortages_say_what_is_needed_and_what_there_is() -> None:
    gib = 1024**3
    need, free = {"memory": 12 * gib, "disk": 20 * gib}, {"memory": 8 * gib, "disk": 80 * gib}
    assert shortages(need, free) == ("12 GiB of memory must be free, 8.0 GiB are",)


def test_modules_are_those_of_the_kernel() -> None:
    config = "CONFIG_BRIDGE=y\n# CONFIG_IP_VS is not set\nCONFIG_VXLAN=m\n"
    assert available(config, frozenset({"overlay", "ext4"})) == ("bridge", "overlay")


def test_module_package_provides_what_zfsutils_recommends() -> None:
    fields = dict(
        line.split(": ", 1) for line in control("6.12.1-amd64", "6.12.1-1", "2.3.9-0").splitlines() if ": " in line
    )
    assert fields["Package"] == "zfs-modules-cloud-amd64"
    assert fields["Provides"] == "zfs-modules"
    assert "linux-image-6.12.1-amd64 (= 6.12.1-1)" in fields["Depends"]


def test_shell_scripts_are_sound() -> None:
    scripts = sorted(Path("lab/machines").glob("*.sh"))
    assert scripts
    subprocess.run([Path(sys.executable).with_name("shellcheck"), *scripts], check=True)
