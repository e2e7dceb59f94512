"""People that an administrator adds on the page Admin may log in, as a line of `allowed_users` would say.

JupyterHub calls one hook, `add_user`, for them, for whoever logs in first, and for everyone at its start. So it is the
request that tells. Shipped to the hub beside its configuration.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from jupyterhub.apihandlers.users import UserAPIHandler, UserListAPIHandler, default_handlers
from oauthenticator.oauth2 import OAuthenticator
from person import OURS
from traitlets import Bool, Unicode

ADDED: Final = "added"
"""Whose accounts an added person may come with; kept beside their login, until the person is deleted."""

_adding: ContextVar[bool] = ContextVar("adding", default=False)


@contextmanager
def _while_adding() -> Iterator[None]:
    before = _adding.set(True)
    try:
        yield
    finally:
        _adding.reset(before)


class AddPeople(UserListAPIHandler):  # type: ignore[misc, unused-ignore]
    """`POST /users`, which the page Admin sends."""

    async def post(self) -> None:
        """Add people, after upstream has looked at who asks."""
        with _while_adding():
            await super().post()


class AddPerson(UserAPIHandler):  # type: ignore[misc, unused-ignore]
    """`POST /users/NAME`."""

    async def post(self, user_name: str) -> None:
        """Add one person, after upstream has looked at who asks."""
        with _while_adding():
            await super().post(user_name)


class Admission(OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Remembers who was added. Mixed in before an OAuthenticator."""

    account_issuer = Unicode(config=True, help="Whose accounts they are: an address.")
    allow_added_users = Bool(True, config=True, help="Whether whoever an administrator adds may log in.")

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return upstream's, and those by which people are added; JupyterHub looks at these before its own."""
        ours = {each.__mro__[1]: each for each in (AddPeople, AddPerson)}
        adding = [(path, ours[handler]) for path, handler in default_handlers if handler in ours]
        return [*super().get_handlers(app), *adding]

    async def add_user(self, user: Any) -> None:
        """Remember a person that an administrator adds; others pass here when they log in first, and at each start."""
        super().add_user(user)
        if _adding.get():
            await user.save_auth_state({OURS: {ADDED: self.account_issuer}})

    def was_added(self, known: Mapping[str, Any]) -> bool:
        """Return whether a person was added, and may come in for that; `known` is what `known_of` returns."""
        return bool(self.allow_added_users and known.get(ADDED) == self.account_issuer)


def kept(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new login keeps of an earlier one, where that was known."""
    return {ADDED: known[ADDED]} if ADDED in known else {}
