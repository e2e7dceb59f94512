"""Whether a server computes, asked before it is stopped as idle; shipped to the hub beside its configuration.

Jupyter Server notes each message of a kernel as use, and tells the hub of the last one. A kernel that computes for
hours and prints nothing sends none, so without a browser it would be stopped in the middle of its work.

The hub asks, with a token of the person's own for that server alone: the culler's would open the servers of others to
whoever reads it in theirs.
"""

import json
from typing import Any, Final

from bounds import bounded_client
from jupyterhub import orm
from jupyterhub.apihandlers import APIHandler
from jupyterhub.scopes import needs_scope
from tornado.httpclient import HTTPRequest
from tornado.web import HTTPError

PATH: Final = r"/api/henhouse/computes/([^/]+)/([^/]*)"
"""Behind the hub's own prefix: a person, and the name of their server, empty for the usual one."""
ANSWER_SECONDS: Final = 10
"""How long a server has for its answer."""
NO_ANSWER: Final = 599
"""What tornado calls it when there is none in time, or one that is too long."""


class Computing(APIHandler):  # type: ignore[misc, unused-ignore]
    """Tells a service that may stop a server whether one of its kernels computes."""

    @needs_scope("delete:servers")
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Send `computes`, null where the server does not say it in time.

        A kernel that waits for `input()` counts, as it does in the server itself.
        """
        if not isinstance(self.current_user, orm.Service):
            raise HTTPError(404)  # the culler asks; a person could have the hub ask their server without end
        user = self.find_user(user_name)
        spawner = user.spawners[server_name] if user and server_name in user.spawners else None
        if spawner is None or not spawner.ready:
            raise HTTPError(404, "no such server runs")
        self.finish({"computes": await self._computes(user, spawner)})

    async def _computes(self, user: Any, spawner: Any) -> bool | None:
        whose = f"access:servers!server={user.name}/{spawner.name}"
        # JupyterHub takes what comes with a note that begins so for no use by the person (handlers/base.py).
        note = f"Server at {spawner.server.base_url}: does a kernel compute?"
        token = user.new_api_token(note=note, expires_in=60, scopes=[whose])
        try:
            request = HTTPRequest(
                f"{spawner.server.url}api/kernels",
                headers={"Authorization": f"token {token}"},
                follow_redirects=False,
                connect_timeout=ANSWER_SECONDS,
                request_timeout=ANSWER_SECONDS,
            )
            client = bounded_client()
            try:
                answer = await client.fetch(request)
            finally:
                client.close()
            return any(each["execution_state"] == "busy" for each in json.loads(answer.body))
        except Exception as error:  # whatever a person's own program answers
            self.log.info("%s does not say whether it computes: %r", spawner._log_name, error)
            return None if isinstance(error, OSError) or getattr(error, "code", 0) == NO_ANSWER else False
        finally:
            if given := orm.APIToken.find(self.db, token):
                self.db.delete(given)
                self.db.commit()
