"""What a provider stand-in is made of: types of resources, and the requests that reach them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from weakref import WeakSet

from engine.standins.diffs import Diff, differences, top
from engine.standins.values import UNKNOWN, Props, Secret, plain


class Failed(Exception):
    """The operation failed; the resource is as it was before."""


class PartlyDone(Exception):
    """The object exists but is not as wanted: the engine records it, shows the reasons, and retries next time."""

    def __init__(self, id: str, state: Props, inputs: Props, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.id = id
        self.state = state
        self.inputs = inputs
        self.reasons = reasons


class Invalid(Exception):
    """Inputs that cannot be accepted: (property, reason) pairs."""

    def __init__(self, *failures: tuple[str, str]) -> None:
        super().__init__(str(failures))
        self.failures = failures


Speak = Callable[[str, str, bool], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """One request of the engine."""

    urn: str
    speak: Speak
    timeout: float = 0
    """Seconds that the program's `custom_timeouts` grants the operation; 0 leaves it to the provider."""
    seed: bytes = b""
    """Random bytes that the preview and the update of one resource share."""
    proposed_name: str = ""
    """What the project's autonaming rules would have the object called."""

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.split("::", 3)[3]

    @property
    def token(self) -> str:
        """The resource's type, without its parents'."""
        return self.urn.split("::")[2].split("$")[-1]

    async def say(self, text: str) -> None:
        """Show a line while the operation lasts."""
        await self.speak(self.urn, text, True)


class Resource:
    """One type of resource. The defaults suit a thing that is made once from its inputs."""

    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change needs a new resource."""
    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are not inputs."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Inputs and outputs that are secret by nature, also while they are not known."""

    def sealed(self, values: Props, inputs: Props) -> Props:
        """Return checked inputs or a state as the engine gets it, with what is secret in it marked.

        `inputs` are those that it comes from, with their secrets marked if the plugin accepts secrets.
        """
        return {
            key: Secret(plain(value)) if key in self.hidden and value is not None else value
            for key, value in values.items()
        }

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        """Return the inputs, completed; raise Invalid when they cannot be accepted."""
        return news

    async def diff(self, call: Call, state: Props, olds: Props, news: Props) -> Diff:
        """Return what would change from the inputs `olds` to `news`."""
        changes = differences(olds, news)
        return Diff(changes, [path for path in changes if top(path) in self.replace_on])

    async def preview_create(self, call: Call, news: Props) -> Props:
        """Return the state that `create` would return, as far as it is known."""
        return {**news, **dict.fromkeys(self.outputs, UNKNOWN)}

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        """Make the object and return its id and state."""
        raise NotImplementedError

    async def preview_update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        """Return the state that `update` would return, as far as it is known."""
        return {**news, **dict.fromkeys(self.outputs, UNKNOWN)}

    async def update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        """Change the object in place and return its new state."""
        raise NotImplementedError

    async def read(self, call: Call, id: str, state: Props, inputs: Props) -> tuple[Props, Props] | None:
        """Return (state, inputs) as they are now; None when the object has gone."""
        return state, inputs

    async def delete(self, call: Call, id: str, state: Props) -> None:
        """Remove the object."""


def suffix(seed: bytes = b"") -> str:
    """Eight hexadecimal digits: the seed's, else random ones."""
    return seed[:4].hex() if len(seed) >= 4 else secrets.token_hex(4)


_DEAF: Final[WeakSet[asyncio.Task[Any]]] = WeakSet()


@contextmanager
def to_its_end() -> Iterator[None]:
    """Let what runs inside continue when the engine's Cancel comes; a time limit still ends it."""
    task = asyncio.current_task()
    assert task is not None
    _DEAF.add(task)
    try:
        yield
    finally:
        _DEAF.discard(task)


def hears_cancel(task: asyncio.Task[Any]) -> bool:
    """Whether the engine's Cancel ends this task now."""
    return task not in _DEAF
