"""Reads a new configuration as the hub will, and ends; runs before the hub that people use is stopped for it.

JupyterHub starts up to the point where it would listen, on an empty database that is thrown away, and makes a spawner.
`rehearsal.py PORT`: where Kubernetes will ask whether the hub is well.
"""

import asyncio
import faulthandler
import os
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from henhouse_hub import site
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from termination import tell
from traitlets import TraitError

CONFIG: Final = Path(__file__).with_name("jupyterhub_config.py")
FRAGMENT: Final = re.compile(rf"^{re.escape(str(CONFIG.parent))}/[0-9]{{2}}-[^/]*$")
SECRETS: Final = Path(site["secrets_directory"])
LONGEST_SECONDS: Final = 300
"""Half of the time for which Pulumi waits for a Job. It takes seconds where a fragment does not hang."""


class Unusable(Exception):
    """A configuration with which JupyterHub would end after it has begun to listen, or be taken for dead."""


async def rehearse(settings: Mapping[str, object], port: int) -> None:
    """Raise what the hub would end with; `settings` are JupyterHub's, and have the last word over the configuration."""
    hub = JupyterHub.instance(config_file=str(CONFIG))
    await hub.initialize([f"--JupyterHub.{name}={value}" for name, value in settings.items()])
    if unknown := list(misspelt(hub)):
        raise Unusable("; ".join(unknown))
    if (where := (hub.hub.port, hub.hub.base_url)) != (port, "/hub/"):
        raise Unusable(f"the hub has to answer at {(port, '/hub/')}, and would at {where}")
    for service in hub._service_map.values():
        if service.managed and not is_there(service):
            raise Unusable(f"the hub has no program {service.command[0]}, which its service {service.name} runs")
    person = orm.User(name="rehearsal")
    hub.db.add(person)
    hub.db.commit()
    # A spawner reads its configuration when it is made, which else is when a person's server starts.
    hub.users.add(person).spawners[""]


def misspelt(hub: JupyterHub) -> Iterator[str]:
    """Yield what the configuration sets of the classes in use that they do not have: JupyterHub starts without it.

    What is said of a class holds for the traits of those that inherit from it, too.
    """
    in_use = (type(hub), type(hub.authenticator), hub.spawner_class, type(hub.proxy))
    for section, values in hub.config.items():
        meant = [each for each in in_use if section in (ancestor.__name__ for ancestor in each.__mro__)]
        known = {name for each in meant for name in each.class_traits()}
        for name in values if meant else ():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                yield f"c.{section}.{name}: there is no such setting" + (f"; is it {near[0]}?" if near else "")


def is_there(service: Any) -> bool:
    """Return whether a service's program is where the hub will look for it; one beside the database may be."""
    program = str(Path(service.cwd or ".", service.command[0])) if "/" in service.command[0] else service.command[0]
    return program.startswith(site["directory"]) or bool(shutil.which(program, path=service.environment.get("PATH")))


def reason(error: BaseException) -> str:
    """Return what is wrong, with the fragment and its line if the error came from there."""
    # traitlets says what a setting may be in the log, and exits.
    if isinstance(error, SystemExit) and isinstance(error.__context__, TraitError):
        return reason(error.__context__)
    return placed(traceback.extract_tb(error.__traceback__), "".join(traceback.format_exception_only(error)).strip())


def placed(frames: traceback.StackSummary, said: str) -> str:
    """Return what is said with the last place in a fragment before it, if there is one."""
    places = [each for each in frames if FRAGMENT.search(each.filename)]
    return f"{Path(places[-1].filename).name}, line {places[-1].lineno}: {said}" if places else said


def give_up() -> None:
    """Say where the configuration is after too long a time, and end.

    It runs in a thread of its own: an error raised in a fragment could be caught there, as an attempt to be repeated.
    """
    frame = sys._current_frames()[threading.main_thread().ident or 0]
    tell(placed(traceback.extract_stack(frame), f"has not come to an end in {LONGEST_SECONDS} s"), SECRETS)
    faulthandler.dump_traceback()
    os._exit(1)


def main(port: int) -> int:
    """Rehearse, say what is wrong, and return the exit status."""
    database = f"sqlite:///{site['directory']}/rehearsal.sqlite"
    site["database_url"] = database  # fragments look into it before JupyterHub does
    settings: dict[str, Any] = {"db_url": database, "db_kwargs": {}, "upgrade_db": False}
    watch = threading.Timer(LONGEST_SECONDS, give_up)
    watch.daemon = True
    watch.start()
    # Not asyncio.run, which at the end waits for whatever a fragment has begun.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(rehearse(settings, port))
    except (Exception, SystemExit) as error:  # with whatever status a fragment exits, the hub would be gone
        traceback.print_exc()
        tell(reason(error), SECRETS)
        return 1
    return 0


if __name__ == "__main__":
    status = main(int(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads of fragments may run for as long as the hub does
