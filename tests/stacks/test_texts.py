"""What is handed on to programs of the machines as it is written is one word, and a name is a name."""

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from tests.stacks.logins import CILOGON, GITHUB, GOOGLE, OIDC
from tests.stacks.sites import changed, tree

DEBIAN = {"url": "https://deb.example.org/debian", "suite": "trixie", "components": ["main"]}


def source(**other: Any) -> dict[str, Any]:
    return {"mirrors": {"apt": {"debian": {**DEBIAN, **other}}}}


def pool(**other: Any) -> dict[str, Any]:
    return {"storage": {"pool": other}}


def login(example: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    return {"hub": {"login": {**example, **other}}}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"network": {"time_servers": ["a b iburst\ncmdallow all"]}}, "network.time_servers.0"),
        *(
            ({"mirrors": {"registry_hosts": [host]}}, "mirrors.registry_hosts.0")
            for host in ("../../../x", "https://ghcr.io", "", "ghcr.io/team")
        ),
        *((source(suite=suite), "mirrors.apt.debian.suite") for suite in ("", "trixie\nTrusted: yes", "a b")),
        (source(suite="/"), "mirrors.apt.debian: must have components"),
        (source(components=[]), "mirrors.apt.debian: must have components"),
        *((source(components=[each]), "mirrors.apt.debian.components.0") for each in ("main contrib", "")),
        *(
            (source(signed_by=each), "mirrors.apt.debian.signed_by")
            for each in ("usr/share/x.gpg", "/usr/x.gpg\nTrusted: yes", "/usr/share/keyring")
        ),
        *((pool(module_package=each), "storage.pool.module_package") for each in ("", "--reinstall x")),
        *((pool(name=each), "storage.pool.name") for each in ("usr", "etc", "root", "tmp", "c0", "c0t0d0")),
        ({"storage": {"homes": {"dataset": "h" * 300}}}, "storage.homes.dataset"),
        ({"cluster": {"ignore_preflight_errors": [""]}}, "cluster.ignore_preflight_errors.0"),
        ({"cluster": {"ignore_preflight_errors": ["all", "Swap"]}}, "cluster.ignore_preflight_errors"),
        (
            {"cluster": {"calico": {"version": "3.30.0", "manifest_sha256": None}}},
            "cluster.calico: manifest_sha256 is missing",
        ),
        ({"hosts": {"hen": {"host_key": "ssh-ed25519 " + "B" * 68}}}, "hosts.hen.host_key"),
        ({"access": {"private_key": ""}}, "access.private_key"),
        ({"hub": {"services": {"x": {"command": ["a", "b\0"]}}}}, "hub.services.x.command.1"),
        (
            {
                "hub": {
                    "extraVolumes": [{"name": "a", "emptyDir": {}}],
                    "extraVolumeMounts": [{"name": "a", "mountPath": "/srv/a\nb"}],
                }
            },
            "hub.extraVolumeMounts.0.mountPath",
        ),
        *(({"hub": {"pages": each}}, "hub.pages") for each in ("a" * 5000, "a\0b")),
        ({"hub": {"db": {"type": "postgres", "url": "postgresql://hub@[192.0.2.10/hub"}}}, "must be an address, as in"),
        *((login(GITHUB, client_id=each), "hub.login.client_id") for each in (" ", "a b", "")),
        *((login(GITHUB, client_secret=each), "hub.login.client_secret") for each in ("abc\n", "", " abc")),
        (login(OIDC, username_claim=" "), "hub.login.username_claim"),
        (login(OIDC, groups_claim=" "), "hub.login.groups_claim"),
        (
            login(CILOGON, idps={each: {"allow_all": True, "default": True} for each in ("urn:a", "urn:b")}),
            "hub.login: idps has several that are the default",
        ),
        *(
            (login(GITHUB, url=each), "hub.login.url")
            for each in ("https:1", "https://g\u0456thub.com", "https://github.com/#x", "https://a b", "https://x\n")
        ),
    ],
    ids=str,
)
def test_what_a_program_would_read_otherwise_is_refused(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert path in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"time_servers": []}},
        {"network": {"time_servers": ["2001:db8::1", "time.example.org."]}},
        *(pool(name=each) for each in ("srv", "home", "tank.1")),
        {
            "cluster": {
                "ignore_preflight_errors": [
                    "FileContent--proc-sys-net-ipv4-ip_forward",
                    "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml",
                ]
            }
        },
        source(suite="stable/updates"),
        source(suite="./", components=[]),
        source(suite="$(ARCH)/", components=[]),
        source(signed_by="/etc/apt/keyrings/ops@example.org.asc"),
        login(GITHUB, url="HTTPS://github.example.org:8443/"),
        login(GOOGLE, scope=["openid", "https://www.googleapis.com/auth/userinfo.email"]),
    ],
    ids=str,
)
def test_what_sites_have_is_taken(changes: dict[str, Any]) -> None:
    parse_settings(changed(tree("dev"), changes))
