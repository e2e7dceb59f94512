"""Reads a new configuration as the hub will, and ends; runs before the hub that people use is stopped for it.

JupyterHub starts up to the point where it would listen, on an empty database that is thrown away, and makes a spawner.
What a fragment, a service or a role of the site's would end the hub with ends this program first.
"""

import asyncio
import re
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from henhouse_hub import site
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets import TraitError

CONFIG: Final = Path(__file__).with_name("jupyterhub_config.py")
FRAGMENT: Final = re.compile(rf"^{re.escape(str(CONFIG.parent))}/[0-9]{{2}}-[^/]*$")
MESSAGE: Final = Path("/dev/termination-log")
"""What is written here is in the pod's status, and so in what Pulumi says (Kubernetes, `terminationMessagePath`)."""


async def rehearse(settings: Mapping[str, object]) -> None:
    """Raise what the hub would end with; `settings` are JupyterHub's, and have the last word over the configuration."""
    hub = JupyterHub.instance(config_file=str(CONFIG))
    await hub.initialize([f"--JupyterHub.{name}={value}" for name, value in settings.items()])
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


def main() -> None:
    """Rehearse; say what is wrong and exit with 1 if anything is."""
    with tempfile.TemporaryDirectory() as directory:
        database = f"sqlite:///{directory}/jupyterhub.sqlite"
        # What fragments look up or write beside the database is the hub's, and not for a rehearsal.
        site.update(directory=directory, database_url=database)
        try:
            asyncio.run(rehearse({"db_url": database, "db_kwargs": {}, "upgrade_db": False}))
        except (Exception, SystemExit) as error:  # with whatever status a fragment exits, the hub would be gone
            traceback.print_exc()
            MESSAGE.write_text(reason(error))
            sys.exit(1)


if __name__ == "__main__":
    main()
