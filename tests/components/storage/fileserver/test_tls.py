"""Homes over TLS: who gets which certificate, and in which order it is asked for."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from components.storage.fileserver.roles import nfs_role
from components.storage.fileserver.texts import Export
from components.storage.fileserver.tls import CONFIG, CREDENTIALS, no_plain_connection, tls_role, tlshd_conf
from converge.items import File, Unit
from converge.render import render
from stacks.load import parse_settings
from stacks.settings import HomesSettings
from stacks.settings.storage import Transport
from tests.components.storage.fileserver.test_component import ADDRESS, ANSWERS, program
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

SERVER: Final = "198.18.0.200"
SHARES: Final[dict[str, dict[str, str]]] = {"datasets": {}}


@pytest.fixture
def site(record: Callable[..., Recorded]) -> Callable[..., Recorded]:
    def run(transport: str) -> Recorded:
        homes = {"storage": {"homes": {"transport": transport}, "shares": SHARES}}
        settings = parse_settings(changed(tree("dev"), homes))
        return record(lambda: program(settings), outputs=ANSWERS)

    return run


def test_only_server_and_workers_that_mount_get_certificates(site: Callable[..., Recorded]) -> None:
    recorded = site("tls")
    assert {each.name for each in recorded if each.name.endswith("-nfs-tls")} == {"hen-nfs-tls", "chick2-nfs-tls"}
    uses = {name: recorded.one(f"homes-tls-{name}").inputs["allowedUses"] for name in ("hen", "chick2")}
    assert uses == {"hen": ["digital_signature", "server_auth"], "chick2": ["digital_signature", "client_auth"]}


def test_servers_certificate_is_for_the_address_that_nodes_mount(site: Callable[..., Recorded]) -> None:
    recorded = site("tls")
    assert recorded.one("homes-tls-hen-request").inputs["ipAddresses"] == [SERVER, ADDRESS]
    assert recorded.one("homes-tls-chick2-request").inputs["ipAddresses"] == ["198.18.0.102"]
    assert recorded.one("homes-service").urn in recorded.one("homes-tls-hen-request").depends_on


def test_what_else_the_site_signs_mounts_nothing(site: Callable[..., Recorded]) -> None:
    recorded = site("tls")
    signers = {
        each.name: each.depends_on_names & {"homes-tls-ca", "secrets-ca"}
        for each in recorded
        if each.type == "tls:index/locallySignedCert:LocallySignedCert"
    }
    assert {name for name, signed_by in signers.items() if "homes-tls-ca" in signed_by} == {
        "homes-tls-hen",
        "homes-tls-chick2",
    }
    assert all(len(signed_by) == 1 for signed_by in signers.values())


def test_keys_go_by_standard_input(site: Callable[..., Recorded]) -> None:
    for machine in ("hen", "chick2"):
        command = site("tls").one(f"{machine}-nfs-tls-command")
        assert "stdin" in command.secret_keys
        assert "5ec2e7-key" not in command.inputs["create"]


@pytest.mark.parametrize("transport", ["tls", "tls-preferred"])
def test_nothing_asks_for_tls_before_the_server_can(site: Callable[..., Recorded], transport: str) -> None:
    recorded = site(transport)
    assert "hen-nfs-tls-command" in recorded.one("hen-nfs-command").depends_on_names
    for volume in ("homes-volume", "homes-share-datasets-volume"):
        assert "xprtsec=mtls" in recorded.one(volume).inputs["spec"]["mountOptions"]
        assert "hen-nfs-command" in recorded.one(volume).depends_on_names


def test_worker_that_is_off_holds_up_nothing(site: Callable[..., Recorded]) -> None:
    recorded = site("tls")
    waits_for = {"hen-nfs-command", "hen-homes-command", "homes-claim", "homes-endpoints"}
    assert recorded.one("who-waits-for-the-homes").depends_on_names >= waits_for
    assert recorded.one("chick2-nfs-tls-command")
    assert not [each.name for each in recorded if "chick2-nfs-tls-command" in each.depends_on_names]


@pytest.mark.parametrize(("transport", "accepted"), [("tls", "mtls"), ("tls-preferred", "none:mtls")])
def test_shares_and_homes_are_exported_alike(site: Callable[..., Recorded], transport: str, accepted: str) -> None:
    script = site(transport).one("hen-nfs-command").inputs["create"]
    assert script.count(f",xprtsec={accepted})") == 2


def test_site_without_it_has_nothing_of_it(site: Callable[..., Recorded]) -> None:
    recorded = site("tcp")
    assert not [each.name for each in recorded if "tls" in each.name]
    assert "xprtsec" not in str(recorded.one("homes-volume").inputs)


def test_transport_of_a_site_can_be_changed(site: Callable[..., Recorded]) -> None:
    """Kubernetes lets a volume's mount options be edited, and neither its source nor anything else of a claim."""
    objects = []
    for transport in ("tcp", "tls-preferred", "tls", "tcp"):
        recorded = site(transport)
        volume = dict(recorded.one("homes-volume").inputs["spec"])
        del volume["mountOptions"]
        objects.append((volume, recorded.one("homes-claim").inputs, recorded.one("homes-service").inputs))
    assert all(each == objects[0] for each in objects)
    assert not [each.name for each in site("tls") if "tls" in each.name and each.protect]


def test_machine_only_answers_or_only_asks() -> None:
    assert "[authenticate.client]" in tlshd_conf("client")
    assert "[authenticate.server]" not in tlshd_conf("client")
    assert "[authenticate.client]" not in tlshd_conf("server")


def test_keys_are_roots_alone_and_the_service_reads_its_configuration_again(faults: Callable[[str], str]) -> None:
    role = tls_role("server")
    modes = {item.secret: item.mode for item in role.items if isinstance(item, File) and item.secret}
    assert modes == dict.fromkeys(("ca", "certificate", "key"), "0600")
    (service,) = (item for item in role.items if isinstance(item, Unit) and item.name == "tlshd.service")
    assert CONFIG in service.restart_on
    text = next(item.content for item in role.items if isinstance(item, File) and item.path == CONFIG)
    assert text is not None
    assert text.count(f"={CREDENTIALS}/") == 3
    secrets = [item.secret for item in role.items if isinstance(item, File) and item.secret]
    assert secrets[0] == "ca", "without its file, tlshd believes the authorities of the system"
    assert faults(render(role, "hen", ("certificate", "key", "ca"))) == ""


def connection(worker: str, *more: str) -> str:
    """Return a line of ss(8), in one line with what else it knows of the connection."""
    return " ".join(("0 0 198.18.0.200:2049", f"{worker}:914", "cubic wscale:7,7 rto:204", *more))


PLAIN: Final = connection("198.18.0.102")
ENCRYPTED: Final = connection("198.18.0.103", "tcp-ulp-tls version: 1.3 cipher: aes-gcm-256")
ONLY_TLS: Final = "/nest/homes  198.18.0.102(sync,wdelay,sec=sys,rw,secure,root_squash,xprtsec=mtls)"
BOTH: Final = ONLY_TLS.replace("=mtls", "=none:mtls")
WITHOUT: Final = ONLY_TLS.replace(",xprtsec=mtls", "")


@pytest.mark.parametrize(
    ("exports", "connections", "holds"),
    [
        ([], [], True),
        ([WITHOUT], [], True),
        ([WITHOUT], [PLAIN], False),
        ([BOTH], [ENCRYPTED], True),
        ([BOTH], [ENCRYPTED, PLAIN], False),
        ([ONLY_TLS, WITHOUT], [PLAIN], False),
        ([ONLY_TLS], [PLAIN], True),
        ([ONLY_TLS, ONLY_TLS], [ENCRYPTED, PLAIN], True),
    ],
)
def test_tls_is_not_asked_of_a_worker_that_has_homes_without_it(
    tmp_path: Path, exports: list[str], connections: list[str], holds: bool
) -> None:
    for name, lines in (("exportfs", exports), ("ss", connections)):
        program = tmp_path / name
        program.write_text("#!/bin/sh\ncat <<'END'\n" + "".join(f"{line}\n" for line in lines) + "END\n")
        program.chmod(0o755)
    item = no_plain_connection()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def bash(script: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (bash(item.check).returncode == 0) == holds
    if not holds:
        refused = bash(item.apply)
        assert refused.returncode == 1
        assert "without TLS from 198.18.0.102, and" in refused.stderr
        assert "tls-preferred" in refused.stderr


def test_connection_that_ended_since_it_was_seen_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "ss").write_text("#!/bin/sh\n")
    (tmp_path / "ss").chmod(0o755)
    command = ["bash", "-euo", "pipefail", "-c", no_plain_connection().apply]
    assert subprocess.run(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False).returncode == 0


def test_exports_are_left_as_they_are_until_then() -> None:
    def names(transport: Transport) -> list[str]:
        export = Export("nest/homes", "/nest/homes", "nest-homes.mount", transport=transport)
        role = nfs_role([export], [], HomesSettings(transport=transport))
        return [str(getattr(item, "name", getattr(item, "path", ""))) for item in role.items]

    found = names("tls")
    assert found.index("homes that are mounted without TLS") < found.index("/etc/exports.d/henhouse.exports")
    assert "homes that are mounted without TLS" not in names("tls-preferred") + names("tcp")
