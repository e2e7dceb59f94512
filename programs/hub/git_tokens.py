"""A person's token of the provider, for git in their own server; shipped to the hub beside its configuration.

JupyterHub gives the `auth_state` of all people to whoever has the scope admin:auth_state. Given to servers, it would
open everything that a login left. A role of servers with a scope of our own would have to go through the role of every
person as well, so through every token that a person makes, and may be one that the site has changed (`hub.loadRoles`).
So this asks for one thing alone: that the token is the one which the hub made for a server of this person that runs. A
note can be copied, by whoever may make tokens in the person's name; they may open a terminal in that server as well.
"""

from collections.abc import Callable
from typing import Any, Final

from jupyterhub.apihandlers import APIHandler
from tornado.web import HTTPError

PATH: Final = "/api/henhouse/git-credential"
"""Behind the hub's own prefix; `git_credential.py` asks there."""
PUSHES: Final = frozenset(("public_repo", "repo"))
"""Scopes of GitHub's that let a token write to a repository; settings demand one of them."""
OF_THE_HUB: Final = "jupyterhub"
"""The client of tokens that the hub makes by itself. Those that it gives for a visit to a server have the server's."""


class GitCredential(APIHandler):  # type: ignore[misc, unused-ignore]
    """Answers a server with the token of its own person, and no other request."""

    _accept_cookie_auth = False

    def initialize(self, granted: Callable[[dict[str, Any]], set[str]], account_key: str) -> None:
        """Remember how to see what the person lets the hub do, and where the login keeps their account."""
        self.granted, self.account_key = granted, account_key

    async def get(self) -> None:
        """Send `username` and `password` as they are now: a new login brings another token."""
        self.set_header("Cache-Control", "no-store")
        user, token = self.current_user, self.get_token()
        if not (user and token and self._is_of_a_server(user, token)):
            raise HTTPError(403, "only the person's own server may ask for it")
        state = await user.get_auth_state() or {}
        if not state.get("access_token"):
            raise HTTPError(403, "the hub has none; please log out of the hub and log in again")
        if not self.granted(state) & PUSHES:
            raise HTTPError(403, "yours may not write; please log out of the hub, log in again and agree to it")
        self.finish({"username": state[self.account_key]["login"], "password": state["access_token"]})

    def _is_of_a_server(self, user: Any, token: Any) -> bool:
        """Return whether the hub made this token for a server of the person's that runs (jupyterhub/user.py, spawn).

        A hub that was started again leaves the tokens of servers that end, so the newest of a server's is the one.
        """
        if token.user_id != getattr(user, "id", None) or token.client_id != OF_THE_HUB:
            return False
        running = (each for each in user.spawners.values() if each.active and each.server)
        if not any(token.note == f"Server at {each.server.base_url}" for each in running):
            return False
        alike = (each for each in user.orm_user.api_tokens if (each.client_id, each.note) == (OF_THE_HUB, token.note))
        return bool(max(each.id for each in alike) == token.id)
