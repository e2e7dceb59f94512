"""Whoever waits for a server is told in plain words what is awaited."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from henhouse_hub import c
from telling import told


# Of whichever spawner the fragments before this one chose.
class Telling(c.JupyterHub.spawner_class):
    """A spawner whose steps are told in plain words, those before Kubernetes is asked among them."""

    awaited = ""
    """What the start waits for before Kubernetes is asked; empty when it waits for nothing."""

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps, each with what it means."""
        said = ""
        while self.awaited:
            if self.awaited != said:
                said = self.awaited
                yield {"progress": 0, "message": said}
            await asyncio.sleep(1)
        async for step in super().progress():
            yield told(step)


c.JupyterHub.spawner_class = Telling
