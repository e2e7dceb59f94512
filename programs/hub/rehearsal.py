"""Reads a new configuration as the hub will, and ends; runs before the hub that people use is stopped for it.

JupyterHub starts up to the point where it would listen, on an empty database that is thrown away, and makes a spawner.
`rehearsal.py PORT`: where Kubernetes will ask whether the hub is well.
"""

import asyncio
import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from henhouse_hub import site
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets import TraitError

CONFIG: Final = Path(__file__).with_name("jupyterhub_config.py")
FRAGMENT: Final = re.compile(rf"^{re.escape(str(CONFIG.parent))}/[0-9]{{2}}-[^/]*$")
MESSAGE: Final = Path("/dev/termination-log")
"""What is written here is in the pod's status, and so in what Pulumi says (Kubernetes, `terminationMessagePath`)."""
LONGEST_MESSAGE: Final = 1500
"""Characters. The kubelet keeps the last 4096 bytes, and the place in the fragment stands first."""
LONGEST_SECONDS: Final = 300
"""Half of the time for which Pulumi waits for a Job. It takes seconds where a fragment does not hang."""
SHORTEST_SECRET: Final = 4


class Unusable(Exception):
    """A configuration with which JupyterHub starts, and Kubernetes takes it for dead."""


async def rehearse(settings: Mapping[str, object], port: int) -> None:
    """Raise what the hub would end with; `settings` are JupyterHub's, and have the last word over the configuration."""
    hub = JupyterHub.instance(config_file=str(CONFIG))
    await hub.initialize([f"--JupyterHub.{name}={value}" for name, value in settings.items()])
    if (where := (hub.hub.port, hub.hub.base_url)) != (port, "/hub/"):
        raise Unusable(f"the hub has to answer at {(port, '/hub/')}, and would at {where}")
    for service in hub._service_map.values():
        if service.managed and not shutil.which(service.command[0]):
            raise Unusable(f"the hub has no program {service.command[0]}, which its service {service.name} runs")
    person = orm.User(name="rehearsal")
    hub.db.add(person)
    hub.db.commit()
    # A spawner reads its configuration when it is made, which else is when a person's server starts.
    hub.users.add(person).spawners[""]


def reason(error: BaseException) -> str:
    """Return what is wrong, with the fragment and its line if the error came from there."""
    # traitlets says what a setting may be in the log, and exits.
    if isinstance(error, SystemExit) and isinstance(error.__context__, TraitError):
        return reason(error.__context__)
    said = "".join(traceback.format_exception_only(error)).strip()
    fragments = [each for each in traceback.extract_tb(error.__traceback__) if FRAGMENT.search(each.filename)]
    return f"{Path(fragments[-1].filename).name}, line {fragments[-1].lineno}: {said}" if fragments else said


def without_secrets(text: str, kept: Path) -> str:
    """Return a text in which each secret of the hub's is replaced by the name of its file.

    Whoever may list pods reads their status, and Pulumi's state keeps it as it is.
    """
    secrets = {path.read_text(errors="replace").strip(): path.name for path in kept.iterdir() if path.is_file()}
    for value in sorted(secrets, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, f"[{secrets[value]}]")
    return text


def _took_too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"it has not come to an end in {LONGEST_SECONDS} s")


def main(port: int) -> int:
    """Rehearse, say what is wrong, and return the exit status."""
    database = f"sqlite:///{site['directory']}/rehearsal.sqlite"
    site["database_url"] = database  # fragments look into it before JupyterHub does
    settings: dict[str, Any] = {"db_url": database, "db_kwargs": {}, "upgrade_db": False}
    signal.signal(signal.SIGALRM, _took_too_long)
    signal.alarm(LONGEST_SECONDS)
    # Not asyncio.run, which at the end waits for whatever a fragment has begun.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(rehearse(settings, port))
    except (Exception, SystemExit) as error:  # with whatever status a fragment exits, the hub would be gone
        traceback.print_exc()
        MESSAGE.write_text(without_secrets(reason(error), Path(site["secrets_directory"]))[:LONGEST_MESSAGE])
        return 1
    return 0


if __name__ == "__main__":
    status = main(int(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads of fragments may run for as long as the hub does
