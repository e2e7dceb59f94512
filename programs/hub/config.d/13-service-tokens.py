"""Services have the tokens of the settings and no others, such as one that a rotation has replaced.

JupyterHub adds those of its configuration at each start, and those that it makes for services that it runs itself, and
takes none back (app.py, `_add_tokens`). So all of them go before.
"""

from database import connected, has_table, is_there
from henhouse_hub import site

if is_there(site["database_url"]):
    with connected(site["database_url"]) as connection:
        cursor = connection.cursor()
        if has_table(cursor, "api_tokens"):
            cursor.execute("DELETE FROM api_tokens WHERE service_id IS NOT NULL")
