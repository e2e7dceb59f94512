"""Whether a server computes, asked before it is stopped as idle; shipped to the hub beside its configuration.

Jupyter Server notes each message of a kernel as use, and tells the hub of the last one. A kernel that computes for
hours and prints nothing sends none, so without a browser it would be stopped in the middle of its work.

The hub asks, with a token of the person's own for that server alone: the culler's would open the servers of others to
whoever reads it in theirs.
"""

import json
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.apihandlers import APIHandler
from jupyterhub.scopes import needs_scope
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import HTTPError

PATH: Final = r"/api/henhouse/computes/([^/]+)/([^/]*)"
"""Behind the hub's own prefix: a person, and the name of their server, empty for the usual one."""
ANSWER_SECONDS: Final = 10
"""How long a server has for its answer. One that says nothing is judged by what it told before."""
LONGEST_ANSWER: Final = 2**20
"""Bytes. What it says of one kernel has about 300."""


class Computing(APIHandler):  # type: ignore[misc, unused-ignore]
    """Tells whoever may stop a server whether one of its kernels computes."""

    @needs_scope("delete:servers")
    async def get(self, user_name: str, server_name: str = "") -> None:
        """Send `computes`. A kernel that waits for `input()` counts, as it does in the server itself."""
        user = self.find_user(user_name)
        spawner = user.spawners[server_name] if user and server_name in user.spawners else None
        if spawner is None or not spawner.ready:
            raise HTTPError(404, "no such server runs")
        self.finish({"computes": await self._computes(user, spawner)})

    async def _computes(self, user: Any, spawner: Any) -> bool:
        whose = f"access:servers!server={user.name}/{spawner.name}"
        token = user.new_api_token(note="Asks whether a kernel computes", expires_in=60, scopes=[whose])
        try:
            request = HTTPRequest(
                f"{spawner.server.url}api/kernels",
                headers={"Authorization": f"token {token}"},
                follow_redirects=False,
                request_timeout=ANSWER_SECONDS,
            )
            client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=LONGEST_ANSWER)
            try:
                answer = await client.fetch(request)
            finally:
                client.close()
            return any(each["execution_state"] == "busy" for each in json.loads(answer.body))
        except Exception as error:  # whatever a person's own program answers
            self.log.info("%s does not say whether it computes: %r", spawner._log_name, error)
            return False
        finally:
            if given := orm.APIToken.find(self.db, token):
                self.db.delete(given)
                self.db.commit()
