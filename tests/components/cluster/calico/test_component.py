"""Promises of the cluster's component."""

import base64
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml

from components.cluster.calico.kubeconfig import ca_hash
from stacks.settings import Jump, Site
from stacks.versions import SITE
from tests.components.cluster.calico.conftest import TOKEN, machine_id
from tests.recorded import Recorded, Registration

Cluster = Callable[..., Recorded]
COMMAND = "command:remote:Command"
MINOR = SITE["kubernetes"].rpartition(".")[0]


def _stdin(command: Registration) -> dict[str, str]:
    lines = (line.split() for line in command.inputs["stdin"].splitlines())
    return {name: base64.b64decode(value).decode() for name, value in lines}


def test_the_kubeconfig_is_secret_and_names_an_address(cluster: Cluster) -> None:
    recorded = cluster()
    assert "kubeconfig" in recorded.secret_exports
    (server,) = [each["cluster"]["server"] for each in yaml.safe_load(recorded.exports["kubeconfig"])["clusters"]]
    assert server == "https://198.18.0.100:6443"


def test_the_provider_stays_the_same_cluster_whatever_its_kubeconfig(cluster: Cluster) -> None:
    provider = cluster().one("flock-provider")
    assert provider.inputs["clusterIdentifier"] == "flock.henhouse.localhost"
    assert "kubeconfig" in provider.secret_keys


def test_a_worker_joins_with_its_own_token_and_the_authority_by_standard_input(
    cluster: Cluster, authority: str
) -> None:
    recorded = cluster()
    worker = recorded.one("chick1-worker-command")
    assert _stdin(worker) == {"token": TOKEN, "ca_hash": ca_hash(authority)}
    assert "stdin" in worker.secret_keys
    for command in recorded.all(COMMAND):
        assert TOKEN not in command.inputs["create"], command.name
        assert "create" not in command.secret_keys, f"{command.name}: a review would not show it"


def test_a_new_token_changes_no_script(cluster: Cluster) -> None:
    known = {each.name: each.inputs["create"] for each in cluster().all(COMMAND)}
    unknown = {each.name: each.inputs["create"] for each in cluster(preview=True).all(COMMAND)}
    assert known == unknown


def test_credentials_are_kept_as_secrets(cluster: Cluster) -> None:
    recorded = cluster()
    for name in ("chick0-administrator", "chick0-admission-of-chick1", "chick0-admission-of-chick2"):
        assert "stdout" in recorded.one(f"{name}-command").additional_secret_outputs, name
    assert "token" in recorded.secret_exports
    assert recorded.exports["token"] == "token of prometheus"


def test_the_ca_certificate_is_public(cluster: Cluster, authority: str) -> None:
    recorded = cluster()
    assert "ca" not in recorded.secret_exports
    assert recorded.exports["ca"] == authority


def test_nothing_waits_for_a_worker(cluster: Cluster) -> None:
    recorded = cluster()
    assert recorded.result["ready"] == recorded.one("chick0-pods").urn
    workers = {
        each.urn for each in recorded if each.name in ("chick1-worker", "chick2-worker", "chick1-worker-command")
    }
    for each in recorded:
        if not each.name.startswith(("chick1-worker", "chick2-worker")):
            assert not each.depends_on & workers, each.name


def test_pods_wait_for_the_pools_that_their_addresses_come_from(cluster: Cluster) -> None:
    recorded = cluster()
    assert {"flock-pods", "flock-load-balancers"} <= recorded.one("chick0-pods-command").depends_on_names


def test_calico_waits_for_the_gateways_speaker(cluster: Cluster) -> None:
    assert "before" in cluster().one("chick0-calico").depends_on_names


def test_address_pools_outlive_the_program(cluster: Cluster) -> None:
    recorded = cluster()
    assert recorded.one("flock-pods").retain_on_delete
    assert recorded.one("flock-load-balancers").retain_on_delete


def test_monitoring_may_read_metrics_and_nothing_else(cluster: Cluster) -> None:
    (role,) = cluster().all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    assert role.inputs["rules"] == [{"verbs": ["get"], "nonResourceURLs": ["/metrics", "/metrics/slis"]}]


def test_objects_fit_their_schema(cluster: Cluster) -> None:
    checked = 0
    for each in cluster():
        if each.type.startswith("kubernetes:") and "projectcalico" not in each.inputs["apiVersion"]:
            metadata: dict[str, Any] = {"name": "made-up", **each.inputs.get("metadata", {})}
            kubernetes_validate.validate({**each.inputs, "metadata": metadata}, MINOR, strict=True)
            checked += 1
    assert checked == 4


def test_the_kubeconfig_of_a_site_with_a_jump_names_the_tunnel(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump = Jump("rooster", "203.0.113.10", 22, "root", "ssh-ed25519 AAAA", 4545, "rooster")
    monkeypatch.setattr(Site, "jump", property(lambda self: jump))
    (behind,) = [each["cluster"] for each in yaml.safe_load(cluster().exports["kubeconfig"])["clusters"]]
    assert (behind["server"], behind["proxy-url"]) == ("https://198.18.0.100:6443", "socks5://127.0.0.1:4545")


def test_admission_knows_which_installation_a_worker_is(cluster: Cluster) -> None:
    recorded = cluster()
    for worker in ("chick1", "chick2"):
        admission = recorded.one(f"chick0-admission-of-{worker}-command")
        assert _stdin(admission) == {"machine_id": machine_id(worker)}
        assert machine_id(worker) not in admission.inputs["create"]
        # The worker joins with what the admission gave it, and waits for it.
        assert admission.name in recorded.one(f"{worker}-worker-command").depends_on_names


def test_a_dead_worker_delays_no_other_and_not_the_cluster(cluster: Cluster) -> None:
    """An admission waits for its worker's identity, and nothing but that worker waits for the admission."""
    recorded = cluster()
    for worker in ("chick1", "chick2"):
        admission = {f"chick0-admission-of-{worker}", f"chick0-admission-of-{worker}-command"}
        waiting = {each.name for each in recorded if each.depends_on_names & admission}
        assert waiting <= {*admission, f"{worker}-worker", f"{worker}-worker-command"}
