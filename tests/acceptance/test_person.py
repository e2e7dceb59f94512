"""What a person with a server tries, from inside their pod and at the hub, and what refuses it: one test for each.

The notebook's way to the API server, the file server, others' servers and machines, with and without policies, has
tests in the story (test_story.py).
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.acceptance.site import HOSTS, connects, in_the_pod, kubectl, on, output, password
from tests.acceptance.visitor import SERVER_SECONDS, Visitor, visitor
from tests.browser.session import open_notebook
from tests.tools import eventually

pytestmark = pytest.mark.rack

USER: Final = "ada"
OTHER: Final = "grace"
HOMES: Final = "/nest/homes"
METADATA: Final = "169.254.169.254"
"""Where clouds tell a machine its secrets; in a room of machines it may be a management controller's."""


@pytest.fixture(scope="module")
def ada() -> Iterator[Visitor]:
    """Provide a person whose server runs, beside another person's."""
    with visitor() as other, visitor() as person:
        word = password()
        for each, name in ((other, OTHER), (person, USER)):
            assert each.log_in(name, word)
            each.start(name)
            assert each.runs(name)
        yield person


def spec() -> dict[str, Any]:
    found = kubectl("--namespace", "users", "get", "pod", f"jupyter-{USER}", "--output", "jsonpath={.spec}")
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def test_pod_has_no_word_with_the_cluster(ada: Visitor) -> None:
    del ada
    assert spec()["automountServiceAccountToken"] is False
    assert (
        in_the_pod(USER, "ls /var/run/secrets/kubernetes.io /run/secrets/kubernetes.io 2>/dev/null | wc --lines")
        == "0\n"
    )


def test_pod_has_no_rights_and_gets_none(ada: Visitor) -> None:
    del ada
    status = dict(
        line.split(":\t", 1) for line in in_the_pod(USER, "cat /proc/self/status").splitlines() if ":\t" in line
    )
    assert {status[each] for each in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert int(in_the_pod(USER, "id -u")) >= 100000
    for attempt in ("unshare --mount true", "mknod /tmp/a b 8 0"):
        assert re.search("Operation not permitted|Permission denied", in_the_pod(USER, f"{attempt} 2>&1; true")), (
            attempt
        )


def test_no_port_of_a_machine_answers_a_pod(ada: Visitor) -> None:
    """Every TCP port of every machine that is declared; the story shows that they listen."""
    del ada
    places = sorted(
        {(HOSTS[each["machine"]]["address"], each["port"]) for each in output("openings") if each["protocol"] == "tcp"}
    )
    assert len(places) > 20
    assert connected(places) == []


def connected(places: Sequence[tuple[str, int]]) -> list[Any]:
    """Return the places, address and port, that accept a connection of the pod's."""
    printed = in_the_pod(USER, f"python3 -c {shlex.quote(_CONNECTING)} {shlex.quote(json.dumps(places))}")
    found: list[Any] = json.loads(printed)
    return found


_CONNECTING: Final = """
import concurrent.futures, json, socket, sys
def connects(place):
    try:
        socket.create_connection(tuple(place), timeout=3).close()
    except OSError:
        return False
    return True
places = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(32) as each:
    print(json.dumps([place for place, open in zip(places, each.map(connects, places)) if open]))
"""


ASKING: Final[dict[int, str]] = {
    # RFC 1035, section 4: a recursive question for the name servers of the root.
    53: r"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1",
    # RFC 5905, section 7.3: version 3, from a client, and 47 bytes that may be zero.
    123: r"\033" + r"\0" * 47,
}
"""What a program at a UDP port answers, in the words of printf: whoever sends it nothing hears nothing."""


def test_no_udp_port_of_a_machine_answers_a_pod(ada: Visitor) -> None:
    del ada
    places = [
        (HOSTS[each["machine"]]["address"], each["port"]) for each in output("openings") if each["protocol"] == "udp"
    ]
    assert {port for _, port in places} == ASKING.keys(), "each has its question"
    for address, port in places:
        question = (
            f"exec 3<>/dev/udp/{address}/{port}; printf '{ASKING[port]}' >&3; timeout 3 head --bytes=1 <&3 | wc --bytes"
        )
        assert on("chick2", f"bash -c {shlex.quote(question)}").strip() == "1", f"{address}:{port} answers a machine"
        assert in_the_pod(USER, question).strip() == "0", f"{address}:{port}"


def test_metadata_address_does_not_answer_a_pod(ada: Visitor) -> None:
    del ada
    listening = f"socat TCP-LISTEN:80,bind={METADATA},fork EXEC:date"
    on("chick2", f"ip address replace {METADATA}/32 dev lo; systemd-run --unit metadata --collect {listening}")
    try:
        eventually(
            "an answer for the machine itself", partial(connects, partial(on, "chick2"), f"{METADATA}:80"), seconds=60
        )
        assert connected([(METADATA, 80)]) == []
    finally:
        on("chick2", f"systemctl stop metadata; ip address delete {METADATA}/32 dev lo")


CALLS: Final = (
    ("GET", "/users"),
    ("GET", f"/users/{OTHER}"),
    ("POST", f"/users/{OTHER}/server"),
    ("DELETE", f"/users/{OTHER}/server"),
    ("POST", f"/users/{OTHER}/tokens"),
    ("POST", f"/users/{USER}/tokens"),
    ("GET", f"/users/{USER}/tokens"),
    ("POST", f"/users/{OTHER}/activity"),
    ("PATCH", f"/users/{USER}"),
    ("POST", "/users/mallory"),
    ("GET", "/groups"),
    ("POST", "/groups/staff/users"),
    ("GET", "/proxy"),
    ("PATCH", "/proxy"),
    ("GET", "/services"),
    ("GET", "/info"),
    ("POST", "/shutdown"),
)


def test_token_of_a_server_opens_nothing_else(ada: Visitor) -> None:
    """The hub's API is the one place inside that a pod reaches; its token is for its own server alone."""
    del ada
    known, *statuses = statuses_of([("GET", "/user"), *CALLS])
    assert known == 200, "a token that the hub does not know would be refused everywhere"
    assert not [call for call, status in zip(CALLS, statuses, strict=True) if status not in {403, 404}]


def statuses_of(calls: Sequence[tuple[str, str]]) -> list[int]:
    """Return what the hub answers to calls of its API with the token of the person's server."""
    printed = in_the_pod(USER, f"python3 -c {shlex.quote(_CALLING)} {shlex.quote(json.dumps(calls))}")
    found: list[int] = json.loads(printed)
    return found


_CALLING: Final = """
import json, os, sys, urllib.error, urllib.request
def status(method, path):
    headers = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"], "Content-Type": "application/json"}
    data = None if method == "GET" else b"{}"
    call = urllib.request.Request(os.environ["JUPYTERHUB_API_URL"] + path, data, headers, method=method)
    try:
        return urllib.request.urlopen(call, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code
print(json.dumps([status(*each) for each in json.loads(sys.argv[1])]))
"""


def test_api_of_the_proxy_does_not_answer_a_pod(ada: Visitor) -> None:
    """Whoever has it gives every address of the hub to themselves."""
    del ada
    address = kubectl("--namespace", "hub", "get", "service", "proxy-api", "--output", "jsonpath={.spec.clusterIP}")
    assert connects(partial(on, "chick1"), f"{address}:8001")
    assert connected([(address, 8001)]) == []


def test_culler_hears_that_a_kernel_computes(ada: Visitor) -> None:
    """A kernel that prints nothing is otherwise idle for it, and the server is stopped in the middle of the work."""
    with open_notebook(USER, password()) as page:
        page.run("print(6 * 7)")
        page.expect_output("42")
        eventually("a kernel that waits", lambda: not computes(), seconds=60)
        page.run("import time; time.sleep(9999)")
        eventually("a kernel that computes", computes, seconds=60)
    ada.stop(USER)
    ada.start(USER)


def computes() -> bool:
    """Return what the hub tells its culler of the person's server."""
    printed = kubectl("--namespace", "hub", "exec", "deployment/hub", "--", "python3", "-c", _AS_THE_CULLER)
    found = json.loads(printed)["computes"]
    assert isinstance(found, bool), "the server answered"
    return found


_AS_THE_CULLER: Final = f"""
import pathlib, urllib.request
running = pathlib.Path("/proc").glob("[0-9]*")
(culler,) = [each for each in running if b"/culler.py\\0" in (each / "cmdline").read_bytes()]
variables = dict(each.split("=", 1) for each in (culler / "environ").read_text().split("\\0") if each)
headers = {{"Authorization": "token " + variables["JUPYTERHUB_API_TOKEN"]}}
request = urllib.request.Request("http://127.0.0.1:8081/hub/api/henhouse/computes/{USER}/", headers=headers)
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""


WISHES: Final[dict[str, Any]] = {
    "privileged": True,
    "allow_privilege_escalation": True,
    "uid": 0,
    "image": "quay.io/jupyter/minimal-notebook:latest",
    "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
    "volume_mounts": [{"name": "root", "mountPath": "/host"}],
    "service_account": "default",
    "node_selector": {"kubernetes.io/hostname": "chick0"},
    "extra_pod_config": {"hostNetwork": True, "hostPID": True},
    "extra_container_config": {"securityContext": {"privileged": True}},
    "profile": "root",
}


def test_start_takes_nothing_that_was_not_offered(ada: Visitor) -> None:
    """By the API with the person's own session, by the form, and by a link. What was refused is not kept either."""
    before = comparable(spec())
    texts = {wish: value if isinstance(value, str) else json.dumps(value) for wish, value in WISHES.items()}
    for wishing in (
        partial(ada.call, "POST", f"/users/{USER}/server", WISHES),
        partial(ada.send, f"/hub/spawn/{USER}", texts),
        partial(ada.ask, f"/hub/spawn/{USER}?{urlencode(texts)}"),
    ):
        ada.stop(USER)
        wishing()
        eventually("the end of what was wished for", partial(ada.settled, USER), seconds=SERVER_SECONDS)
        ada.ask(f"/hub/spawn/{USER}")  # as after a login, which chooses nothing
        eventually("a server that nothing is wished for", partial(ada.runs, USER), seconds=SERVER_SECONDS)
        assert comparable(spec()) == before


def comparable(pod: dict[str, Any]) -> dict[str, Any]:
    """Return a pod's specification without what differs from start to start."""
    (container,) = pod["containers"]
    environment = [each for each in container["env"] if "TOKEN" not in each["name"]]
    return {**pod, "containers": [{**container, "env": environment}]}


NAMES: Final = (
    *("..", ".", f"../{OTHER}", f"{USER}/../{OTHER}", f"{OTHER}/", "%2e%2e", ".next-uid", "-rf", "a" * 255),
    *("\u0261race", "gr\u0430ce", f"{OTHER}\u200b"),
)


def test_name_that_is_a_path_or_looks_like_anothers_is_not_let_in() -> None:
    before = on("hen", f"ls --almost-all {HOMES}")
    with visitor() as stranger:
        word = password()
        assert stranger.log_in(OTHER, word), "where no name is let in, a refusal shows nothing"
    with visitor() as stranger:
        assert not [name for name in NAMES if stranger.log_in(name, word)]
    assert on("hen", f"ls --almost-all {HOMES}") == before


def test_links_in_a_home_lead_nowhere_outside(ada: Visitor) -> None:
    theirs = ("--namespace", "users", "exec", f"jupyter-{OTHER}", "--", "sh", "-c")
    kubectl(*theirs, "echo of-grace >hers.txt")
    targets = (f"../{OTHER}", f"{HOMES}/{OTHER}", f"/proc/1/root{HOMES}/{OTHER}", "../..")
    for number, target in enumerate(targets):
        in_the_pod(USER, f"ln --symbolic --force --no-target-directory {target} ~/link-{number}")
        assert "of-grace" not in in_the_pod(
            USER, f"cat ~/link-{number}/hers.txt ~/link-{number}/{OTHER}/hers.txt 2>&1 || true"
        )
    assert in_the_pod(USER, f"rmdir ~ 2>&1 || mv ~ /home/{OTHER} 2>&1 || echo refused").splitlines()[-1] == "refused"
    # The next start mounts the home by its own name, whatever is in it.
    ada.stop(USER)
    ada.start(USER)
    assert in_the_pod(USER, "ls --almost-all ~").count("link-") == len(targets)
    in_the_pod(USER, "rm ~/link-*")


def test_server_of_another_is_not_opened(ada: Visitor) -> None:
    assert ada.ask(f"/user/{OTHER}/api/contents", "--location").status in {403, 404}
    assert ada.call("POST", f"/users/{USER}/servers/..%2f{OTHER}").status in {400, 403, 404}
