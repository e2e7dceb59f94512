"""A living site with budgets, priorities and placeholders: which pods give way, and a drain of the hub's machine.

A part of `make chaos`. The rack has one machine that takes hub and proxy, and another for user servers. So while the
first is drained the whole site is away, and not the hub alone, as docs/hub.md has it where the proxy can move. Neither
that, nor a hub that takes the place of user servers, can be seen here.
"""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from kubernetes.utils import parse_quantity  # type: ignore[import-untyped]

from components.apps.hub.scheduling import CORE_PRIORITY, PLACEHOLDER_LABELS, PLACEHOLDER_PRIORITY
from tests.acceptance.site import Clock, drained, edited, in_the_pod, kubectl, on, password
from tests.acceptance.visitor import visitor
from tests.browser.session import login_page, open_notebook
from tests.stacks.sites import tree
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("crowded")]

USER: Final = "ada"
CORE: Final = "chick1"
"""The rack's only machine for hub and proxy; the hub's database is on its disk."""
NODE: Final = "chick2"
"""The rack's only machine for user servers."""
COMPONENT: Final = "app.kubernetes.io/component"
NEEDED: Final = round(tree("dev")["hub"]["size"]["cpu_guarantee"] * 1000)
"""Thousandths of a core that a user server reserves."""
LEFT: Final = NEEDED // 2
"""Thousandths of a core that placeholders leave: too few for a server, and some for what may differ by then."""
PLACEHOLDERS: Final = 3
HUB_PROCESS: Final = "jupyterhub [-]-config"
"""For pkill(1), whose own shell has the brackets in its command line."""


def settings(cores: str) -> Mapping[str, Any]:
    """Return those of a site with all of it, whose placeholders reserve so many cores each."""
    placeholder = {"replicas": PLACEHOLDERS, "resources": {"requests": {"cpu": cores, "memory": "16Mi"}}}
    scheduling = {"podPriority": {"enabled": True}, "userPlaceholder": placeholder}
    return {"hub": {"pdb": {"enabled": True}, "proxy_pdb": {"enabled": True}, "scheduling": scheduling}}


@pytest.fixture(scope="module")
def crowded(site_is_up: None) -> Iterator[None]:
    """Have a site whose placeholders take the room of the machine for user servers; no server runs at first."""
    del site_is_up
    kubectl("--namespace", "users", "delete", "pods", "--all", "--wait", "--timeout=2m")
    cores = (free() - LEFT) // PLACEHOLDERS
    assert cores >= NEEDED, f"{free()} thousandths of a core are free on {NODE}: one placeholder's would be too few"
    with edited(settings(f"{cores}m"), leaving=end_server):
        yield


def end_server() -> None:
    """Leave no server behind."""
    kubectl("--namespace", "users", "delete", "pod", f"jupyter-{USER}", "--ignore-not-found", "--timeout=2m")


def test_server_takes_the_place_of_a_placeholder(clock: Clock) -> None:
    before = eventually("placeholders that take the room", all_hold_room, seconds=180)
    assert free() < NEEDED, "there is room beside the placeholders, and a start shows nothing"
    assert priorities("hub") == {"hub": {CORE_PRIORITY}, "proxy": {CORE_PRIORITY}}
    with visitor() as person:
        assert person.log_in(USER, password())
        with clock.timing("a server starts in the place of a placeholder"):
            assert person.start(USER).status < 400
        assert person.runs(USER), kubectl("--namespace", "users", "get", "events", "--sort-by=.lastTimestamp")
        assert in_the_pod(USER, "whoami").strip() == USER
        assert priorities("users") == {"singleuser-server": {0}, "user-placeholder": {PLACEHOLDER_PRIORITY}}
        gone = before - placeholders().keys()
        assert len(gone) == 1, f"of {before} these ended: {gone}"
        eventually("the scheduler's word on it", lambda: preempted() & before == gone, seconds=60)
        assert list(placeholders().values()).count("Pending") == 1, "the next one waits"
        assert placeholders().keys() > before - gone, "and the others keep their places"
        person.stop(USER)
    eventually("a placeholder in the place of the server", all_hold_room, seconds=120)


def test_drain_of_the_hubs_machine_ends_and_hub_and_proxy_come_back(clock: Clock) -> None:
    with open_notebook(USER, password()) as page:
        page.run("kept = 41; print(kept)")
        page.expect_output("41")
    server = server_uid()
    # A budget that knew no pod would hold none either.
    eventually("budgets that know their pods", lambda: budgets() == {"hub": 1, "proxy": 1}, seconds=60)
    with clock.timing(f"{CORE} drained, the site is away"), drained(CORE) as said:
        assert evicted(said) == {"hub", "proxy"}
        eventually("hub and proxy that wait for their machine", both_wait, seconds=60)
        assert kernel_says("print(kept + 1)") == "42", "running servers keep working"
    with clock.timing(f"{CORE} back → login page"):
        come_back()
    assert server_uid() == server
    assert kernel_says("print(kept + 1)") == "42"
    with open_notebook(USER, password()) as page:
        page.run("print('reached', 'again')")
        page.expect_output("reached again")
    assert server_uid() == server, "a new login leads to the server that ran on"


def test_hub_that_does_not_work_does_not_hold_a_drain(clock: Clock) -> None:
    """By Kubernetes' own default it would: such a budget lets no pod go while the only one does not work."""
    eventually("budgets that know their pods", lambda: budgets() == {"hub": 1, "proxy": 1}, seconds=120)
    on(CORE, f"pkill --signal STOP --full '{HUB_PROCESS}'")
    eventually("a hub that is not ready", lambda: budgets() == {"hub": 0, "proxy": 1}, seconds=120)
    with clock.timing(f"{CORE} drained, its hub stopped before"), drained(CORE) as said:
        assert evicted(said) == {"hub", "proxy"}
    come_back()


def come_back() -> None:
    """Wait for hub and proxy, up to the page that people see."""
    for name in ("hub", "proxy"):
        kubectl("--namespace", "hub", "rollout", "status", f"deployment/{name}", "--timeout=5m")
    eventually("the login page", login_page, seconds=300)


def pods(namespace: str) -> list[Any]:
    """Return the pods of a namespace that have not ended, as those of Jobs have, and are not about to."""
    alive = ("--field-selector", "status.phase!=Succeeded,status.phase!=Failed")
    found: list[Any] = json.loads(kubectl("--namespace", namespace, "get", "pods", *alive, "--output", "json"))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def component(pod: Mapping[str, Any]) -> str:
    """Return which part of the hub a pod is."""
    return str(pod["metadata"].get("labels", {}).get(COMPONENT, ""))


def priorities(namespace: str) -> dict[str, set[int]]:
    """Return by component the priorities of a namespace's pods."""
    found = defaultdict[str, set[int]](set)
    for pod in pods(namespace):
        found[component(pod)].add(pod["spec"]["priority"])
    return dict(found)


def placeholders() -> dict[str, str]:
    """Return the phases of the placeholders by name."""
    there = (pod for pod in pods("users") if component(pod) == PLACEHOLDER_LABELS[COMPONENT])
    return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in there}


def all_hold_room() -> set[str]:
    """Return the placeholders when all run, and nothing before."""
    phases = placeholders()
    return set(phases) if list(phases.values()) == ["Running"] * PLACEHOLDERS else set()


def preempted() -> set[str]:
    """Return the pods of which the scheduler says that it ended them for another."""
    chosen = ("--field-selector", "reason=Preempted", "--output", "jsonpath={.items[*].involvedObject.name}")
    return set(kubectl("--namespace", "users", "get", "events", *chosen).split())


def free() -> int:
    """Return the thousandths of a core on the machine for user servers that no pod has reserved."""
    there = kubectl("get", "node", NODE, "--output", "jsonpath={.status.allocatable.cpu}")
    on_it = f"spec.nodeName={NODE},status.phase!=Succeeded,status.phase!=Failed"
    found = json.loads(kubectl("get", "pods", "--all-namespaces", "--field-selector", on_it, "--output", "json"))
    return thousandths(there) - sum(reserved(pod["spec"]) for pod in found["items"])


def reserved(spec: Mapping[str, Any]) -> int:
    """Return the thousandths of a core that are kept for a pod: its init containers end before the others begin."""

    def asked(container: Mapping[str, Any]) -> int:
        return thousandths(container.get("resources", {}).get("requests", {}).get("cpu", "0"))

    return max([sum(map(asked, spec["containers"])), *map(asked, spec.get("initContainers", []))])


def thousandths(cores: str) -> int:
    """Return how many thousandths of a core `2` or `250m` are."""
    return int(parse_quantity(cores) * 1000)


def budgets() -> dict[str, int]:
    """Return by name how many pods each budget would let go now that work."""
    found = json.loads(kubectl("--namespace", "hub", "get", "poddisruptionbudgets", "--output", "json"))["items"]
    return {each["metadata"]["name"]: each["status"].get("disruptionsAllowed", 0) for each in found}


def evicted(said: str) -> set[str]:
    """Return of which Deployments, hub and proxy, a drain has evicted a pod: asked for, so that a budget may refuse."""
    return {name for name in ("hub", "proxy") if re.search(rf"^pod/{name}-\S+ evicted$", said, re.MULTILINE)}


def both_wait() -> bool:
    """Whether hub and proxy are pods that have no machine."""
    found = [(component(pod), pod["status"]["phase"], pod["spec"].get("nodeName")) for pod in pods("hub")]
    return sorted(found, key=str) == [("hub", "Pending", None), ("proxy", "Pending", None)]


def server_uid() -> str:
    """Return which pod the person's server is."""
    return kubectl("--namespace", "users", "get", "pod", f"jupyter-{USER}", "--output", "jsonpath={.metadata.uid}")


def kernel_says(code: str) -> str:
    """Return what the person's newest kernel prints. It is asked in their server, which takes neither hub nor proxy."""
    return in_the_pod(USER, f"python3 -c {shlex.quote(_ASKING)} {shlex.quote(code)}").strip()


_ASKING: Final = """
import sys
from pathlib import Path
from jupyter_client import BlockingKernelClient
from jupyter_core.paths import jupyter_runtime_dir
files = Path(jupyter_runtime_dir()).glob("kernel-*.json")
client = BlockingKernelClient(connection_file=str(max(files, key=lambda file: file.stat().st_mtime)))
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
client.execute_interactive(sys.argv[1], timeout=60)
client.stop_channels()
"""
