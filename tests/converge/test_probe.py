"""A probe of real SSH servers: what it finds, what it says of machines that cannot be asked, and what it never does."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from converge import connection, probe
from converge.items import File, Script
from converge.probe import ProbeResult
from converge.render import render, standard_input
from converge.report import Difference, NotChecked
from converge.role import Fact, Role
from converge.stack import StateError
from converge.state import COMMAND, HOST_STATE, AppliedRole, applied_roles, revealed
from tests.converge.scripts import LoopbackShell
from tests.tools import free_port

MARKS = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SECRETS = {"key": "hunter2-hunter2"}
FILE = Role("file", (File("/tmp/x/f", "x\n"),))
KEY = Role("key", (File("/tmp/x/k", secret="key", mode="0600"),))


def applied(
    shell: LoopbackShell, role: Role, machine: str = "chick0", secrets: dict[str, str] | None = None
) -> AppliedRole:
    return AppliedRole(
        command=f"{machine}-{role.name}-command",
        machine=machine,
        role=role.name,
        script=render(role, machine, secrets or {}),
        stdin=standard_input(secrets or {}),
        connection=shell.connection,
        probe=": probe none",
    )


def look(*roles: AppliedRole) -> ProbeResult:
    return asyncio.run(probe.probe(roles))


def test_difference_names_machine_role_and_item(shell: LoopbackShell) -> None:
    shell.apply(FILE)
    shell.run("echo y >>/tmp/x/f")
    seen = look(applied(shell, FILE))
    assert seen.not_checked == ()
    assert seen.differences == (Difference("chick0", "file", "file /tmp/x/f", "line 2: ", "line 2: y"),)


def test_only_drift_is_mentioned(shell: LoopbackShell) -> None:
    shell.apply(FILE)
    shell.apply(KEY, SECRETS)
    seen = look(applied(shell, FILE), applied(shell, KEY, secrets=SECRETS))
    assert (seen.differences, seen.not_checked) == ((), ())


def test_secret_is_compared_and_not_told(shell: LoopbackShell) -> None:
    shell.apply(KEY, SECRETS)
    shell.run("echo hunter3 >/tmp/x/k")
    seen = look(applied(shell, KEY, secrets=SECRETS))
    assert [each.expected for each in seen.differences] == ["the secret key"]
    assert "hunter" not in repr(seen.differences)


def test_probe_changes_nothing(shell: LoopbackShell) -> None:
    look(applied(shell, FILE), applied(shell, KEY, secrets=SECRETS))
    assert shell.run("find /tmp/x /run/henhouse 2>/dev/null").stdout == "/tmp/x\n"


def test_many_roles_of_a_machine_use_one_connection(shell: LoopbackShell, ssh_server: Any) -> None:
    before = ssh_server.said().count("Accepted publickey")
    look(*(applied(shell, Role(f"role{at}", FILE.items)) for at in range(15)))
    assert ssh_server.said().count("Accepted publickey") == before + 1


def test_machine_that_is_dead_does_not_hide_the_others(shell: LoopbackShell) -> None:
    closed = free_port()
    dead = replace(applied(shell, FILE, "chick1"), connection=shell.connection | {"port": closed})
    seen = look(dead, applied(shell, FILE))
    assert [(each.machine, each.role) for each in seen.differences] == [("chick0", "file")]
    (unseen,) = seen.not_checked
    assert (unseen.machine, unseen.role) == ("chick1", "file")
    assert unseen.reason.startswith(f"127.0.0.1 port {closed}: ")
    assert "refused" in unseen.reason


def test_machine_that_accepts_no_connection_is_given_up(shell: LoopbackShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose queue is full answers no more than a machine that is off."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.3)
    with ExitStack() as open_, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        open_.enter_context(socket.create_connection(("127.0.0.1", port)))
        seen = look(replace(applied(shell, FILE), connection=shell.connection | {"port": port}))
    assert [each.reason for each in seen.not_checked] == [f"127.0.0.1 port {port}: no answer in time"]


def test_machine_that_says_nothing_is_given_up(shell: LoopbackShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOGIN_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        seen = look(replace(applied(shell, FILE), connection=shell.connection | {"port": port}))
    assert [each.reason for each in seen.not_checked] == [f"127.0.0.1 port {port}: no answer in time"]


def test_busy_machine_has_longer_for_the_login_than_for_the_connection(
    shell: LoopbackShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.3)
    with late(shell.connection["port"], 1) as port:
        seen = look(replace(applied(shell, FILE), connection=shell.connection | {"port": port}))
    assert not seen.not_checked


@contextmanager
def late(port: int, seconds: float) -> Iterator[int]:
    """Provide a port that accepts a connection at once, and brings it to the server at `port` so much later."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with waiting.accept()[0] as near, socket.create_connection(("127.0.0.1", port)) as far:
            time.sleep(seconds)
            back = Thread(target=carry, args=(far, near))
            back.start()
            carry(near, far)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as waiting:
        waiting.settimeout(10)
        server = Thread(target=serve)
        server.start()
        yield waiting.getsockname()[1]
        server.join()


def test_other_host_key_is_not_talked_to(shell: LoopbackShell, ssh_server: Any) -> None:
    other = " ".join((ssh_server.files / "other.pub").read_text().split()[:2])
    before = ssh_server.said().count("Accepted publickey")
    seen = look(replace(applied(shell, FILE), connection=shell.connection | {"hostKey": other}))
    assert [each.reason.partition(": ")[2] for each in seen.not_checked] == [
        "its host key differs from the one in the settings"
    ]
    assert ssh_server.said().count("Accepted publickey") == before


def test_key_that_the_machine_does_not_know(shell: LoopbackShell, ssh_server: Any) -> None:
    other = (ssh_server.files / "other").read_text()
    seen = look(replace(applied(shell, FILE), connection=shell.connection | {"privateKey": other}))
    assert [each.reason.partition(": ")[2] for each in seen.not_checked] == ["it accepts none of the keys offered"]


def test_key_that_is_none_does_not_hide_the_others(shell: LoopbackShell) -> None:
    broken = replace(applied(shell, FILE, "chick1"), connection=shell.connection | {"privateKey": "no key at all"})
    seen = look(broken, applied(shell, FILE))
    assert [each.machine for each in seen.not_checked] == ["chick1"]
    assert [each.machine for each in seen.differences] == ["chick0"]


def test_check_that_does_not_end_is_given_up(shell: LoopbackShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "CHECK_SECONDS", 0.5)
    seen = look(applied(shell, Role("slow", (Script("slow", "sleep 5", "true"),))), applied(shell, FILE))
    assert [(each.role, each.reason) for each in seen.not_checked] == [("slow", "its check did not end within 0.5 s")]
    assert [each.role for each in seen.differences] == ["file"]


def test_roles_are_read_from_the_state(shell: LoopbackShell) -> None:
    script = render(KEY, "chick0", ["key"])
    stdin = {**MARKS, "plaintext": json.dumps(standard_input(SECRETS))}
    connection = {**MARKS, "plaintext": json.dumps(shell.connection)}
    owner = "urn:pulumi:dev::henhouse::henhouse:host:HostState::chick0-key"
    urn = "urn:pulumi:dev::henhouse::henhouse:host:HostState$command:remote:Command::"
    subject = {"machine": "chick0", "role": "key"}
    inputs = {"create": script, "stdin": stdin, "connection": connection, "delete": ": probe a1"}
    resources = [
        {"urn": "urn:pulumi:dev::henhouse::pulumi:pulumi:Stack::henhouse-dev", "type": "pulumi:pulumi:Stack"},
        {"urn": owner, "type": HOST_STATE, "inputs": subject},
        {"urn": f"{urn}chick0-key-command", "type": COMMAND, "inputs": inputs, "parent": owner},
        {"urn": f"{urn}old", "type": COMMAND, "inputs": inputs, "parent": owner, "delete": True},
        {"urn": f"{urn}other", "type": COMMAND, "inputs": {"create": "echo hello"}},
    ]
    expected = replace(applied(shell, KEY, secrets=SECRETS), probe=": probe a1", urn=f"{urn}chick0-key-command")
    assert list(applied_roles({"deployment": {"resources": resources}})) == [expected]


def test_secret_inside_a_secret_is_read() -> None:
    """The official plugin keeps the private key as a secret inside the connection, which is one itself."""
    inner = {**MARKS, "plaintext": json.dumps("a key")}
    outer = {**MARKS, "plaintext": json.dumps({"host": "198.18.0.100", "privateKey": inner})}
    assert revealed({"connection": outer}) == {"connection": {"host": "198.18.0.100", "privateKey": "a key"}}


def test_state_that_does_not_say_whose_its_roles_are_is_refused() -> None:
    """Of a release before the roles' owners were in it: to find no drift there would be a lie."""
    resources = [
        {"urn": "urn:a", "type": HOST_STATE, "inputs": {}},
        {"urn": "urn:b", "type": COMMAND, "inputs": {"create": "true"}, "parent": "urn:a"},
    ]
    with pytest.raises(StateError, match="run `pulumi up` first"):
        list(applied_roles({"deployment": {"resources": resources}}))


def test_a_fact_that_is_another_has_drifted_and_is_not_told(shell: LoopbackShell) -> None:
    role = Role("facts", (), facts=(Fact("kubeconfig", "cat /tmp/x/admin.conf"),), secret_facts=True)
    shell.run("mkdir --parents /tmp/x; echo hunter2-of-this-year >/tmp/x/admin.conf")
    held = replace(applied(shell, role), facts=shell.apply(role).facts)
    assert look(held).differences == ()

    shell.run("echo hunter2-of-next-year >/tmp/x/admin.conf")
    (found,) = look(held).differences
    assert (found.item, found.expected, found.found) == (
        "kubeconfig",
        "the one that the stack holds",
        "another than the stack holds",
    )
    shell.run("rm /tmp/x/admin.conf")
    assert [each.found for each in look(held).differences] == ["the machine cannot tell it"]
    assert look(replace(held, facts={})).differences == (
        Difference("chick0", "facts", "kubeconfig", "none yet", "the machine cannot tell it"),
    )


def test_a_fact_that_passes_is_not_looked_at(shell: LoopbackShell) -> None:
    role = Role("facts", (), facts=(Fact("run", "cat /proc/sys/kernel/random/uuid", lasting=False),))
    seen = look(replace(applied(shell, role), facts=shell.apply(role).facts))
    assert (seen.differences, seen.not_checked) == ((), ())


def test_facts_are_read_from_the_state_and_may_be_secret() -> None:
    told = {"command": {"stdout": 'hello\n{"kubeconfig": "YQ=="}\n'}, "silent": {}, "greeted": {"stdout": "hello"}}
    secret = {**MARKS, "plaintext": json.dumps(told["command"]["stdout"])}
    resources: list[dict[str, Any]] = []
    for name, outputs in [*told.items(), ("secret", {"stdout": secret})]:
        subject, inputs = {"machine": "chick0", "role": name}, {"create": "true", "connection": {}}
        resources.append({"urn": f"urn:{name}", "type": HOST_STATE, "inputs": subject})
        command = {"urn": f"urn::{name}-command", "type": COMMAND, "inputs": inputs, "outputs": outputs}
        resources.append({**command, "parent": f"urn:{name}"})
    facts = {each.role: each.facts for each in applied_roles({"deployment": {"resources": resources}})}
    kubeconfig = {"kubeconfig": "YQ=="}
    assert facts == {"command": kubeconfig, "silent": {}, "greeted": {}, "secret": kubeconfig}


@pytest.mark.parametrize(
    ("printed", "items"),
    [
        ("", []),
        ("hello\n", []),
        ('{"item": "a", "expected": "1", "found": "2"}\n', ["a"]),
        ('hello\n{"motd": 1}\n[3]\n{"item": "a", "expected": "1", "found": "2"}\n42\nbye\n', ["a"]),
    ],
)
def test_greeting_of_a_machine_is_not_a_difference(printed: str, items: list[str]) -> None:
    assert [each["item"] for each in probe.answers(printed, {"item", "expected", "found"})] == items


def test_machine_that_greets_everyone_is_looked_at_all_the_same(shell: LoopbackShell) -> None:
    """Bash reads .bashrc when sshd runs a command."""
    shell.apply(FILE)
    shell.run("echo y >>/tmp/x/f")
    greeting = replace(applied(shell, FILE), script="echo hello; echo '{'\n" + applied(shell, FILE).script)
    seen = look(greeting)
    assert [each.item for each in seen.differences] == ["file /tmp/x/f"]


def test_empty_stack_has_no_roles() -> None:
    assert list(applied_roles({"version": 3, "deployment": {}})) == []


def test_differences_of_a_role() -> None:
    one, two = Difference("chick0", "a", "x", "1", "2"), Difference("chick1", "a", "x", "1", "2")
    seen = ProbeResult((), (one, two), (NotChecked("chick2", "a", "dead"),))
    role = AppliedRole("chick1-a-command", "chick1", "a", "", "", {}, "")
    assert seen.of(role) == [two]
