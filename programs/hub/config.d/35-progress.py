"""Whoever waits for a server is told in plain words what is awaited."""

from collections.abc import AsyncIterator
from typing import Any

from henhouse_hub import c
from telling import told


# Of whichever spawner the fragments before this one chose.
class Telling(c.JupyterHub.spawner_class):
    """A spawner whose steps are told in plain words."""

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps, each with what it means."""
        async for step in super().progress():
            yield told(step)


c.JupyterHub.spawner_class = Telling
