"""User servers while parts of the hub and of the cluster are restarted, drained or away. A part of `make chaos`."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import pytest

from components.apps.hub.addresses import HUB_LABELS
from tests.acceptance.site import Clock, drained, kubectl, on, password
from tests.acceptance.visitor import SERVER_SECONDS, Visitor, visitor
from tests.browser.session import HUB, Notebook, login_page, open_notebook
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

USER: Final = "ada"
NODE: Final = "chick2"
"""The rack's only machine for user servers."""
AWAY_SECONDS: Final = 120
MANIFEST: Final = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ASIDE: Final = "/etc/kubernetes/kube-apiserver.yaml"
CONNECTING_SECONDS: Final = 130
"""After so long Linux gives up a connection that nothing answers (tcp_syn_retries is 6)."""
HUB_PODS: Final = ",".join(f"{name}={value}" for name, value in HUB_LABELS.items())


@pytest.mark.parametrize("restarted", [("hub", "proxy"), ("proxy",)], ids=" and ".join)
def test_kernel_answers_after_a_restart(restarted: tuple[str, ...], clock: Clock) -> None:
    """A proxy that restarts alone has lost its routes until the hub looks."""
    what = " and ".join(restarted)
    with open_notebook(USER, password()) as page:
        page.run("kept = 41; print(kept)")
        page.expect_output("41")
        with clock.timing(f"{what} restarted"):
            for name in restarted:
                kubectl("--namespace", "hub", "rollout", "restart", f"deployment/{name}")
            for name in restarted:
                kubectl("--namespace", "hub", "rollout", "status", f"deployment/{name}", "--timeout=5m")
            eventually("the login page", login_page, seconds=300)
        with clock.timing(f"{what} restarted → the kernel answers"):
            eventually("an answer of the kernel", partial(_answers, page), seconds=300)


def test_whoever_comes_while_the_hub_is_away_reads_so() -> None:
    with visitor() as ada:
        assert ada.log_in(USER, password())
        try:
            kubectl("--namespace", "hub", "scale", "deployment/hub", "--replicas=0")
            kubectl("--namespace", "hub", "wait", "pod", "-l", HUB_PODS, "--for=delete", "--timeout=2m")
            answer = ada.ask("/hub/home", "--max-time", f"{2 * CONNECTING_SECONDS}")
            assert (answer.status, "Back in a moment" in answer.text) == (503, True), answer.text
        finally:
            kubectl("--namespace", "hub", "scale", "deployment/hub", "--replicas=1")
            kubectl("--namespace", "hub", "rollout", "status", "deployment/hub", "--timeout=5m")
        eventually("their page", lambda: ada.ask("/hub/home").status == 200, seconds=120)


def _answers(page: Notebook) -> bool:
    """Whether the kernel still has its variable; JupyterLab connects again by itself, after a while."""
    try:
        page.run("print(kept + 1)")
        page.expect_output("42")
    except AssertionError:
        return False
    return True


def test_person_on_a_drained_node_reads_why_and_starts_again(clock: Clock) -> None:
    with visitor() as ada:
        assert ada.log_in(USER, password())
        ada.start(USER)
        assert ada.runs(USER)
        with clock.timing("node drained, its user server ended"), drained(NODE):
            eventually("the hub's word on the end", lambda: not ada.runs(USER), seconds=SERVER_SECONDS)
            gone = ada.ask(f"/user/{USER}/lab", "--location")
            assert "is not running" in gone.text
            assert "its machine is being serviced" in gone.text
            lab = ada.ask(f"/user/{USER}/api/status", "--location")
            assert f"Restart the server at https://{HUB}/hub/spawn/{USER}" in lab.text, "what JupyterLab shows"
            ada.call("POST", f"/users/{USER}/server")
            eventually("a word on what is awaited", lambda: _waits_for_a_machine(ada), seconds=120)
        with clock.timing("node back → server"):
            eventually("the server", lambda: ada.runs(USER), seconds=SERVER_SECONDS)


def _waits_for_a_machine(person: Visitor) -> bool:
    """Whether the page of the start says that it waits for a machine; its events end when the server runs."""
    progress = person.ask(f"/hub/api/users/{USER}/server/progress", "--max-time", "10")
    return "No machine can take your server" in progress.text


@contextmanager
def api_server_away() -> Iterator[None]:
    """Have no API server while the block runs: the kubelet ends it when its manifest is moved away."""
    on("chick0", f"mv {MANIFEST} {ASIDE}")
    try:
        eventually("the API server's end", lambda: not _api_answers(), seconds=120)
        yield
    finally:
        on("chick0", f"mv {ASIDE} {MANIFEST}")
        eventually("the API server", _api_answers, seconds=300)


def _api_answers() -> bool:
    return "ok" in kubectl("--request-timeout=3s", "get", "--raw", "/readyz", check=False)


def test_starts_come_through_when_the_api_server_is_away_for_two_minutes(clock: Clock) -> None:
    people = ("eve", "bob", "carol")
    with ExitStack() as stack:
        visitors = {name: stack.enter_context(visitor()) for name in people}
        for name, each in visitors.items():
            assert each.log_in(name, password())
        *early, late = people
        for name in early:
            assert visitors[name].call("POST", f"/users/{name}/server").status < 400
        with clock.timing("API server away"), api_server_away():
            # More than were under way when it went: the first may have been there in time.
            assert visitors[late].call("POST", f"/users/{late}/server").status < 400
            assert not all(each.runs(name) for name, each in visitors.items())
            end = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < end:
                assert login_page()
        with clock.timing("API server back → all servers run"):
            for name, each in visitors.items():
                eventually(f"{name}'s server", partial(each.runs, name), seconds=SERVER_SECONDS)
        for name, each in visitors.items():
            each.stop(name)
