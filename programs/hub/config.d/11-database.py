"""JupyterHub finds a database whose tables it can use; else it is not started, and nothing is copied.

Fragments behind this one look into the tables, and JupyterHub changes older ones once all have been read.
"""

import sys

from database import connected, file_of, is_there
from henhouse_hub import site
from revisions import drop_repeated, is_current, refusal, revision

url = site["database_url"]
if is_there(url):
    file = file_of(url)
    with connected(url) as connection:
        found = revision(connection)
    if wrong := refusal(found, upgrades=site["database_upgrades"], file=file):
        sys.exit(wrong)
    if file and not is_current(found) and (dropped := drop_repeated(file)):
        print(f"the database: dropped copies of what is in {file.name} itself: {', '.join(dropped)}", file=sys.stderr)
