"""The file server's roles: what is exported, to which clients, and only when the dataset is there."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from components.storage.fileserver import texts
from components.storage.fileserver.roles import NOT_FOR_V4, PROVISIONER, homes_role, nfs_role
from components.storage.fileserver.texts import Export
from converge.items import Absent, Directory, File, Package, Script, Unit
from converge.render import render
from converge.role import Role
from stacks.load import parse_settings
from stacks.settings import HomesSettings, Site
from stacks.settings.storage import Transport
from tests.stacks.sites import tree

CLIENTS = (IPv4Address("198.18.0.102"), IPv4Address("198.18.0.103"))
EXPORTS = "/etc/exports.d/henhouse.exports"
SECRETS = ("certificate", "key", "ca")
HOMES = Export("nest/homes", "/nest/homes", "nest-homes.mount")
SHARED = (
    Export("nest/datasets", "/nest/datasets", "nest-datasets.mount", read_only=True),
    Export("nest/my-data", "/nest/my-data", r"nest-my\x2ddata.mount"),
)


@pytest.fixture(scope="module")
def nfs() -> Role:
    return nfs_role([HOMES], CLIENTS, HomesSettings(threads=64, grace_seconds=15))


@pytest.fixture(scope="module")
def provisioner() -> Role:
    return homes_role("/nest/homes", "nest-homes.mount", IPv4Address("198.18.0.200"), HomesSettings(first_uid=200000))


def text(role: Role, path: str) -> str:
    (found,) = [item.content for item in role.items if isinstance(item, File) and item.path == path]
    assert found is not None
    return found


@pytest.mark.parametrize(("stack", "count"), [("dev", 1), ("prod", 16)])
def test_only_workers_that_take_people_are_clients(stack: str, count: int) -> None:
    site: Site = parse_settings(tree(stack))
    clients = tuple(sorted(worker.address for worker in site.workers_for("user").values()))
    assert len(clients) == count
    assert clients == tuple(sorted(clients))
    takers = {host.address for host in site.hosts.values() if "worker" in host.duties and host.purpose != "core"}
    assert set(clients) == takers


def test_export_names_exactly_the_clients(nfs: Role) -> None:
    lines = text(nfs, EXPORTS).splitlines()
    assert lines[0] == "/nest/homes \\"
    assert [re.match(r"    ([0-9.]+)\(", line)[1] for line in lines[1:]] == ["198.18.0.102", "198.18.0.103"]  # type: ignore[index]
    assert not re.search(r"[*]|/[0-9]{1,2}\(", "".join(lines))


def test_nothing_is_left_of_the_last_share(nfs: Role) -> None:
    path = "/etc/systemd/system/nfs-server.service.d/shares.conf"
    assert Absent(path) in nfs.items
    assert "nest-datasets.mount" in text(nfs_role([HOMES, *SHARED], CLIENTS, HomesSettings()), path)


def test_export_keeps_what_it_acknowledged_and_trusts_no_root() -> None:
    options = HOMES.options.split(",")
    assert {"sync", "root_squash", "mp", "sec=sys"} <= set(options)
    assert not {"async", "no_root_squash", "insecure", "crossmnt"} & set(options)


def test_what_is_only_read_is_exported_so(faults: Callable[[str], str]) -> None:
    role = nfs_role([HOMES, *SHARED], CLIENTS, HomesSettings())
    found = {
        path: re.findall(r"([0-9.]+)\((\w+),sync,root_squash,.*,mp,fsid=([0-9a-f-]+),", clients)
        for path, clients in re.findall(r"^(/\S+) \\\n((?: {4}.*\n)+)", text(role, EXPORTS), re.MULTILINE)
    }
    for export, access in ((HOMES, "rw"), (SHARED[0], "ro"), (SHARED[1], "rw")):
        fsid = texts.fsid(export.dataset)
        assert found.pop(export.mountpoint) == [(str(client), access, fsid) for client in CLIENTS]
    assert not found
    assert faults(render(role, "hen")) == ""


def test_current_exports_are_compared_with_all_that_are_wanted(tmp_path: Path) -> None:
    """As exportfs -s prints them, a line for each path and client, in any order."""
    role = nfs_role([HOMES, *SHARED], CLIENTS, HomesSettings())
    (item,) = (item for item in role.items if isinstance(item, Script) and item.name == "exports")
    lines = [
        f"{export.mountpoint}  {client}({','.join(reversed(export.options.split(',')))},wdelay)"
        for client in CLIENTS
        for export in (*SHARED, HOMES)
    ]
    writable = [line.replace(",ro,", ",rw,") for line in lines]
    for printed, status in ((lines, 0), (lines[1:], 1), (writable, 1), ([*lines, lines[0].replace("102", "1")], 1)):
        assert checked(item, "\n".join(printed), tmp_path) == status


def test_exports_ask_for_what_the_transport_needs() -> None:
    """Without TLS there is no such option: a kernel from before 6.5 knows none."""
    assert "xprtsec" not in HOMES.options
    assert replace(HOMES, transport="tls").options.endswith(",xprtsec=mtls")
    assert replace(HOMES, transport="tls-preferred").options.endswith(",xprtsec=none:mtls")


@pytest.mark.parametrize(("wanted", "status"), [("tls", 0), ("tls-preferred", 1), ("tcp", 1)])
def test_export_that_asks_for_another_transport_is_not_the_one_wanted(
    tmp_path: Path, wanted: Transport, status: int
) -> None:
    role = nfs_role([replace(HOMES, transport=wanted)], CLIENTS[:1], HomesSettings())
    (item,) = (item for item in role.items if isinstance(item, Script) and item.name == "exports")
    printed = f"/nest/homes  198.18.0.102({replace(HOMES, transport='tls').options},wdelay)"
    assert checked(item, printed, tmp_path) == status


def checked(item: Script, printed: str, directory: Path) -> int:
    """Return the status of an item's check where `exportfs` prints this."""
    program = directory / "exportfs"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
    program.chmod(0o755)
    environment = {"PATH": f"{directory}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-euc", item.check], env=environment, check=False).returncode


@pytest.mark.skipif(os.geteuid() != 0, reason="giving directories away takes root")
@pytest.mark.parametrize(
    ("before", "owners", "holds"),
    [
        (100_000, {"ada": (200_000, 200_000)}, True),
        (100_000, {"ada": (200_000, 200_000), "ben": (100_007, 100_007)}, False),
        (100_000, {"ada": (200_000, 100_007)}, False),
        (100_000, {"old": (99_999, 99_999), ".accounts": (150_000, 150_000)}, True),
        (200_000, {"ada": (100_000, 100_000)}, True),
        (None, {"ada": (100_000, 100_000)}, True),
    ],
    ids=repr,
)
def test_homes_are_not_refused_by_a_larger_first_number(
    tmp_path: Path, provisioner: Role, before: int | None, owners: dict[str, tuple[int, int]], holds: bool
) -> None:
    (item,) = (each for each in provisioner.items if isinstance(each, Script) and each.name.startswith("ids of homes"))
    homes, unit, path = tmp_path / "homes", tmp_path / "unit", f"/etc/systemd/system/{PROVISIONER}"
    for name, (uid, gid) in owners.items():
        (homes / name).mkdir(parents=True)
        os.chown(homes / name, uid, gid)
    if before is not None:
        unit.write_text(texts.provisioner_unit("/nest/homes", IPv4Address("198.18.0.200"), before))
    check, apply = (
        text.replace("/nest/homes", str(homes)).replace(path, str(unit)) for text in (item.check, item.apply)
    )
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", check], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is holds, done.stdout + done.stderr
    kinds = [each.path if isinstance(each, File) else each for each in provisioner.items]
    assert kinds.index(item) < kinds.index(path), "before the provisioner refuses anyone"
    if not holds:
        assert "belongs to" in done.stdout
        refused = subprocess.run(["bash", "-euo", "pipefail", "-c", apply], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert refused.stdout.startswith("storage.homes.first_uid, 200000, is more than the numbers of homes")
        name, (uid, gid) = list(owners.items())[-1]
        assert f"1 in all, such as {name} belongs to {uid}:{gid}. Put back 100000, or" in refused.stdout
        assert refused.stdout.endswith("write at most 100007; the provisioner runs as before.\n")


def test_server_waits_for_shares_and_serves_homes_without_them() -> None:
    role = nfs_role([HOMES, *SHARED], CLIENTS, HomesSettings())
    path = "/etc/systemd/system/nfs-server.service.d/shares.conf"
    said = text(role, path).splitlines()
    assert said[0] == "[Unit]"
    assert set(said[1:]) == {f"{word}={each.mount_unit}" for word in ("Wants", "After") for each in SHARED}
    (server,) = (item for item in role.items if isinstance(item, Unit) and item.name == "nfs-server.service")
    assert path not in server.restart_on, "everyone would wait for the grace period when a share is added"
    of_homes = nfs_role([HOMES], CLIENTS, HomesSettings())
    assert not [item for item in of_homes.items if isinstance(item, File) and item.path == path]


def test_identity_of_the_export_follows_from_the_dataset_alone() -> None:
    # A change of this value makes every file handle that a client holds stale.
    assert texts.fsid("nest/homes") == "8cf7bd91-037e-5827-82ba-e15c73b1c527"
    assert texts.fsid("nest/homes") != texts.fsid("nest/other")


def test_nothing_but_version_4_2(nfs: Role) -> None:
    lines = text(nfs, "/etc/nfs.conf.d/henhouse.conf").splitlines()
    assert {"vers3=n", "vers4.0=n", "vers4.1=n", "vers4.2=y", "udp=n", "threads=64"} <= set(lines)
    assert {"grace-time=15", "lease-time=15"} <= set(lines)


def test_what_only_version_3_needs_is_masked_before_its_package_comes(nfs: Role) -> None:
    items = list(nfs.items)
    masked = [item for item in items if isinstance(item, Unit) and item.masked]
    assert {unit.name for unit in masked} == set(NOT_FOR_V4)
    assert max(map(items.index, masked)) < items.index(Package("nfs-kernel-server"))


@pytest.mark.parametrize("service", ["nfs-server.service", PROVISIONER])
def test_services_live_and_die_with_the_mount(nfs: Role, provisioner: Role, service: str) -> None:
    role = nfs if service == "nfs-server.service" else provisioner
    drop_ins = [item.content or "" for item in role.items if isinstance(item, File) and f"{service}.d/" in item.path]
    (drop_in,) = drop_ins
    assert "BindsTo=nest-homes.mount\nAfter=nest-homes.mount\nAssertPathIsMountPoint=/nest/homes\n" in drop_in
    wants = [item.content or "" for item in role.items if isinstance(item, File) and "nest-homes.mount.d/" in item.path]
    assert wants == [f"[Unit]\nWants={service}\n"]


def test_provisioner_may_give_files_away_and_nothing_else(provisioner: Role) -> None:
    unit = text(provisioner, f"/etc/systemd/system/{PROVISIONER}").splitlines()
    assert "CapabilityBoundingSet=CAP_CHOWN" in unit
    assert "AmbientCapabilities=CAP_CHOWN" in unit
    assert f"User={texts.PROVISIONER_USER}" in unit
    assert "ReadWritePaths=/nest/homes" in unit
    assert any("--first-uid 200000" in line for line in unit)


def test_only_the_kubelet_lists_the_homes(provisioner: Role) -> None:
    assert Directory("/nest/homes", "0751", texts.PROVISIONER_USER, "nogroup") in provisioner.items


def test_keys_come_as_secrets_and_are_roots_alone(provisioner: Role) -> None:
    secret = [item for item in provisioner.items if isinstance(item, File) and item.secret]
    assert {item.secret for item in secret} == set(SECRETS)
    assert {(item.mode, item.owner) for item in secret} == {("0600", "root")}


def test_provisioner_restarts_with_new_keys_or_program(provisioner: Role) -> None:
    (service,) = [item for item in provisioner.items if isinstance(item, Unit)]
    mount_drop_in = "/etc/systemd/system/nest-homes.mount.d/homes.conf"
    paths = {item.path for item in provisioner.items if isinstance(item, File)}
    assert set(service.restart_on) == paths - {mount_drop_in, "/etc/sysusers.d/henhouse-homes.conf"}


def test_scripts_are_sound(nfs: Role, provisioner: Role, faults: Callable[[str], str]) -> None:
    assert faults(render(nfs, "hen")) == ""
    assert faults(render(provisioner, "hen", SECRETS)) == ""
