"""Whoever waits for a server is told in plain words what is awaited, and no more why the last one was stopped."""

from collections.abc import AsyncIterator
from typing import Any

from culling import Notes
from henhouse_hub import c, site
from telling import told

notes = Notes(site["database_url"])


# Of whichever spawner the fragments before this one chose.
class Telling(c.JupyterHub.spawner_class):
    """A spawner whose steps are told in plain words."""

    def start(self) -> Any:
        """Start."""
        if not self.name:
            notes.forget(self.user.name)
        return super().start()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps, each with what it means."""
        async for step in super().progress():
            yield told(step)


c.JupyterHub.spawner_class = Telling
