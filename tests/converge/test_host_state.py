"""HostState's promises to the engine."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import SecretStr

from components.contracts.machines import SshTarget
from converge.host_state import HostState
from converge.items import File, Script
from converge.render import render
from converge.role import Fact, Role
from converge.state import facts_of
from tests.recorded import Recorded, Registration

HOST_KEY = "ssh-ed25519 " + "A" * 68
TARGET = SshTarget("chick0", "198.18.0.100", HOST_KEY)
PLAIN = Role("demo", (File("/etc/x", "x\n"),), (Fact("id", "cat /etc/machine-id"),))
FIRST = Role("first", ())
SECRET = Role("demo", (File("/etc/x", secret="key", mode="0600"),))

Record = Callable[..., Recorded]


def command(recorded: Recorded) -> Registration:
    (found,) = recorded.all("command:remote:Command")
    return found


def plain(**options: Any) -> Callable[[], pulumi.Output[dict[str, str]]]:
    return lambda: HostState(TARGET, PLAIN, **options).facts


def secret() -> pulumi.Output[dict[str, str]]:
    return HostState(TARGET, SECRET, secrets={"key": pulumi.Output.secret("hunter2-hunter2")}).facts


def test_host_key_is_pinned(record: Record) -> None:
    assert command(record(plain())).inputs["connection"]["hostKey"] == HOST_KEY


def test_connection_is_constant_and_holds_no_key_when_the_agent_has_it(record: Record) -> None:
    connection = command(record(plain())).inputs["connection"]
    assert set(connection) == {"host", "port", "user", "hostKey", "perDialTimeout", "dialErrorLimit"}
    assert (connection["host"], connection["port"], connection["user"]) == ("198.18.0.100", 22, "root")


def test_private_key_of_the_settings_is_a_secret(record: Record) -> None:
    target = SshTarget("chick0", "198.18.0.100", HOST_KEY, private_key=SecretStr("a key"))
    found = command(record(lambda: HostState(target, PLAIN)))
    assert found.inputs["connection"]["privateKey"] == "a key"
    assert "connection" in found.secret_keys


def test_jump_is_pinned_and_has_the_same_key(record: Record) -> None:
    jump = SshTarget("rooster", "203.0.113.10", HOST_KEY, "ada", 2222, SecretStr("a key"))
    target = SshTarget("chick0", "198.18.0.100", HOST_KEY, private_key=SecretStr("a key"), jump=jump)

    def program() -> None:
        HostState(target, PLAIN)

    found = command(record(program))
    proxy = found.inputs["connection"]["proxy"]
    assert (proxy["host"], proxy["port"], proxy["user"]) == ("203.0.113.10", 2222, "ada")
    assert (proxy["hostKey"], proxy["privateKey"]) == (HOST_KEY, "a key")
    assert "connection" in found.secret_keys


def test_login_that_is_not_root_uses_sudo_and_root_does_not(record: Record) -> None:
    def program() -> None:
        HostState(SshTarget("chick0", "198.18.0.100", HOST_KEY, "ada"), PLAIN)

    assert "sudo" in command(record(program)).inputs["create"]
    assert command(record(plain())).inputs["create"] == render(PLAIN, "chick0")


def test_updating_runs_what_creating_ran(record: Record) -> None:
    inputs = command(record(plain())).inputs
    assert "verb=${1:-apply} machine=chick0 role=demo" in inputs["create"]
    assert "update" not in inputs
    assert "triggers" not in inputs


def test_nothing_is_ever_run_to_delete(record: Record) -> None:
    found = command(record(plain()))
    assert found.retain_on_delete
    assert found.inputs["delete"] == ": probe none"


def test_environment_is_left_alone(record: Record) -> None:
    inputs = command(record(plain())).inputs
    assert inputs["addPreviousOutputInEnv"] is False
    assert "environment" not in inputs


def test_secret_goes_by_standard_input_alone(record: Record) -> None:
    found = command(record(secret))
    assert found.secret_keys == {"stdin", "connection"}
    assert found.inputs["stdin"].startswith("key ")
    assert "hunter2" not in found.inputs["create"]


def test_nothing_of_a_role_with_secrets_is_logged(record: Record) -> None:
    found = command(record(secret))
    assert found.inputs["logging"] == "none"
    assert "stderr" in found.additional_secret_outputs


def test_progress_of_other_roles_is_shown(record: Record) -> None:
    assert command(record(plain())).inputs["logging"] == "stderr"


def test_secret_in_the_script_is_refused(record: Record) -> None:
    role = Role("demo", (File("/etc/x", "password = hunter2-hunter2\n"),))
    with pytest.raises(Exception, match="the value of the secret key is in the script"):
        record(lambda: HostState(TARGET, role, secrets={"key": "hunter2-hunter2"}).facts)


def test_facts_are_an_output(record: Record) -> None:
    recorded = record(plain(), outputs={"chick0-demo-command": {"stdout": '{"id": "a1"}'}})
    assert recorded.result == {"id": "a1"}


def test_secret_facts_are_secret_everywhere(record: Record) -> None:
    role = Role("demo", (), (Fact("token", "cat /token"),), secret_facts=True)

    def program() -> None:
        pulumi.export("facts", HostState(TARGET, role).facts)

    recorded = record(program)
    assert set(command(recorded).additional_secret_outputs) >= {"stdout", "stderr"}
    assert recorded.secret_exports == {"facts"}


def test_role_that_is_an_output_has_to_say_beforehand_that_its_facts_are_secret(record: Record) -> None:
    role = pulumi.Output.from_input(1).apply(lambda _: Role("demo", (), (Fact("a", "true"),), secret_facts=True))
    with pytest.raises(Exception, match="secret_facts=True"):
        record(lambda: HostState(TARGET, role, role_name="demo").facts)


def test_role_may_depend_on_what_others_put_out(record: Record) -> None:
    text = pulumi.Output.from_input("from elsewhere\n")
    role = text.apply(lambda known: Role("demo", (File("/etc/x", known),)))
    assert "from elsewhere" in command(record(lambda: HostState(TARGET, role, role_name="demo").facts)).inputs["create"]


def test_roles_of_a_machine_wait_for_each_other(record: Record) -> None:
    def program() -> None:
        first = HostState(TARGET, FIRST)
        HostState(TARGET, PLAIN, opts=pulumi.ResourceOptions(depends_on=[first]))

    assert "chick0-first-command" in record(program).one("chick0-demo-command").depends_on_names


def test_protection_reaches_the_command(record: Record) -> None:
    assert command(record(plain(opts=pulumi.ResourceOptions(protect=True)))).protect


def test_without_a_probe_the_token_makes_no_difference(record: Record) -> None:
    assert command(record(plain())).ignore_changes == ("delete",)


def test_what_a_probe_found_is_the_only_difference(record: Record) -> None:
    before = command(record(plain()))
    after = command(record(plain(findings={"chick0-demo-command": "a1b2"})))
    assert after.ignore_changes == ()
    assert after.inputs == before.inputs | {"delete": ": probe a1b2"}


def test_preview_knows_the_script_and_not_the_facts(record: Record) -> None:
    recorded = record(plain(), preview=True)
    assert "verb=${1:-apply}" in command(recorded).inputs["create"]


def test_state_says_whose_role_it_is(record: Record) -> None:
    (found,) = record(plain()).all("henhouse:host:HostState")
    assert found.inputs == {"machine": "chick0", "role": "demo"}


def test_role_that_is_an_output_needs_a_name(record: Record) -> None:
    role = pulumi.Output.from_input(PLAIN)
    with pytest.raises(ValueError, match="chick0: a role that is an output needs role_name"):
        record(lambda: HostState(TARGET, role).facts)


@pytest.mark.parametrize(
    "noise", ["hello\n", "Last login: today\n{1, 2}\n", "[1, 2]\n\n"], ids=["greeting", "banner", "numbers"]
)
def test_greeting_of_a_machine_is_not_a_fact(record: Record, noise: str) -> None:
    """Bash reads `.bashrc` when sshd runs a command, and what that prints comes first; `.bash_logout` comes last."""
    printed = f'{noise}{{"id": "a1"}}\nbye\n'
    recorded = record(plain(), outputs={"chick0-demo-command": {"stdout": printed}})
    assert recorded.result == {"id": "a1"}


def test_machine_that_prints_no_facts_is_an_error_with_its_words() -> None:
    with pytest.raises(ValueError, match="printed no facts, but: This account is locked"):
        facts_of("This account is locked\n")


def test_role_that_remembers_is_told_when_the_engine_knows_it(record: Record) -> None:
    """The engine runs `create` until it has succeeded once, and `update` from then on."""
    role = Role("demo", (Script("once", check="[ -e /made ]", apply='echo "${applied_before-}"'),), remembers=True)
    inputs = command(record(lambda: HostState(TARGET, role))).inputs
    assert "applied_before=yes" not in inputs["create"]
    assert inputs["update"] == f"applied_before=yes\n{inputs['create']}"
