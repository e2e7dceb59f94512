"""People that an administrator adds on the page Admin may log in, as a line of `allowed_users` would say.

JupyterHub calls one hook, `add_user`, for them, for whoever logs in first, and for everyone at its start. So it is the
request that tells. Shipped to the hub beside its configuration.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from weakref import WeakValueDictionary

from jupyterhub.apihandlers.users import UserAPIHandler, UserListAPIHandler, default_handlers
from jupyterhub.crypto import encrypt
from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthenticator
from person import OURS, known_of
from tornado.web import HTTPError
from traitlets import Bool, Set, Unicode

ADDED: Final = "added"
"""Kept beside the login of a person who was added: by which name, and with whose account, they may come in."""
NO_ADMINISTRATOR: Final = (
    "Whoever has the name at the provider first would be an administrator. Let the person log in by hub.login, such as "
    "allowed_users, and make them one then."
)

_adder: ContextVar[str] = ContextVar("adder", default="")
_arriving: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
"""By the name with which someone is about to come in: one at a time, since a login is kept in several steps."""


@contextmanager
def _adding(handler: Any, names: Collection[Any], body: Mapping[str, Any]) -> Iterator[None]:
    """Let `add_user` know who adds people. Refuse administrators."""
    normal = {handler.authenticator.normalize_username(name) for name in names if isinstance(name, str)}
    if "admin:users" in handler.parsed_scopes and (body.get("admin") or normal & handler.authenticator.admin_users):
        raise HTTPError(400, "%s", NO_ADMINISTRATOR)
    before = _adder.set(getattr(handler.current_user, "name", ""))
    try:
        yield
    finally:
        _adder.reset(before)


def _body_of(handler: Any) -> Mapping[str, Any]:
    body = handler.get_json_body()
    return body if isinstance(body, dict) else {}  # upstream refuses the others


class AddPeople(UserListAPIHandler):  # type: ignore[misc, unused-ignore]
    """`/users`, to which the page Admin posts."""

    async def post(self) -> None:
        """Add people, after upstream has looked at who asks."""
        body = _body_of(self)
        names = body.get("usernames")
        with _adding(self, names if isinstance(names, list) else (), body):
            await super().post()


class AddPerson(UserAPIHandler):  # type: ignore[misc, unused-ignore]
    """`/users/NAME`."""

    async def post(self, user_name: str) -> None:
        """Add one person, after upstream has looked at who asks."""
        with _adding(self, [user_name], _body_of(self)):
            await super().post(user_name)

    async def patch(self, user_name: str) -> None:
        """Change a person, but not what is kept beside their login, which says whose account has the name.

        Nor is a name given to an administrator, or made one, before an account has it.
        """
        changes = _body_of(self)
        if "auth_state" in changes:
            raise HTTPError(400, "auth_state comes from the identity provider.")
        user = self.find_user(user_name)
        if user and changes.get("admin", user.admin) and "account" not in known_of(await user.get_auth_state()):
            raise HTTPError(400, "%s", NO_ADMINISTRATOR)
        if user and changes.get("name", user_name) != user_name and user_name in self.authenticator.admin_users:
            # By another name, the rights would outlast what gave them.
            raise HTTPError(400, "%s is an administrator by hub.administrators: change it there", user_name)
        await super().patch(user_name)


class Callback(OAuthCallbackHandler):  # type: ignore[misc, unused-ignore]
    """Where people come back from the provider; the page of an error then says that it is about a login."""

    @property
    def template_namespace(self) -> dict[str, Any]:
        """Return what every page gets, and `at_login`."""
        return {**super().template_namespace, "at_login": True}

    async def auth_to_user(self, authenticated: dict[str, Any], user: Any = None) -> Any:
        """Return the person of a login that was let in.

        Since it began, while the provider was asked, another account of the name may have come in for the first time,
        or one that was added may have been deleted: both are refused.
        """
        name, known = authenticated["name"], known_of(authenticated["auth_state"])
        async with _arriving.setdefault(name, asyncio.Lock()):
            if ADDED in known and self.find_user(name) is None:
                raise HTTPError(403, "%s was deleted a moment ago", name)
            await self.authenticator.last_login(name, known["account"])
            return await super().auth_to_user(authenticated, user)


class Admission(OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Knows who may log in by name. Mixed in before an OAuthenticator."""

    account_issuer = Unicode(config=True, help="Whose accounts they are: an address.")
    allow_added_users = Bool(True, config=True, help="Whether people that an administrator adds may log in.")
    named_users = Set(config=True, help="Names that may log in without any other condition.")
    """Not `allowed_users`: JupyterHub adds the administrators to those."""
    callback_handler = Callback

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return upstream's, and those by which people are added; JupyterHub looks at these before its own."""
        ours = {each.__mro__[1]: each for each in (AddPeople, AddPerson)}
        adding = [(path, ours[handler]) for path, handler in default_handlers if handler in ours]
        return [*super().get_handlers(app), *adding]

    async def add_user(self, user: Any) -> None:
        """Remember a person that an administrator adds; others pass here when they log in first, and at each start."""
        super().add_user(user)
        if not (adder := _adder.get()) or not self.allow_added_users:
            return
        login = await encrypt({OURS: {ADDED: self._addition(user.name)}})
        # Where many are added, one may have logged in meanwhile, as a member: that login stays, and nothing is added.
        if user.orm_user.encrypted_auth_state is None:
            user.orm_user.encrypted_auth_state = login
            self.db.commit()
            self.log.info("%s lets in %s", adder, user.name)

    def kept_addition(self, known: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return what the next login by this name takes over from `known`, the one before: an addition."""
        addition = self._addition(name)
        return {ADDED: addition} if self.allow_added_users and known.get(ADDED) == addition else {}

    def may_enter_by_name(self, name: str, known: Mapping[str, Any]) -> bool:
        """Return whether the settings or an administrator let in a person by name."""
        return name in self.named_users or ADDED in known

    def _addition(self, name: str) -> str:
        return f"{self.account_issuer} {name}"
