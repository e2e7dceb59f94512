"""The provider's configuration, and whether its API server answers."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from engine.standins.kubernetes.api import Cluster, Unreachable
from engine.standins.resources import Call

_NOT_ASKED: Final = (
    "the API server at {} does not answer: the objects were not checked by a dry run there, and the plan only compares "
    "the program with the state"
)


class Settings:
    """The provider's configuration, as far as it concerns objects."""

    def __init__(self, config: Mapping[str, Any], cluster: Callable[[], Cluster], namespace: str) -> None:
        self._config = config
        self.cluster = cluster
        """The API server; raises Unreachable when the configuration names none."""
        self.namespace = namespace
        self._said = False

    def flag(self, name: str) -> bool:
        """Return a setting that is true or false; the SDK sends text."""
        return str(self._config.get(name, "")).lower() == "true"

    async def reachable(self, call: Call) -> Cluster | None:
        """Return the API server if it answers, else None; say once that it does not."""
        try:
            cluster = self.cluster()
        except Unreachable:
            return None
        if await cluster.answers():
            return cluster
        if not self._said:
            self._said = True
            await call.speak(call.urn, _NOT_ASKED.format(cluster.access.server), False)
        return None

    async def ask_in_vain(self) -> None:
        """Ask the API server that did not answer once more, if there is one."""
        with suppress(Unreachable):
            await self.cluster().ask_in_vain()
