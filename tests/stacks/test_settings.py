"""Settings: the committed stacks are accepted; each kind of mistake is refused with a message that says what to do."""

from typing import Any

import jsonschema
import pytest
import yaml

from stacks import schema
from stacks.problems import SettingsError
from stacks.settings import parse_settings
from tests.stacks.sites import ROOT, changed, tree

STACKS = ("dev", "prod")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
MIRROR = {"type": "mirror", "disks": ["disk-a", "disk-b"]}

REJECTED: list[tuple[str, dict[str, Any], str]] = [
    ("a required setting missing", {"domain": None}, "domain: is required and not given"),
    ("a misspelt setting", {"hub": {"hots": "x"}}, "hub.hots: is not a setting"),
    ("the settings that exist there", {"hub": {"hots": "x"}}, "cull_idle_seconds, host, image, keys, login"),
    ("not an address", {"hosts": {"chick1": {"address": "198.18.0.999"}}}, "hosts.chick1.address: '198.18.0.999'"),
    ("an RSA host key", {"hosts": {"hen": {"host_key": "ssh-rsa AAAA"}}}, "hosts.hen.host_key: 'ssh-rsa AAAA'"),
    (
        "a disk by its kernel name",
        {"storage": {"pool": {"log": ["/dev/sda"]}}},
        "storage.pool.log.0: '/dev/sda'",
    ),
    ("a wrong size", {"hub": {"size": {"mem_limit": "2GB"}}}, "hub.size.mem_limit: '2GB'"),
    (
        "two hosts, one address",
        {"hosts": {"chick2": {"address": "198.18.0.101"}}},
        "hosts.chick2.address: 198.18.0.101 is also chick1's",
    ),
    (
        "an address outside the machines' network",
        {"hosts": {"chick2": {"address": "198.18.99.1"}}},
        "hosts.chick2.address: 198.18.99.1 is no machine's address in network.machines",
    ),
    (
        "overlapping networks",
        {"network": {"pods": "198.18.48.0/20"}},
        "network.load_balancers: 198.18.48.0/24 overlaps network.pods, 198.18.48.0/20",
    ),
    (
        "duties that exclude each other",
        {"hosts": {"hen": {"duties": ["storage", "worker"]}}},
        "hosts.hen.duties: storage, worker: storage shares a machine with no other duty",
    ),
    (
        "two control planes",
        {"hosts": {"chick1": {"duties": ["control-plane", "worker"]}}},
        "hosts: the duty control-plane is given to chick0, chick1",
    ),
    ("no gateway", {"hosts": {"rooster": None}}, "hosts: the duty gateway is given to no machine"),
    ("nobody for people's pods", {"hosts": {"chick2": {"purpose": "core"}}}, "hosts: no worker takes people's pods"),
    (
        "a purpose without work",
        {"hosts": {"hen": {"purpose": "user"}}},
        "hosts.hen.purpose: user: only a worker has a purpose",
    ),
    (
        "the pool on no machine",
        {"storage": {"pool": {"host": "cock"}}},
        "storage.pool.host: cock is not one of the hosts",
    ),
    (
        "the pool on a worker",
        {"storage": {"pool": {"host": "chick1"}}},
        "storage.pool.host: chick1's duties are worker",
    ),
    (
        "a disk named twice",
        {"storage": {"pool": {"spares": ["virtio-hen-bay01"]}}},
        "storage.pool.spares: virtio-hen-bay01 is also in storage.pool.vdevs.0.disks",
    ),
    (
        "an uneven pool",
        {
            "storage": {
                "pool": {
                    "vdevs": [{"type": "raidz2", "disks": list("abcdef")}, {"type": "mirror", "disks": ["g", "h"]}]
                }
            }
        },
        "storage.pool.vdevs.0.disks.0: 'a'",
    ),
    (
        "too few disks for the parity",
        {"storage": {"pool": {"vdevs": [{"type": "raidz2", "disks": ["disk-a", "disk-b", "disk-c"]}]}}},
        "storage.pool.vdevs.0.disks: 3 disks are too few for raidz2",
    ),
    (
        "a reserved pool name",
        {"storage": {"pool": {"name": "mirror1"}}},
        "storage.pool.name: mirror1 is a word of ZFS's own",
    ),
    (
        "a load-balancer address outside its network",
        {"edge": {"load_balancer_address": "198.18.0.3"}},
        "edge.load_balancer_address: 198.18.0.3 is not in network.load_balancers",
    ),
    (
        "the YAML to write",
        {"edge": {"load_balancer_address": "198.18.0.3"}},
        "henhouse:edge: {load_balancer_address: 198.18.48.10}",
    ),
    (
        "the cluster's DNS address taken",
        {"storage": {"homes": {"service_address": "198.18.32.10"}}},
        "storage.homes.service_address: 198.18.32.10 belongs to Kubernetes itself",
    ),
    (
        "the hub outside its domain",
        {"hub": {"host": "hub.example.com"}},
        "hub.host: hub.example.com is not in the domain",
    ),
    ("the lab's login outside a lab", {"lab": "false"}, "hub.login: dummy lets anyone in with one password"),
    ("a key named twice", {"hub": {"keys": ["a", "b", "a"]}}, "hub.keys.2: a is named twice"),
    (
        "a guarantee above the limit",
        {"hub": {"size": {"mem_guarantee": "2Gi"}}},
        "hub.size.mem_guarantee: 2Gi is more than mem_limit, 1Gi",
    ),
    (
        "one host key on two machines",
        {"hosts": {"chick1": {"host_key": KEY}, "chick2": {"host_key": KEY}}},
        "hosts.chick2.host_key: is also chick1's",
    ),
]


@pytest.mark.parametrize("stack", STACKS)
def test_committed_stack_is_accepted(stack: str) -> None:
    site = parse_settings(tree(stack))
    assert site.lab == (stack == "dev")


@pytest.mark.parametrize(("changes", "message"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert message in str(refused.value)


def test_all_mistakes_are_said_at_once() -> None:
    changes = {"edge": {"load_balancer_address": "198.18.0.3"}, "hub": {"keys": ["a", "a"]}, "lab": "false"}
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert {problem.path for problem in refused.value.problems} == {
        "edge.load_balancer_address",
        "hub.keys.1",
        "hub.login",
    }


def test_secret_is_not_repeated_in_a_message() -> None:
    certificate = {"certificate": "PEM", "private_key": ["hunter2"]}
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), {"edge": {"certificate": certificate}}))
    assert "edge.certificate.private_key" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_prod_is_the_flock() -> None:
    site = parse_settings(tree("prod"))
    pool = site.storage.pool
    assert sorted(site.hosts) == sorted(["rooster", "hen", *(f"chick{number}" for number in range(19))])
    assert [(vdev.type, len(vdev.disks)) for vdev in pool.vdevs] == [("raidz2", 6)] * 4
    assert (len(pool.log), len(pool.spares)) == (2, 2)


@pytest.mark.parametrize("stack", STACKS)
def test_committed_stack_fits_the_schema_for_editors(stack: str) -> None:
    jsonschema.validate(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()), schema.schema())


def test_settings_reference_is_fresh() -> None:
    assert schema.MARKDOWN.read_text() == schema.markdown(), "run `make docs`"
    assert schema.SCHEMA.read_text() == schema.schema_text(), "run `make docs`"
