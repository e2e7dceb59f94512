"""The machine's roles: what they install, in which order things come up at boot, and what they never do."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.storage.pool.roles import pool_role, zfs_role
from components.storage.pool.units import REPLACED, unit_name
from converge.items import File, KernelModule, Package, Script, Unit
from converge.render import render
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import PoolSettings, StorageSettings
from tests.stacks.sites import tree


@pytest.fixture(params=["dev", "prod"])
def pool(request: pytest.FixtureRequest) -> PoolSettings:
    return parse_settings(tree(request.param)).storage.pool


def files(role: Role) -> dict[str, str]:
    return {item.path: item.content or "" for item in role.items if isinstance(item, File)}


@pytest.mark.parametrize(
    ("path", "suffix", "name"),
    [
        # As systemd-escape --path --suffix says.
        ("/nest/homes", "mount", "nest-homes.mount"),
        (
            "/dev/disk/by-id/virtio-hen-bay01-part1",
            "device",
            r"dev-disk-by\x2did-virtio\x2dhen\x2dbay01\x2dpart1.device",
        ),
        ("/dev/disk/by-id/nvme-Model+A:b=c", "device", r"dev-disk-by\x2did-nvme\x2dModel\x2bA:b\x3dc.device"),
        ("/", "mount", "-.mount"),
        ("/.hidden", "mount", r"\x2ehidden.mount"),
    ],
)
def test_units_are_named_as_systemd_names_them(path: str, suffix: str, name: str) -> None:
    assert unit_name(path, suffix) == name


def test_import_waits_for_every_disk_and_for_no_queue(pool: PoolSettings) -> None:
    unit = files(pool_role(StorageSettings(pool=pool)))["/etc/systemd/system/zfs-import-nest.service"]
    assert len(re.findall(r"^Wants=dev-disk-by.*part1\.device$", unit, re.MULTILINE)) == 28
    assert len(re.findall(r"^After=dev-disk-by.*part1\.device$", unit, re.MULTILINE)) == 28
    assert "udev-settle" not in unit


def test_units_that_wait_for_a_queue_are_masked_before_packages_start_them(pool: PoolSettings) -> None:
    items = list(zfs_role(pool).items)
    masked = [items.index(Unit(name, masked=True)) for name in REPLACED]
    assert max(masked) < min(at for at, item in enumerate(items) if isinstance(item, Package))


def test_host_id_is_the_same_after_each_installation_and_another_at_each_site(tmp_path: Path) -> None:
    made = set()
    for stack in ("dev", "dev", "prod"):
        (item,) = (
            item
            for item in zfs_role(parse_settings(tree(stack)).storage.pool).items
            if isinstance(item, Script) and item.name == "host id"
        )
        file = tmp_path / "hostid"

        def run(text: str, file: Path = file) -> int:
            return subprocess.run(["bash", "-euc", text.replace("/etc/hostid", str(file))], check=False).returncode

        file.unlink(missing_ok=True)
        assert run(item.check) != 0
        assert run(item.apply) == 0
        assert run(item.check) == 0
        made.add(file.read_bytes())
    assert len(made) == 2
    assert all(len(each) == 4 and each not in (b"\0" * 4, b"\xff" * 4) for each in made)


def test_host_id_comes_before_the_packages_that_would_make_one(pool: PoolSettings) -> None:
    names = [getattr(item, "name", "") for item in zfs_role(pool).items]
    assert names.index("host id") < min(names.index(each) for each in ("zfsutils-linux", pool.module_package))


def test_import_at_boot_looks_again_when_the_import_by_name_fails(pool: PoolSettings) -> None:
    unit = files(pool_role(StorageSettings(pool=pool)))["/etc/systemd/system/zfs-import-nest.service"]
    assert "|| exec /usr/local/sbin/henhouse-zpool import /etc/henhouse/zpool/nest.json'" in unit


def test_dataset_is_mounted_by_a_unit_that_needs_the_pool(pool: PoolSettings) -> None:
    unit = files(pool_role(StorageSettings(pool=pool)))["/etc/systemd/system/nest-homes.mount"]
    assert "Requires=zfs-import-nest.service" in unit
    assert "What=nest/homes\nWhere=/nest/homes\nType=zfs" in unit


def test_every_share_has_a_mount_unit_that_the_pool_does_not_wait_for(
    pool: PoolSettings, faults: Callable[[str], str]
) -> None:
    storage = StorageSettings.model_validate({"pool": pool, "shares": {"project": {}, "my-data": {}}})
    role = pool_role(storage)
    units = {"nest-homes.mount": "homes", "nest-project.mount": "project", r"nest-my\x2ddata.mount": "my-data"}
    for unit, share in units.items():
        assert f"What=nest/{share}\nWhere=/nest/{share}\nType=zfs" in files(role)[f"/etc/systemd/system/{unit}"]
        assert (Unit(unit) in role.items) == (share == "homes")
    assert faults(render(role, "hen")) == ""


def test_module_is_compiled_against_headers_where_there_is_none_ready(pool: PoolSettings) -> None:
    packages = [item.name for item in zfs_role(pool).items if isinstance(item, Package)]
    compiled = pool.module_package == "zfs-dkms"
    assert ("linux-headers-amd64" in packages) == compiled
    if compiled:
        assert packages.index("linux-headers-amd64") < packages.index("zfs-dkms")
    assert KernelModule("zfs") in zfs_role(pool).items


def test_machine_gets_the_settings_disks(pool: PoolSettings) -> None:
    spec = json.loads(files(pool_role(StorageSettings(pool=pool)))["/etc/henhouse/zpool/nest.json"])
    disks = [disk for vdev in (*spec["vdevs"], *spec["log"]) for disk in vdev["disks"]] + spec["spares"]
    assert len(disks) == 28


def test_nothing_is_ever_destroyed_or_forced(pool: PoolSettings) -> None:
    """No word of the programs that would take data away is in anything that runs on the machine."""
    code = "\n".join(
        [
            *(
                text
                for role in (zfs_role(pool), pool_role(StorageSettings(pool=pool)))
                for text in files(role).values()
            ),
            *(item.apply for item in pool_role(StorageSettings(pool=pool)).items if isinstance(item, Script)),
        ]
    )
    assert not re.search(r"\bdestroy\b|labelclear|\brollback\b|\"-[fFR]\"|(zpool|zfs) [a-z]+ .*-[fF]\b", code)


@pytest.mark.parametrize("build", [zfs_role, lambda pool: pool_role(StorageSettings(pool=pool))])
def test_scripts_are_sound(
    build: Callable[[PoolSettings], Role], pool: PoolSettings, faults: Callable[[str], str]
) -> None:
    assert faults(render(build(pool), "hen")) == ""


def test_module_that_is_compiled_has_the_running_kernels_headers_first() -> None:
    compiled = parse_settings(tree("prod")).storage.pool
    assert compiled.module_package == "zfs-dkms"
    names = [getattr(item, "name", "") for item in zfs_role(compiled).items]
    order = ["headers of the kernel", "zfs-dkms", "zfs for the running kernel", "zfs"]
    assert [name for name in names if name in order] == order


def test_module_that_is_installed_needs_no_headers() -> None:
    items = zfs_role(parse_settings(tree("dev")).storage.pool).items
    assert not [item for item in items if isinstance(item, Script) and "kernel" in item.name]


@pytest.mark.parametrize(
    ("kernel", "flavour"),
    [
        ("6.12.38+deb13-amd64", "amd64"),
        ("6.12.94+deb13+1-cloud-amd64", "cloud-amd64"),
        ("6.12.38+deb13-rt-amd64", "rt-amd64"),
        ("6.1.0-18-amd64", "amd64"),
    ],
)
def test_next_kernels_headers_are_of_the_kernels_flavour(kernel: str, flavour: str) -> None:
    (headers,) = (
        item
        for item in zfs_role(parse_settings(tree("prod")).storage.pool).items
        if isinstance(item, Script) and item.name == "headers of the kernel"
    )
    library = headers.check.partition("# has_headers")[0].replace("$(uname --kernel-release)", kernel)
    said = subprocess.run(["bash", "-c", f"{library} echo $FLAVOUR"], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == flavour
