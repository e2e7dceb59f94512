"""The Job that reads the hub's configuration before the hub does."""

from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.addresses import HUB_LABELS, REHEARSAL_LABELS
from components.apps.hub.site_json import DATABASE_DIRECTORY
from tests.components.apps.hub.test_component import MINOR, POLICY, pod, program
from tests.programs.hub.asking import site
from tests.recorded import Recorded
from tests.stacks.test_fragments import GOOD, parsed, written
from tests.test_pods import broken

JOB: Final = "kubernetes:batch/v1:Job"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return the hub of a site with a fragment, a variable and a volume of its own."""
    directory: Path = tmp_path_factory.mktemp("stack")
    written(directory, {"80-own.py": GOOD})
    added: dict[str, Any] = {
        "scheduling": {"podPriority": {"enabled": True}},
        "extraEnv": {"COURSE": "x"},
        "singleuser": {"extraEnv": {"COURSE": "x"}},
        "extraVolumes": [{"name": "own", "configMap": {"name": "own"}}],
        "extraVolumeMounts": [{"name": "own", "mountPath": "/own"}],
    }
    return program(parsed(directory, fragments="site/fragments", **added))


def rehearsal(recorded: Recorded) -> dict[str, Any]:
    spec: dict[str, Any] = recorded.one("hub-rehearsal", JOB).inputs["spec"]
    return spec


def test_what_the_hub_that_runs_needs_is_changed_after_it(hub: Recorded) -> None:
    policies = {f"hub-{whose}-policy" for whose in ("hub", "proxy", "servers")}
    for name in (*policies, "hub-server-files"):
        assert "hub-rehearsal" in hub.one(name).depends_on_names
    for name in ("hub-server", "hub-proxy"):
        assert policies <= hub.one(name).depends_on_names


def test_it_starts_after_its_own_policy(hub: Recorded) -> None:
    assert hub.one("hub-rehearsal").depends_on_names & {each.name for each in hub.all(POLICY)} == {
        "hub-rehearsal-policy"
    }


def is_a_job_that_the_cluster_takes(recorded: Recorded, name: str) -> None:
    """Hold a Job to Kubernetes' schema, and its pod to the Pod Security Standard."""
    job = recorded.one(name, JOB).inputs
    named = {**job, "metadata": {"name": "given-by-the-provider", **job["metadata"]}}
    kubernetes_validate.validate(named, MINOR, strict=True)
    assert broken(job["spec"]["template"]["spec"]) == []


def test_it_fits_its_schema_and_the_pod_security_standard(hub: Recorded) -> None:
    is_a_job_that_the_cluster_takes(hub, "hub-rehearsal")


def test_it_is_the_hubs_pod_with_an_empty_directory_for_the_database(hub: Recorded) -> None:
    of_hub, of_job = pod(hub, "hub-server"), rehearsal(hub)["template"]["spec"]
    same = ("volumes", "affinity", "serviceAccountName", "securityContext", "enableServiceLinks")
    assert {each: of_job[each] for each in same} == {each: of_hub[each] for each in same}
    (container,), (hub_container,) = of_job["containers"], of_hub["containers"]
    for each in ("image", "env", "workingDir", "securityContext"):
        assert container[each] == hub_container[each]
    assert "command" not in container, "the image's own entry point, as for the hub"
    mounts, of_database = hub_container["volumeMounts"], {"name": "database", "mountPath": DATABASE_DIRECTORY}
    assert of_database in mounts
    assert container["volumeMounts"] == [{**each, "name": "tmp"} if each == of_database else each for each in mounts]
    assert {"name": "tmp", "emptyDir": {}} in of_job["volumes"]


def test_database_is_looked_at_and_not_changed(hub: Recorded) -> None:
    before = rehearsal(hub)["template"]["spec"]["initContainers"]
    assert [each["name"] for each in before] == ["wait-for-cluster", "try-database"]
    of_database = {"name": "database", "mountPath": DATABASE_DIRECTORY, "readOnly": True}
    assert of_database in before[1]["volumeMounts"]
    assert before[1]["command"] == ["python3", "/etc/jupyterhub/try_database.py"]
    assert {"try_database.py", "revisions.py", "termination.py"} <= hub.one("hub-config").inputs["data"].keys()


def test_it_takes_no_room_from_people(hub: Recorded) -> None:
    spec = rehearsal(hub)["template"]["spec"]
    assert "priorityClassName" not in spec
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert "resources" not in container


def test_new_configuration_is_a_new_job(hub: Recorded) -> None:
    job = hub.one("hub-rehearsal")
    assert "name" not in job.inputs["metadata"]
    assert {"hub-config", "hub-keys", "hub-pages"} <= job.depends_on_names


def test_failed_one_begins_again_and_a_drain_is_not_its_fault(hub: Recorded) -> None:
    assert hub.one("hub-rehearsal").inputs["metadata"]["annotations"] == {"pulumi.com/replaceUnready": "true"}
    spec = rehearsal(hub)
    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert "activeDeadlineSeconds" not in spec, "Kubernetes would delete the pod, and with it the reason"


def test_it_is_not_taken_for_the_hub(hub: Recorded) -> None:
    assert rehearsal(hub)["template"]["metadata"]["labels"] == REHEARSAL_LABELS
    for service in hub.all("kubernetes:core/v1:Service"):
        assert not service.inputs["spec"]["selector"].items() <= REHEARSAL_LABELS.items()
    of_hub, of_job = (hub.one(f"hub-{whose}-policy").inputs["spec"] for whose in ("hub", "rehearsal"))
    assert of_hub["podSelector"] == {"matchLabels": HUB_LABELS}
    assert of_job["podSelector"] == {"matchLabels": REHEARSAL_LABELS}
    assert of_job["egress"] == of_hub["egress"]
    assert not of_job.get("ingress")


def test_every_site_has_one() -> None:
    """An image or a database that cannot be used is found by no setting's being there."""
    plain = program(site())
    job = plain.one("hub-rehearsal", JOB)
    assert {"hub-config", "hub-keys", "hub-pages"} <= job.depends_on_names
    assert rehearsal(plain)["template"]["spec"]["containers"][0]["image"] == site().hub.image
    for name in ("hub-hub-policy", "hub-proxy-policy", "hub-servers-policy"):
        assert {"hub-rehearsal", "hub-proxy-rehearsal"} <= plain.one(name).depends_on_names
    assert {"rehearsal.py", "try_database.py", "termination.py"} <= plain.one("hub-config").inputs["data"].keys()
