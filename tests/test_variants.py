"""Settings that a site may have, other than the committed ones: each goes through the whole program.

Every output is known, as after the first `up`: a mistake that only shows once an authority or an address is known would
otherwise end that `up` midway. A run of the program takes most of a second: settings that have nothing to do with each
other share a site.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import pytest

from tests.certificates import Authority
from tests.recorded import Recorded
from tests.stacks.logins import OIDC, PROVIDERS
from tests.stacks.sites import changed, tree
from tests.test_program import COMMAND, program, program_of

KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
CERTIFICATE, PRIVATE_KEY = Authority().issue("hub.henhouse.localhost")
PAIR: Final = [{"type": "mirror", "disks": ["virtio-hen-bay01", "virtio-hen-bay02"]}]
HOOK: Final = "https://hooks.example.org/T0P-S3CRET"
PROD: Final = {"lab": None, "hub": {"login": "native"}, "monitoring": {"alert_webhook": HOOK}}
MAIL: Final = {
    "type": "mail",
    "to": ["ops@example.org"],
    "sender": "hen@example.org",
    "smarthost": "mail.example.org:25",
}
INTERFACES: Final = {
    "bond0": {"bond": {"members": ["eno1", "eno2"]}, "addresses": ["198.18.0.2/19"], "mtu": 9000},
    "public": {"vlan": {"id": 7, "on": "bond0"}, "addresses": ["203.0.113.10/24"], "gateway": "203.0.113.1"},
}

VARIANTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "the virtual rack": {},
    "a supplied certificate, and several keys": {
        "edge": {"certificate": {"certificate": CERTIFICATE, "private_key": PRIVATE_KEY}},
        "hub": {"keys": ["third", "second", "first"]},
    },
    "accounts with passwords": PROD,
    "one worker for everything, its purpose omitted; a pool without a log; homes over TLS": {
        "hosts": {"chick1": None, "chick2": {"purpose": None}},
        "storage": {"pool": {"log": []}, "homes": {"transport": "tls"}},
        "time_zone": "America/Port-au-Prince",
    },
    "workers for any purpose, resolvers of the machines, a log on one disk": {
        "cluster": {"resolvers": None},
        "hosts": {"chick1": {"purpose": "any"}, "chick2": {"purpose": "any"}},
        "storage": {"pool": {"log": ["virtio-hen-log1"]}},
    },
    "a control plane that is a worker too, with certificates for a quarter; one pair of disks": {
        "cluster": {"certificate_lifetime": "90d"},
        "hosts": {"chick0": {"duties": ["control-plane", "worker"]}, "chick1": None, "chick2": None},
        "storage": {"pool": {"vdevs": PAIR, "log": [], "spares": []}},
    },
    "two workers for people, public addresses, a pool without spares": {
        "edge": {"public_addresses": ["198.18.0.2", "198.18.0.3"]},
        "hosts": {"chick3": {"address": "198.18.0.103", "duties": ["worker"], "purpose": "user", "host_key": KEY}},
        "storage": {"pool": {"spares": []}},
    },
    "packages and images from where they are published, a chosen address of the file server": {
        "mirrors": None,
        "storage": {"homes": {"service_address": "198.18.32.77"}},
    },
    "images from their upstream hosts, Calico by digest from another place": {
        "cluster": {"calico": {"manifest_sha256": "0" * 64}},
        "mirrors": {"registry": None},
    },
    "a jump of the site's, and a key in the settings instead of an agent": {
        "access": {
            "jump": {"machine": "rooster", "host": "192.0.2.1", "port": 2222},
            "private_key": "an OpenSSH private key",
        }
    },
    "a jump outside the site, sudo, and a port of the site's own": {
        "access": {"user": "ada", "jump": {"host": "192.0.2.1", "user": "guest", "host_key": KEY}},
        "network": {"openings": [{"machine": "hen", "port": 5432, "sources": ["198.18.0.0/24"], "what": "PostgreSQL"}]},
    },
    "alerts that are posted, no name server of the site's own": {
        "monitoring": {"alert_webhook": HOOK},
        "network": {"dns": None},
    },
    "alerts for everyone, a gateway on a bond with a public side": {
        "hosts": {"rooster": {"interfaces": INTERFACES}},
        "monitoring": {
            "receivers": {
                "mail": {**MAIL, "user": "hen", "password": "T0P-S3CRET"},
                "chat": {"type": "slack", "url": HOOK, "severities": ["critical"]},
                "phone": {"type": "webhook", "url": HOOK},
            },
            "watchdog": HOOK,
        },
    },
    "a private network, with its own name servers": {
        "network": {
            "nat": True,
            "administrators": ["192.0.2.0/24"],
            "nodes": ["198.18.0.96/28"],
            "dns": {"domain": "machines.example", "upstreams": ["192.0.2.53"]},
        }
    },
    "sizes, profiles and a menu of images": {
        "mirrors": {"registry": None},
        "hub": {
            "sizes": "doubling",
            "profile_list": [{"slug": "lab", "display_name": "Lab"}],
            "image_menu": {"repository": "quay.io/team/lab", "user": "grace", "password": "T0P-S3CRET"},
            "server_image": "ghcr.io/team/lab:1",
            "imagePullSecrets": {"ghcr.io": {"username": "grace", "password": "T0P-S3CRET"}},
            "prePuller": {"extraImages": {"course": {"name": "quay.io/team/course", "tag": "2026"}}},
        },
    },
    **{f"people of {name}": {**PROD, "hub": {"login": login}} for name, login in PROVIDERS.items()},
    "a provider with an authority of the site's": {
        **PROD,
        "hub": {"login": {**OIDC, "certificate_authority": CERTIFICATE, "networks": ["198.18.0.77/32"]}},
    },
    "what a site adds to its hub": {
        "hub": {
            "extraEnv": {"PROXY": "T0P-S3CRET"},
            "extraFiles": {"terms": {"mountPath": "/srv/terms.json", "data": {"version": 1}}},
            "extraVolumes": [{"name": "spool", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "spool", "mountPath": "/srv/spool"}],
            "pages_repository": {
                "url": "https://git.example.org/flock/pages",
                "commit": "1f" * 20,
                "password": "T0P-S3CRET",
                "certificate_authority": CERTIFICATE,
            },
            "services": {"announcer": {"apiToken": "T0P-S3CRET"}},
            "loadRoles": {"announcer": {"scopes": ["list:users"], "services": ["announcer"]}},
            "singleuser": {"extraEnv": {"COURSE": "T0P-S3CRET"}},
        }
    },
    "sessions in PostgreSQL, announcements, and limits of groups": {
        "hub": {
            "announcements": [{"text": "Closed on Friday", "level": "warning"}],
            "cull": {
                "maxAge": 86400,
                "groups": [{"groups": ["staff"], "timeout": 7200, "kernels": {"cull_idle_timeout": 7200}}],
            },
            "db": {
                "type": "postgres",
                "url": "postgresql://hub@db.example.org/hub",
                "password": "T0P-S3CRET",
                "networks": ["192.0.2.10/32"],
                "certificate_authority": CERTIFICATE,
            },
        }
    },
    "priorities, budgets, resources and room kept free": {
        "hosts": {"chick2": {"purpose": "any"}},
        "hub": {
            "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}},
            "proxy_resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
            "pdb": {"enabled": True},
            "proxy_pdb": {"enabled": True},
            "scheduling": {"podPriority": {"enabled": True}, "userPlaceholder": {"replicas": 2}},
        },
        "edge": {"pdb": {"enabled": True}, "resources": {"requests": {"memory": "64Mi"}}},
    },
    "directories that people share": {
        "storage": {
            "shares": {
                "datasets": {},
                "my-project": {
                    "access": "read-write",
                    "groups": ["astronomy"],
                    "mount_path": "/project",
                    "quota": "2Ti",
                },
            }
        }
    },
}


def beside(*names: str) -> list[Any]:
    """Return variants as parameters: where tests run side by side, one's are in one process, which runs it once."""
    return [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]


EACH: Final = beside(*VARIANTS)


@cache
def variant(name: str) -> Recorded:
    if VARIANTS[name]:
        return program_of("dev", changed(tree("dev"), VARIANTS[name]))
    return program("dev")


def scripts(recorded: Recorded) -> dict[str, str]:
    """Return the script of each role."""
    return {each.name: each.inputs["create"] for each in recorded.all(COMMAND)}


@pytest.mark.parametrize("name", EACH)
def test_every_role_is_a_sound_script(name: str, faults: Callable[[str], str]) -> None:
    found = scripts(variant(name))
    assert found
    assert {role: said for role, script in found.items() if (said := faults(script))} == {}


@pytest.mark.parametrize("name", EACH)
def test_every_output_is_there(name: str) -> None:
    outputs = variant(name).exports
    assert outputs["hub_url"] == "https://hub.henhouse.localhost"
    assert outputs["dns_records"]
    assert outputs["kubeconfig"]
    assert outputs.keys() == variant("the virtual rack").exports.keys()


def test_what_the_settings_may_drop_is_not_protected() -> None:
    """An older key goes when its name does, and the first password of an administrator who is none any more."""
    keys = {
        each.name: each.protect
        for each in variant("a supplied certificate, and several keys")
        if "crypt-key" in each.name
    }
    assert keys == {
        "secrets-crypt-key-third": True,
        "secrets-crypt-key-second": False,
        "secrets-crypt-key-first": False,
    }
    assert not variant("accounts with passwords").one("secrets-password-of-admin").protect


def test_password_of_the_database_is_in_the_hubs_secret_alone() -> None:
    found = [
        each
        for each in variant("sessions in PostgreSQL, announcements, and limits of groups")
        if "T0P-S3CRET" in json.dumps(each.inputs, default=str)
    ]
    assert [each.name for each in found] == ["hub-keys"]
    assert "stringData" in found[0].secret_keys


@pytest.mark.parametrize("name", beside(*(f"people of {name}" for name in PROVIDERS)))
def test_secret_of_a_provider_is_in_the_hubs_secret_alone(name: str) -> None:
    for each in variant(name):
        if "T0P-S3CRET" in json.dumps(each.inputs, default=str):
            assert each.name == "hub-keys"
            assert "stringData" in each.secret_keys
    assert variant(name).exports["hub_callback_url"] == "https://hub.henhouse.localhost/hub/oauth_callback"


def test_a_share_is_one_chain_from_the_dataset_to_the_server() -> None:
    recorded = variant("directories that people share")
    pool, nfs = (recorded.one(f"hen-{role}-command").inputs["create"] for role in ("pool", "nfs"))
    for share, access in (("datasets", "ro"), ("my-project", "rw")):
        assert f'"nest/{share}": {{' in pool
        volume = recorded.one(f"homes-share-{share}-volume").inputs["spec"]
        assert f"{volume['nfs']['path']} 198.18.0.102 {access} sync root_squash" in nfs
        assert ("ro" in volume["mountOptions"]) == (access == "ro")
        (told,) = (each for each in shares_told(recorded) if each["name"] == share)
        assert told["claim"] == recorded.one(f"homes-share-{share}-claim").inputs["metadata"]["name"]
        assert told["read_only"] == (access == "ro")
        if told["gid"] is not None:
            assert f"chown 0:{told['gid']} /nest/{share}\n" in scripts(recorded)[f"hen-share-{share}-command"]


def shares_told(recorded: Recorded) -> list[dict[str, Any]]:
    """Return what the hub is told of shared directories."""
    found: list[dict[str, Any]] = json.loads(recorded.one("hub-config").inputs["data"]["site.json"])["shares"]
    return found


def test_site_without_shares_is_as_it_was_before_there_were_any() -> None:
    """The same roles and objects; a site with shares has more, and none of the others is another one."""
    before, after = variant("the virtual rack"), variant("directories that people share")
    assert shares_told(before) == []
    names = {each.urn for each in before}
    new = {each.name for each in after if each.urn not in names}
    shares = ("homes-share-datasets", "homes-share-my-project")
    roles = {f"hen-share-{share}{kind}" for share in ("datasets", "my-project") for kind in ("", "-command")}
    assert new == roles | {f"{share}-{each}" for share in shares for each in KEPT}
    assert not names - {each.urn for each in after}
    assert all(after.one(f"{share}-{each}").protect for share in shares for each in KEPT)


KEPT: Final = ("volume", "claim")

HIDDEN: Final = {
    "people of github": "T0P-S3CRET",
    "alerts that are posted, no name server of the site's own": "T0P-S3CRET",
    "sizes, profiles and a menu of images": "T0P-S3CRET",
    "sessions in PostgreSQL, announcements, and limits of groups": "T0P-S3CRET",
    "alerts for everyone, a gateway on a bond with a public side": "T0P-S3CRET",
    "a supplied certificate, and several keys": PRIVATE_KEY.splitlines()[1],
    "a jump of the site's, and a key in the settings instead of an agent": "an OpenSSH private key",
}
"""A secret of each of these variants."""


@pytest.mark.parametrize("name", beside(*HIDDEN))
def test_no_secret_of_the_settings_is_in_a_script(name: str) -> None:
    assert not [role for role, script in scripts(variant(name)).items() if HIDDEN[name] in script]
