"""HostState: a role of a machine as a resource, and the only place that builds a remote command."""

import json
from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_command import remote

from components.host import drift
from components.host.machine import Target
from components.host.render import render, standard_input
from components.host.role import Role

DIAL_TIMEOUT_SECONDS: Final = 10
DIAL_ATTEMPTS: Final = 12
"""About 40 seconds for a machine that refuses, as one that boots does; two minutes for one that says nothing."""


class HostState(pulumi.ComponentResource):
    """What a role says is true of a machine.

    Creating and updating both run the role's script, which changes only what differs. Nothing is opened in a preview.
    Deleting only forgets: what a machine holds may be somebody's data. The script is plain in the state and in plans,
    secrets reach it by standard input.

    A remote command has no Read, so the engine does not see when a machine differs. When a probe has seen it
    (`components.host.drift`), its token makes the difference in the command's `delete`, the one input that never runs,
    and the update repairs the machine; without one, changes there are ignored.
    """

    facts: pulumi.Output[dict[str, str]]
    """The role's facts by name; a secret when `secret_facts`. Not known in the preview of a change of the role, so
    facts that much depends on belong to a role that seldom changes."""

    def __init__(
        self,
        name: str,
        target: Target,
        role: pulumi.Input[Role],
        *,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
        secret_facts: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`name` is `<machine>-<role>`. `secrets` are the values that the role's items name. A role that is known here
        says itself whether its facts are secret; for one that is an output, `secret_facts` does."""
        super().__init__("henhouse:host:HostState", name, None, opts)
        secret_facts = secret_facts or (isinstance(role, Role) and role.secret_facts)
        given = dict(secrets or {})

        def script(known: Role) -> str:
            if known.secret_facts and not secret_facts:
                raise ValueError(f"{name}: the role's facts are secret: HostState(…, secret_facts=True)")
            return render(known, target.name, given.keys())

        create = pulumi.Output.from_input(role).apply(script)
        child = f"{name}-command"
        token = drift.token(child)
        command = remote.Command(
            child,
            connection=_connection(target),
            create=create,
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
        facts = command.stdout.apply(json.loads)
        self.facts = pulumi.Output.secret(facts) if secret_facts else facts
        self.register_outputs({"facts": self.facts})


def _connection(target: Target) -> remote.ConnectionArgs:
    """All constant: a connection is an input like any other, and a change of it would run every script again."""
    key = target.private_key
    return remote.ConnectionArgs(
        host=target.host,
        port=target.port,
        user=target.user,
        host_key=target.host_key,
        private_key=pulumi.Output.secret(key.get_secret_value()) if key else None,
        per_dial_timeout=DIAL_TIMEOUT_SECONDS,
        dial_error_limit=DIAL_ATTEMPTS,
    )


def _stdin(name: str, secrets: Mapping[str, pulumi.Input[str]], create: pulumi.Output[str]) -> pulumi.Output[str]:
    def lines(known: list[str]) -> str:
        script, *values = known
        for key, value in zip(secrets, values, strict=True):
            if len(value) >= 8 and value in script:
                raise ValueError(f"{name}: the value of the secret {key} is in the script, which is not kept secret")
        return standard_input(dict(zip(secrets, values, strict=True)))

    return pulumi.Output.secret(pulumi.Output.all(create, *secrets.values()).apply(lines))
