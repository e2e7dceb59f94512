"""A person who waits for a server reads in plain words what is awaited, and no longer why the last one was stopped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from culling import Notes
from henhouse_hub import c, site
from telling import told

notes = Notes(site["directory"])


# Of whichever spawner the fragments before this one chose.
class Telling(c.JupyterHub.spawner_class):
    """A spawner that describes its steps in plain words, those before its request to Kubernetes among them."""

    awaited = ""
    """What the start waits for before the request to Kubernetes; empty when it waits for nothing."""

    def start(self) -> Any:
        """Start."""
        if not self.name:
            notes.forget(self.user.name)
        return super().start()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps, each with what it means."""
        for remark in getattr(self, "remarks", ()):  # a site's fragment may have a spawner of its own
            yield {"progress": 0, "message": remark}
        said = ""
        while self.awaited:
            if self.awaited != said:
                said = self.awaited
                yield {"progress": 0, "message": said}
            await asyncio.sleep(1)
        async for step in super().progress():
            yield told(step)


c.JupyterHub.spawner_class = Telling
