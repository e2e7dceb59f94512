"""The Job that starts the next proxy before the one that people use is stopped."""

from typing import Any

import pytest

from components.apps.hub.addresses import PROXY_REHEARSAL_LABELS
from tests.components.apps.hub.test_component import POLICY, pod, program
from tests.components.apps.hub.test_rehearsal import JOB, is_a_job_that_the_cluster_takes
from tests.programs.hub.asking import site
from tests.recorded import Recorded


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(site(proxy_image="quay.io/example/proxy:9.9.9", scheduling={"podPriority": {"enabled": True}}))


def spec(recorded: Recorded) -> dict[str, Any]:
    found: dict[str, Any] = recorded.one("hub-proxy-rehearsal", JOB).inputs["spec"]
    return found


def test_it_fits_its_schema_and_the_pod_security_standard(hub: Recorded) -> None:
    is_a_job_that_the_cluster_takes(hub, "hub-proxy-rehearsal")


def test_it_is_the_proxys_pod(hub: Recorded) -> None:
    of_proxy, of_job = pod(hub, "hub-proxy"), spec(hub)["template"]["spec"]
    same = ("affinity", "securityContext", "enableServiceLinks", "automountServiceAccountToken")
    assert {each: of_job[each] for each in same} == {each: of_proxy[each] for each in same}
    (tried,), (runs, _) = of_job["containers"], of_proxy["containers"]
    for each in ("image", "env", "securityContext"):
        assert tried[each] == runs[each]
    assert tried["command"][-len(runs["command"]) :] == runs["command"]
    assert tried["command"][:2] == ["node", "-e"]
    assert tried["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_proxy_and_hub_that_run_are_changed_after_it(hub: Recorded) -> None:
    for name in ("hub-hub-policy", "hub-proxy-policy", "hub-servers-policy"):
        assert "hub-proxy-rehearsal" in hub.one(name).depends_on_names
        assert name in hub.one("hub-proxy").depends_on_names


def test_it_runs_again_for_a_change_of_the_proxy_alone(hub: Recorded) -> None:
    job = hub.one("hub-proxy-rehearsal")
    assert not {"hub-config", "hub-keys", "hub-pages"} & job.depends_on_names
    assert spec(program(site(cull_idle_seconds=1234, proxy_image="quay.io/example/proxy:9.9.9"))) == spec(hub)
    assert job.inputs["metadata"]["annotations"] == {"pulumi.com/replaceUnready": "true"}
    assert "name" not in job.inputs["metadata"]
    assert spec(hub)["backoffLimit"] == 0


def test_it_takes_no_room_and_no_connection_from_people(hub: Recorded) -> None:
    of_job = spec(hub)["template"]
    assert "priorityClassName" not in of_job["spec"]
    assert "resources" not in of_job["spec"]["containers"][0]
    assert of_job["metadata"]["labels"] == PROXY_REHEARSAL_LABELS
    for service in hub.all("kubernetes:core/v1:Service"):
        assert not service.inputs["spec"]["selector"].items() <= PROXY_REHEARSAL_LABELS.items()
    (policy,) = [each for each in hub.all(POLICY) if each.name == "hub-proxy-rehearsal-policy"]
    assert policy.inputs["spec"] == {
        "podSelector": {"matchLabels": PROXY_REHEARSAL_LABELS},
        "policyTypes": ["Ingress", "Egress"],
    }
