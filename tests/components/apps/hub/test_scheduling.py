"""Promises of priorities, budgets, resources and placeholders; nothing of them is there where nothing is said."""

from typing import Any, Final

import kubernetes_validate
import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings.scheduling import ResourcesSettings
from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.programs.hub.asking import site
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

CLASS: Final = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(
        site(
            pdb={"enabled": True},
            proxy_pdb={"enabled": True},
            resources={"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}},
            scheduling={"podPriority": {"enabled": True}, "userPlaceholder": {"replicas": 3}},
            size={"cpu_guarantee": 0.25, "mem_guarantee": "256Mi"},
        )
    )


def test_every_object_fits_its_schema(hub: Recorded) -> None:
    for each in objects(hub):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs.get("metadata", {})}}
        kubernetes_validate.validate(named, MINOR, strict=True)


def test_site_that_says_nothing_has_what_it_had() -> None:
    plain = program(site())
    assert not plain.all(CLASS)
    assert not plain.all(BUDGET)
    asked = {"hub-server": {"cpu": "100m", "memory": "256Mi"}, "hub-proxy": {"cpu": "50m", "memory": "128Mi"}}
    for name, requests in asked.items():
        spec = pod(plain, name)
        assert "priorityClassName" not in spec
        assert spec["containers"][0]["resources"] == {"requests": requests}


def test_hub_and_proxy_come_before_people_and_people_before_placeholders(hub: Recorded) -> None:
    values = {f"{each.name}-1a2b3c4d": each.inputs["value"] for each in hub.all(CLASS)}
    for name in ("hub-server", "hub-proxy"):
        assert values[pod(hub, name)["priorityClassName"]] > 0, "user servers have the default"
    assert values[pod(hub, "hub-placeholders")["priorityClassName"]] < 0


def test_placeholder_keeps_room_for_a_server_and_delays_nothing(hub: Recorded) -> None:
    made = hub.one("hub-placeholders").inputs
    assert made["metadata"]["namespace"] == "users"
    assert made["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true", "on a full rack they wait for ever"
    assert made["spec"]["replicas"] == 3
    spec = pod(hub, "hub-placeholders")
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "250m", "memory": "256Mi"}
    assert spec["terminationGracePeriodSeconds"] == 0
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["user", "any"]


def test_hubs_containers_ask_for_what_the_settings_say(hub: Recorded) -> None:
    spec = pod(hub, "hub-server")
    wanted = {"requests": {"cpu": "1", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["resources"] == wanted


@pytest.mark.parametrize(
    ("given", "requests", "limits"),
    [
        ({}, {"cpu": "100m", "memory": "256Mi"}, None),
        ({"requests": {"cpu": 0.5}}, {"cpu": "0.5", "memory": "256Mi"}, None),
        ({"limits": {"cpu": 2}}, {"cpu": "100m", "memory": "256Mi"}, {"cpu": "2"}),
        ({"limits": {"cpu": "50m"}}, {"cpu": "50m", "memory": "256Mi"}, {"cpu": "50m"}),
        ({"limits": {"memory": "128Mi"}}, {"cpu": "100m", "memory": "128Mi"}, {"memory": "128Mi"}),
        ({"limits": {"memory": "1Ti"}}, {"cpu": "100m", "memory": "256Mi"}, {"memory": "1Ti"}),
    ],
)
def test_nothing_asks_for_more_than_its_limit(given: Any, requests: Any, limits: Any) -> None:
    made = ResourcesSettings.model_validate(given).asked(cpu="100m", memory="256Mi")
    assert (made["requests"], made.get("limits")) == (requests, limits)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hub": {"resources": {"requests": {"cpu": 0}}}}, "hub.resources.requests.cpu: 0: must be more than 0"),
        ({"hub": {"resources": {"requests": {"cpu": "half"}}}}, "hub.resources.requests.cpu: 'half'"),
        ({"hub": {"resources": {"limits": {"memory": "1GB"}}}}, "hub.resources.limits.memory: '1GB'"),
        (
            {"hub": {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "500m"}}}},
            "requests.cpu, 2, is more than limits.cpu, 500m",
        ),
        (
            {"edge": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}}},
            "requests.memory, 1Gi, is more than limits.memory, 512Mi",
        ),
        ({"hub": {"pdb": {"minAvailable": 1}}}, "hub.pdb.minAvailable: is not a setting"),
        ({"hub": {"scheduling": {"userPlaceholder": {"replicas": -1}}}}, "userPlaceholder.replicas: -1"),
        ({"edge": {"pdb": {"enabled": True}}}, "edge.pdb.enabled: chick1 alone takes core pods"),
    ],
)
def test_what_the_cluster_would_refuse_or_wait_for_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert said in str(refused.value)
