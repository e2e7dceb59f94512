"""HostState: a role of a machine as a resource, and the only place that builds a remote command."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_command import remote

from components.contracts.machines import Machine, SshTarget
from converge.findings import Findings
from converge.render import APPLIED_BEFORE, render, standard_input
from converge.role import Role
from converge.state import facts_of
from converge.sudo import by_sudo

DIAL_TIMEOUT_SECONDS: Final = 10
DIAL_ATTEMPTS: Final = 12
"""About 40 seconds for a machine that refuses, as one that boots does; two minutes for one that says nothing."""


class HostState(pulumi.ComponentResource):
    """What a role says is true of a machine.

    Creating and updating both run the role's script, which changes only what differs. Nothing is opened in a preview.
    Deleting only forgets: what a machine holds may be a person's data. The script is plain in the state and in plans,
    secrets reach it by standard input. The resource's own inputs, `machine` and `role`, say whose it is.

    A remote command has no Read, so the engine does not see when a machine differs. When a probe has seen it
    (`converge.findings`), its token makes the difference in the command's `delete`, the one input that never runs, and
    the update repairs the machine; without one, changes there are ignored.
    """

    facts: pulumi.Output[dict[str, str]]
    """The role's facts by name; a secret when `secret_facts`. Not known in the preview of a change of the role, so
    facts that much depends on belong to a role that seldom changes."""

    def __init__(
        self,
        target: SshTarget,
        role: pulumi.Input[Role],
        *,
        role_name: str | None = None,
        findings: Findings | None = None,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
        secret_facts: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Name the resource ``<machine>-<role>``.

        `secrets` are the values that the role's items name. A role that is an output needs its name as `role_name`, and
        `secret_facts` where its facts are secret; one that is known here says so itself. Only such a one can remember.
        """
        subject = role.name if isinstance(role, Role) else role_name
        if subject is None:
            raise ValueError(f"{target.name}: a role that is an output needs role_name")
        name = f"{target.name}-{subject}"
        super().__init__("henhouse:host:HostState", name, {"machine": target.name, "role": subject}, opts)
        secret_facts = secret_facts or (isinstance(role, Role) and role.secret_facts)
        given = dict(secrets or {})

        def script(known: Role) -> str:
            if known.secret_facts and not secret_facts:
                raise ValueError(f"{name}: the role's facts are secret: HostState(…, secret_facts=True)")
            rendered = render(known, target.name, given.keys())
            return rendered if target.is_root else by_sudo(rendered, target.name, target.user, secrets=bool(given))

        create = pulumi.Output.from_input(role).apply(script)
        child = f"{name}-command"
        token = (findings or {}).get(child)
        command = remote.Command(
            child,
            connection=_connection(target),
            create=create,
            # The engine runs it in the place of `create` once a `create` has succeeded: the state is the memory.
            update=create.apply(lambda text: APPLIED_BEFORE + text) if _remembers(role) else None,
            delete=f": probe {token or 'none'}",
            stdin=_stdin(name, given, create) if given else None,
            add_previous_output_in_env=False,
            logging=remote.Logging.NONE if given or secret_facts else remote.Logging.STDERR,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=opts.depends_on if opts else None,
                retain_on_delete=True,
                ignore_changes=[] if token else ["delete"],
                additional_secret_outputs=["stdout", "stderr"] if secret_facts else ["stderr"] if given else None,
            ),
        )
        facts = command.stdout.apply(facts_of)
        self.facts = pulumi.Output.secret(facts) if secret_facts else facts
        self.register_outputs({"facts": self.facts})


def apply(
    machine: Machine,
    role: pulumi.Input[Role],
    *,
    parent: pulumi.Resource,
    role_name: str | None = None,
    after: Sequence[pulumi.Resource] = (),
    secrets: Mapping[str, pulumi.Input[str]] | None = None,
    protect: bool = False,
) -> HostState:
    """Make a role true of a machine whose baseline is in place, as a child of `parent`.

    It comes after the resources `after`. With `protect` no plan deletes it: what it stands for is data.
    """
    return HostState(
        machine.target,
        role,
        role_name=role_name,
        findings=machine.findings,
        secrets=secrets,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[machine.ready, *after],
            protect=protect or None,
            retain_on_delete=protect or None,
        ),
    )


def _remembers(role: pulumi.Input[Role]) -> bool:
    return isinstance(role, Role) and role.remembers


def _connection(target: SshTarget) -> remote.ConnectionArgs:
    """All constant: a connection is an input like any other, and a change of it would run every script again."""
    jump = target.jump
    proxy = remote.ProxyConnectionArgs(**_inputs(jump)) if jump else None
    return remote.ConnectionArgs(**_inputs(target), proxy=proxy)


def _inputs(target: SshTarget) -> dict[str, Any]:
    """Return what a connection to a machine and one to a jump have in common."""
    key = target.private_key
    return {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "host_key": target.host_key,
        "private_key": pulumi.Output.secret(key.get_secret_value()) if key else None,
        "per_dial_timeout": DIAL_TIMEOUT_SECONDS,
        "dial_error_limit": DIAL_ATTEMPTS,
    }


def _stdin(name: str, secrets: Mapping[str, pulumi.Input[str]], create: pulumi.Output[str]) -> pulumi.Output[str]:
    def lines(known: list[str]) -> str:
        script, *values = known
        for key, value in zip(secrets, values, strict=True):
            if len(value) >= 8 and value in script:
                raise ValueError(f"{name}: the value of the secret {key} is in the script, which is not kept secret")
        return standard_input(dict(zip(secrets, values, strict=True)))

    return pulumi.Output.secret(pulumi.Output.all(create, *secrets.values()).apply(lines))
