"""The whole program, for each committed stack, against mocks: promises that hold for every resource."""

import json
import runpy
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import kubernetes_validate
import pulumi
import pytest

from converge.render import APPLIED_BEFORE
from stacks.load import load_settings
from stacks.versions import SITE
from tests.certificates import Authority
from tests.recorded import Recorded, Registration, record
from tests.stacks.sites import ROOT, tree

EACH: Final = [pytest.param(stack, marks=pytest.mark.xdist_group(stack)) for stack in ("dev", "prod")]
"""Where tests run side by side, one stack's are in one process, which runs its program once."""
URNS: Final = Path(__file__).parent / "urns"
SERVICE_ADDRESS: Final = "192.0.2.77"
COMMAND: Final = "command:remote:Command"
KUBERNETES_MINOR: Final = ".".join(SITE["kubernetes"].split(".")[:2])

PEM: Final = Authority().pem
KUBECONFIG: Final = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [
        {
            "name": "flock",
            "cluster": {
                "server": "https://api.flock.internal:6443",
                "certificate-authority-data": b64encode(PEM.encode()).decode(),
            },
        }
    ],
}


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


FACTS: Final = {"machine_id": "0" * 32, "os": "Debian", "kernel": "6.12", "guid": "1", "token": "5ec2e7", "run": "1"}
NAMED: Final = {"metadata": {"name": "given-by-the-provider"}}
ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "kubernetes:core/v1:Service": {"spec": {"clusterIP": SERVICE_ADDRESS}},
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": NAMED,
    "kubernetes:rbac.authorization.k8s.io/v1:Role": NAMED,
    "kubernetes:core/v1:ServiceAccount": NAMED,
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": NAMED,
    "kubernetes:core/v1:Secret": {"data": {"token": b64encode(b"a token of the cluster's").decode()}},
    "random:index/randomPassword:RandomPassword": {"result": "5ec2e7-password"},
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "5ec2e7-key"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": PEM},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "request"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": PEM},
    COMMAND: {"stdout": json.dumps(FACTS | {"kubeconfig": _base64(json.dumps(KUBECONFIG)), "ca": _base64(PEM)})},
}
"""What machines, cluster and providers answer on a new site."""


@cache
def program(stack: str) -> Recorded:
    """Everything that `__main__.py` registers for a stack, machines and cluster answering as a new site's would."""
    return program_of(stack, tree(stack))


def program_of(
    stack: str, settings: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]] | None = None
) -> Recorded:
    """Return everything that `__main__.py` registers for a stack with a test's settings.

    `answers` come before those of a new site, by name.
    """
    config = config_of(settings)
    # The mock engine has no version to ask for.
    # And the committed example, which is never brought up, is here. There is no state to look into.
    with (
        patch.object(pulumi, "require_pulumi_version"),
        patch("stacks.load.refuse_published"),
        patch("components.storage.fileserver.kept.refuse_to_drop_shares"),
    ):
        return record(
            lambda: runpy.run_path(str(ROOT / "__main__.py")) and None,
            stack=stack,
            config=config,
            outputs={**ANSWERS, **(answers or {})},
        )


def config_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as the engine hands them to the program."""
    return {
        f"henhouse:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()
    }


def kubernetes_objects(recorded: Recorded) -> Iterator[Registration]:
    """All Kubernetes objects, without the provider itself."""
    return (each for each in recorded if each.type.startswith("kubernetes:"))


def urn(stack: str, recorded: Recorded, each: Registration) -> str:
    """Return the URN that the engine gives it. The types of all ancestors are part of it; mocks do not add them."""
    by_urn = {other.urn: other for other in recorded}
    types, above = [each.type], by_urn.get(each.parent)
    while above:
        types, above = [above.type, *types], by_urn.get(above.parent)
    return f"urn:pulumi:{stack}::henhouse::{'$'.join(types)}::{each.name}"


def test_example_is_not_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its passphrase is published. The lab's own host of the language refuses it, too, before the program is asked."""
    monkeypatch.chdir(ROOT)
    with pytest.raises(pulumi.RunError, match="the passphrase henhouse-example, which is published with the project"):
        record(lambda: load_settings() and None, stack="prod", config=config_of(tree("prod")))


@pytest.mark.parametrize("stack", EACH)
def test_stateful_resources_keep_their_urns(stack: str) -> None:
    recorded = program(stack)
    golden = set((URNS / f"{stack}.txt").read_text().split())
    protected = {urn(stack, recorded, each) for each in recorded if each.custom and each.protect}
    aliases = {alias.urn for each in recorded for alias in each.request.aliases if alias.urn}
    lost = golden - protected - aliases
    assert not lost, f"these would be deleted, data and all; give their successors aliases: {sorted(lost)}"
    new = protected - golden
    assert not new, f"add to tests/urns/{stack}.txt, so that no later change loses them: {sorted(new)}"


@pytest.mark.parametrize("stack", EACH)
def test_what_is_protected_is_also_retained(stack: str) -> None:
    lost = [each.name for each in program(stack) if each.custom and each.protect and not _harmless(each)]
    assert not [name for name in lost if not program(stack).one(name).retain_on_delete]


def _harmless(each: Registration) -> bool:
    """Resources that exist in the state alone, with nothing behind them to retain."""
    return each.type.startswith(("random:", "tls:"))


@pytest.mark.parametrize("stack", EACH)
def test_every_command_pins_its_machines_key(stack: str) -> None:
    commands = program(stack).all(COMMAND)
    keys = {host["address"]: host["host_key"] for host in tree(stack)["hosts"].values()}
    assert {command.inputs["connection"]["host"] for command in commands} == set(keys)
    for command in commands:
        connection = command.inputs["connection"]
        assert connection["hostKey"] == keys[connection["host"]], command.name
        assert command.inputs["addPreviousOutputInEnv"] is False, command.name
        update = command.inputs.get("update", command.inputs["create"])
        assert update.removeprefix(APPLIED_BEFORE) == command.inputs["create"], command.name


@pytest.mark.parametrize("stack", EACH)
def test_the_stack_remembers_that_the_cluster_was_made(stack: str) -> None:
    """A control plane that was reinstalled would make a second, empty cluster under the same identity."""
    remembering = {each.name for each in program(stack).all(COMMAND) if "update" in each.inputs}
    assert remembering == {"chick0-control-plane-command"}


@pytest.mark.parametrize("stack", EACH)
def test_no_command_destroys_data(stack: str) -> None:
    for command in program(stack).all(COMMAND):
        for verb in ("zpool destroy", "zfs destroy", "zpool labelclear", "wipefs -a", "zpool create -f", "rm -rf /"):
            assert verb not in command.inputs["create"], f"{command.name}: {verb}"


@pytest.mark.parametrize("stack", EACH)
def test_children_have_parents_and_no_stack_in_their_names(stack: str) -> None:
    for each in program(stack):
        if each.custom:
            assert each.parent_name, f"{each.name} has no component above it"
        assert stack not in each.name.split("-"), each.name


@pytest.mark.parametrize("stack", EACH)
def test_kubernetes_objects_fit_their_schema(stack: str) -> None:
    for each in kubernetes_objects(program(stack)):
        manifest = each.inputs
        if manifest["apiVersion"].startswith(("crd.projectcalico.org/", "projectcalico.org/")):
            continue
        named = {**manifest, "metadata": {"name": "given-by-the-provider", **manifest.get("metadata", {})}}
        kubernetes_validate.validate(named, KUBERNETES_MINOR, strict=True)


@pytest.mark.parametrize("stack", EACH)
def test_volume_follows_the_service(stack: str) -> None:
    recorded = program(stack)
    (volume,) = [each for each in recorded.all("kubernetes:core/v1:PersistentVolume") if "nfs" in each.inputs["spec"]]
    assert volume.inputs["spec"]["nfs"]["server"] == SERVICE_ADDRESS
    services = {each.urn for each in recorded.all("kubernetes:core/v1:Service")}
    assert volume.depends_on & services


@pytest.mark.parametrize("stack", EACH)
def test_every_port_of_every_machine_has_one_owner(stack: str) -> None:
    openings = program(stack).exports["openings"]
    ports = [(each["machine"], each["protocol"], each["port"]) for each in openings]
    assert len(ports) == len(set(ports))
    assert {machine for machine, _, _ in ports} == set(tree(stack)["hosts"])
    assert all(each["sources"] for each in openings)


@pytest.mark.parametrize("stack", EACH)
def test_no_machine_asks_the_gateway_for_names_before_it_answers(stack: str) -> None:
    """It answers once its packet filter, which may be an older one, lets the question in."""
    for machine in tree(stack)["hosts"]:
        resolver = program(stack).one(f"{machine}-resolver-command")
        assert resolver.depends_on_names >= {"rooster-names-command", "rooster-firewall-kept-command"}


def test_machines_behind_nat_wait_for_their_way_out() -> None:
    """Their first role fetches packages. With a gateway that only routes, machines do not wait."""
    for stack, waits in (("prod", True), ("dev", False)):
        for machine in tree(stack)["hosts"].keys() - {"rooster"}:
            first = program(stack).one(f"{machine}-sources-command")
            assert ("rooster-router-command" in first.depends_on_names) == waits


def test_gateway_closes_no_way_before_the_program_was_seen_to_come_by_another() -> None:
    assert "chick0-firewall-members-command" in program("prod").one("rooster-firewall-command").depends_on_names


@pytest.mark.parametrize("stack", EACH)
def test_secrets_are_secret_outputs_only(stack: str) -> None:
    recorded = program(stack)
    assert recorded.secret_exports >= {"kubeconfig", "login"}
    assert not recorded.secret_exports & {
        "dns_records",
        "dns_zone",
        "hub_url",
        "hub_callback_url",
        "bgp",
        "ssh_config",
        "known_hosts",
    }
    for each in kubernetes_objects(recorded):
        if each.inputs["kind"] == "ConfigMap":
            assert not each.secret_keys, f"{each.name} has a secret in a ConfigMap"


@pytest.mark.parametrize("stack", EACH)
def test_the_provider_knows_its_cluster(stack: str) -> None:
    (provider,) = program(stack).all("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"]
    assert "kubeconfig" in provider.secret_keys


def test_prod_shows_every_machine_and_disk() -> None:
    recorded = program("prod")
    nodes = {each.name for each in recorded.all("henhouse:host:BareMetalNode")}
    assert nodes == set(tree("prod")["hosts"])
    assert len(nodes) == 21
    (pool,) = recorded.all("henhouse:storage:ZfsPool")
    shown: list[Any] = pool.outputs["disks"]
    assert len(set(shown)) == 28
