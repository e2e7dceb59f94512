"""Run by JupyterHub's own interpreter: brings the tables of a database to a revision.

`alembic_revisions.py URL current|older|stamped-older|newer`: `current` makes them; `older` are those of the JupyterHub
before the last change of tables; `stamped-older` say that they are, so that the change fails; `newer` are of a
JupyterHub that is not there yet.
"""
# mypy: ignore-errors

import os
import sys
from subprocess import check_call

from alembic.script import ScriptDirectory
from jupyterhub import orm
from jupyterhub.dbutil import ALEMBIC_DIR, _temp_alembic_ini
from sqlalchemy import create_engine, text

url, wanted = sys.argv[1:]
os.environ["PATH"] = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
orm.new_session_factory(url)().close()
scripts = ScriptDirectory(ALEMBIC_DIR)
stamped = {
    "newer": "f00dfeedbeef",
    "stamped-older": scripts.get_revision(scripts.get_current_head()).down_revision,
}
if wanted == "older":
    with _temp_alembic_ini(url) as settings:
        check_call(["alembic", "-c", settings, "downgrade", "-1"])
elif wanted in stamped:
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": stamped[wanted]})
