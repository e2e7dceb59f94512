"""The culler's own configuration: jupyterhub-idle-culler asks for each server whether it is to be stopped."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside this file

from culling import Limits, Notes, limits_for, shortest
from jupyterhub_idle_culler import IdleCuller
from tornado.httpclient import AsyncHTTPClient

site = json.loads(Path(__file__).with_name("site.json").read_text())
cull = site["cull"]
notes = Notes(site["directory"])
asking = asyncio.Semaphore(cull["concurrency"])


async def limits_of(name: str) -> Limits:
    """Return a person's limits; raise where the hub does not say which groups they are in, and nothing is stopped."""
    if not cull["groups"]:
        return limits_for(cull, ())
    url = f"{IdleCuller.instance().url}/users/{quote(name, safe='')}"
    async with asking:
        answer = await AsyncHTTPClient().fetch(
            url, headers={"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
        )
    return limits_for(cull, json.loads(answer.body)["groups"])


async def exceeds(*, inactive: timedelta, server: dict[str, Any], **_: Any) -> bool:
    """Return whether a server has run for longer than its owner's servers may, and note why."""
    age = datetime.now(UTC) - datetime.fromisoformat(server["started"]) if server.get("started") else inactive
    if not shortest(cull).exceeded(inactive, age):
        return False
    name, _, which = server["full_name"].partition("/")
    why = (await limits_of(name)).exceeded(inactive, age)
    if why and not which:
        notes.write(name, why)
    return why is not None


c = get_config()  # type: ignore[name-defined]  # noqa: F821 (traitlets defines it)
c.IdleCuller.cull_arbiter_hook = exceeds
