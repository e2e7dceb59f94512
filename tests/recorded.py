"""What a program registers with the engine, kept for tests.

Pulumi's mocks pass on types, names and inputs only. The monitor here keeps each whole request, so that a test can state
a promise about protection, parents, dependencies or secrets as well.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc, set_all_config, set_mocks
from pulumi.runtime.proto import resource_pb2, source_pb2
from pulumi.runtime.settings import SETTINGS, get_root_resource
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

PROJECT: Final = "henhouse"
UNKNOWN: Final = rpc.UNKNOWN
"""Stands for a value that is not known in a preview."""

_SIGNATURE: Final = rpc._special_sig_key
_SECRET: Final = rpc._special_secret_sig

Outputs = Mapping[str, Mapping[str, Any]]
"""Outputs to give to resources, by logical name or by type token, in the engine's camelCase; they are merged into the
inputs, which are echoed. A name wins over a type. A role's command answers with its facts, each with some value."""

_FACT: Final = re.compile(r"^  fact (\S+) fact_\d+ (?:lasting|passing)$", re.MULTILINE)


@dataclass(frozen=True)
class Registration:
    """One resource as it was registered, inputs in the engine's camelCase with secrets unwrapped."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    secret_keys: frozenset[str]
    """The top-level inputs that are, or hold, a secret."""
    request: resource_pb2.RegisterResourceRequest
    outputs: dict[str, Any]
    """What a custom resource answered, or what a component registered."""

    @property
    def custom(self) -> bool:
        """False for a component."""
        return self.request.custom

    @property
    def parent(self) -> str:
        """URN of its parent; empty for the stack itself."""
        return self.request.parent

    @property
    def parent_name(self) -> str:
        """Logical name of its parent."""
        return self.parent.rpartition("::")[2]

    @property
    def protect(self) -> bool:
        """Refuses to be deleted."""
        return self.request.protect

    @property
    def retain_on_delete(self) -> bool:
        """Only forgotten when it is deleted."""
        return self.request.retainOnDelete

    @property
    def ignore_changes(self) -> tuple[str, ...]:
        """Inputs whose changes make no difference."""
        return tuple(self.request.ignoreChanges)

    @property
    def additional_secret_outputs(self) -> tuple[str, ...]:
        """Outputs that are kept as secrets whatever the provider says."""
        return tuple(self.request.additionalSecretOutputs)

    @property
    def depends_on(self) -> frozenset[str]:
        """URNs of all that it depends on, by an option or through an input."""
        return frozenset(self.request.dependencies)

    @property
    def depends_on_names(self) -> frozenset[str]:
        """Logical names of all that it depends on."""
        return frozenset(urn.rpartition("::")[2] for urn in self.depends_on)


@dataclass
class Recorded:
    """All that a program registered, in order, and what it left behind."""

    registrations: list[Registration] = field(default_factory=list)
    result: Any = None
    """What the program returned, outputs resolved."""
    exports: dict[str, Any] = field(default_factory=dict)
    """The stack's outputs."""
    secret_exports: frozenset[str] = frozenset()
    """Names of those outputs that are secrets."""

    def __iter__(self) -> Iterator[Registration]:
        return iter(self.registrations)

    def all(self, type: str | None = None, *, parent: str | None = None) -> list[Registration]:
        """Every resource of this type token, and below the parent of this logical name, where given."""
        return [
            each
            for each in self.registrations
            if (type is None or each.type == type) and (parent is None or each.parent_name == parent)
        ]

    def one(self, name: str, type: str | None = None) -> Registration:
        """Return the resource of this logical name; with `type` where a component and its child share the name."""
        found = [each for each in self.all(type) if each.name == name]
        if len(found) != 1:
            known = ", ".join(sorted(f"{each.name} ({each.type})" for each in self.registrations))
            raise AssertionError(f"{len(found)} resources are called {name!r}; there are: {known}")
        return found[0]


class _Mocks(mocks.Mocks):
    """Echoes inputs, merged with the outputs that a test gives."""

    def __init__(self, outputs: Outputs, calls: Outputs) -> None:
        self._outputs = outputs
        self._calls = calls

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if args.typ == "command:remote:Command":
            # A role's script prints its facts.
            facts = {fact: f"{fact} of {args.name}" for fact in _FACT.findall(str(state.get("create", "")))}
            state |= {"stdout": json.dumps(facts), "stderr": ""}
        for key in (args.typ, args.name):
            state = merged(state, self._outputs.get(key, {}))
        return f"{args.name}-id", state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return dict(self._calls.get(args.token, {})), None


class _Monitor(mocks.MockMonitor):
    def __init__(self, given: mocks.Mocks) -> None:
        super().__init__(given)
        self.recorded = Recorded()

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            raw = MessageToDict(request.object)
            registration = Registration(
                urn=response.urn,
                type=request.type,
                name=request.name,
                inputs=unwrapped(raw),
                secret_keys=frozenset(key for key, value in raw.items() if holds_secret(value)),
                request=copy.deepcopy(request),
                outputs=unwrapped(MessageToDict(response.object)) if request.custom else {},
            )
            self.recorded.registrations.append(registration)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        raw = MessageToDict(request.outputs)
        for registration in self.recorded:
            if registration.urn == request.urn:
                registration.outputs.update(unwrapped(raw))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def record(
    program: Callable[[], Any],
    *,
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    secret_config: tuple[str, ...] = (),
    outputs: Outputs | None = None,
    calls: Outputs | None = None,
    preview: bool = False,
) -> Recorded:
    """Run `program` against mocks and return what it registered.

    `config` holds the stack's configuration with full keys (`henhouse:hub`), `calls` the results of function calls by
    token. With `preview`, outputs that are not given are unknown, and `.apply` on them does not run.
    """
    given = _Mocks(outputs or {}, calls or {})
    monitor = _Monitor(given)
    set_mocks(given, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    set_all_config(dict(config or {}), list(secret_config))
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()
    stack_outputs().clear()  # one root resource serves every program of a process

    async def resolve() -> None:
        def run() -> None:
            monitor.recorded.result = _sync_await(pulumi.Output.from_input(program()).future())

        await run_pulumi_func(run)
        for name, value in stack_outputs().items():
            output = pulumi.Output.from_input(value)
            monitor.recorded.exports[name] = await output.future()
            if await output.is_secret():
                monitor.recorded.secret_exports |= {name}

    # A quarter of the time goes to where in the source each resource was made, which no test asks for.
    with patch("pulumi.runtime.resource._get_stack_trace", source_pb2.StackTrace):
        _sync_await(resolve())
    return monitor.recorded


def stack_outputs() -> dict[str, Any]:
    """Return what `pulumi.export` has collected."""
    outputs: dict[str, Any] = getattr(get_root_resource(), "outputs", {})
    return outputs


def merged(base: Any, over: Any) -> Any:
    """`over` laid on `base`, mappings merged at every depth."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def unwrapped(value: Any) -> Any:
    """Values without the wrapping that marks secrets on the wire."""
    if isinstance(value, list):
        return [unwrapped(each) for each in value]
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return unwrapped(value["value"])
        return {key: unwrapped(each) for key, each in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def holds_secret(value: Any) -> bool:
    """Whether a value on the wire is a secret or has one inside."""
    if isinstance(value, list):
        return any(holds_secret(each) for each in value)
    if isinstance(value, dict):
        return value.get(_SIGNATURE) == _SECRET or any(holds_secret(each) for each in value.values())
    return False
