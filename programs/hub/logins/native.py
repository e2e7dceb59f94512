"""Accounts with passwords that the hub keeps; those of the administrators exist before it listens."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import nativeauthenticator
from account_notes import GeneratedPasswords, Names
from administrators import demote_former
from henhouse_hub import c, secret, site
from jupyterhub import orm
from memory import Memory
from native_pages import Login, fits, pages
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from revocation import end_sessions, send_away
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError

ADMINISTRATORS: dict[str, str] = json.loads(secret("administrators"))
"""The generated password of each administrator, by name. It holds until the administrator chooses another."""
GENERATED = Memory("generated-passwords", site["directory"], site["database_url"])
ACCOUNTS = Memory("names", site["directory"], site["database_url"])
NAMES = Path(site["directory"]) / "names.json"
LONGEST_EMAIL = 128
"""Characters, as the column has them (nativeauthenticator.orm.UserInfo.email)."""
ROUND_SECONDS = 60
"""How often the hub looks for servers of people who may not log in: one that could not be stopped when they were sent
away, or whose person was sent away just before the hub ended."""


class Accounts(NativeAuthenticator):
    """NativeAuthenticator in which signing up never makes an administrator.

    Upstream authorizes whoever signs up first in an administrator's name, at once (`create_user`). Here those accounts
    are made at every start that finds them missing: also when a name is added, and when the database was lost.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._generated = GeneratedPasswords(self.db, GENERATED)
        self._names = Names(self.db, ACCOUNTS, NAMES)
        self.settle_notes()
        for name in {*ADMINISTRATORS, *self._generated}:
            self.settle_generated(name, ADMINISTRATORS.get(name))
        demote_former(self.db, set(ADMINISTRATORS), self.log)
        self._rounds = PeriodicCallback(self.look_for_servers, ROUND_SECONDS * 1000)
        self._rounds.start()

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the name of the person who may log in; a generated password opens the page that changes it alone."""
        name = self.normalize_username(data.get("username", ""))
        if not self.is_tried(name, data.get("password", "")):
            return None
        if not isinstance(handler, Login) and self.has_generated_password(name):
            return None
        return await super().authenticate(handler, data)

    def is_tried(self, name: str, password: str) -> bool:
        """Return whether a password is compared: not after too many wrong ones, and none that is too long for any.

        Each comparison takes the hub a quarter of a second, in which it does nothing else.
        """
        return fits(password) and not self.is_blocked(name)

    def is_password_strong(self, password: str) -> bool:
        """Return whether a person may have this password."""
        return fits(password) and bool(super().is_password_strong(password))

    def settle_notes(self) -> None:
        """See to it that the database has what is noted of its accounts, whatever henhouse it was written by."""
        self._generated.settle()
        self._names.settle(name for (name,) in self.db.query(UserInfo.username))
        self.db.commit()
        GENERATED.put_aside()
        with self.suppressed("names: a copy of the database from before would be believed"):
            self._names.replace_signs()

    @contextmanager
    def suppressed(self, what: str) -> Iterator[None]:
        """Let the hub start also where the disk of `site["directory"]` takes nothing; say what follows from it."""
        try:
            yield
        except OSError as error:
            self.log.error("%s: %s", what, error)

    def settle_generated(self, name: str, current: str | None) -> None:
        """See to it that of all passwords that were ever generated for a name, the `current` one alone opens it.

        It is None where `hub.administrators` does not have the name any more, and none does. A password that was chosen
        stays.
        """
        account = self.get_user(name)
        if account is not None and current and not account.is_authorized:
            # Someone asked for the name before it was an administrator's: their password must not open it.
            self.db.delete(account)
            self.db.commit()
            account = None
        is_current = bool(account and current and account.is_valid_password(current))
        if account is None and current is None:
            self._generated.forget(name)
        elif is_current:
            self._generated.note(name, account.password)
        elif account is None or self._generated.has(account):
            hashed = _hashed(current or secrets.token_urlsafe(32))
            self._generated.note(name, hashed)
            if account is None:
                with self.suppressed(f"names: {name} stays given up, for the next after this administrator"):
                    self._names.take_back(name)
                self.db.add(UserInfo(username=name, password=hashed, is_authorized=True))
            else:
                account.password = hashed
            if account is not None and (user := orm.User.find(self.db, name)):
                end_sessions(user, servers_stay=True)
        else:
            self._generated.forget(name)
        self.db.commit()

    def provide(self, name: str, password: str) -> None:
        """Make the account, authorized, unless there is one."""
        if self.get_user(name) is None:
            self._names.take(name)
            self.db.add(UserInfo(username=name, password=_hashed(password), is_authorized=True))
            self.db.commit()

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        """Make the account of a person who signs up; None when they cannot have it."""
        name = self.normalize_username(username)
        # Also what the page does not ask for can be sent: a second factor whose secret is shown to no one, for example.
        email = more.get("email", "") if self.ask_email_on_signup else ""
        asked = {"email": email, "has_2fa": bool(self.allow_2fa and more.get("has_2fa"))}
        if name in self.admin_users or self.user_exists(name) or len(email) > LONGEST_EMAIL:
            return None
        # Before the account, which upstream commits: without what tells it from the one before it had their home.
        self._names.take(name)
        made = super().create_user(username, password, **asked)
        if made is None:
            self.db.rollback()
        return made

    def add_user(self, user: Any) -> Any:
        """Give the person that an administrator adds an account, with a random password that is not kept.

        The administrator sets another at /hub/change-password/<name>, and tells the person.
        """
        self.provide(user.name, secrets.token_urlsafe(32))
        return super().add_user(user)

    def delete_user(self, user: Any) -> None:
        """Remove an account. Who has the name next is not given the home of who had it, where they may have one."""
        if orm.User.find(self.db, user.name) is not None:
            with self.written_down(user.name):
                self._names.give_up(user.name)
        super().delete_user(user)

    def account_of(self, name: str) -> str | None:
        """Return what the file server is told of whose home this is (40-homes.py); None for who had the name first."""
        return self._names.account_of(name)

    def refuse_name(self, name: str) -> str | None:
        """Return why a person cannot be renamed to this, or None."""
        if self.normalize_username(name) != name or not self.validate_username(name):
            return f"{name} cannot be a name here: use small letters and digits, and begin with a letter"
        if self.user_exists(name):
            return f"{name} has an account, or has asked for one at /hub/signup"
        return None

    @contextmanager
    def renaming(self, user: Any, name: str) -> Iterator[None]:
        """Let a person's account have another name, together with what is done meanwhile, which commits it."""
        account, before = self.get_user(user.name), user.name
        first = not self._names.is_given_up(before)
        # Noted first: whatever happens after, a home that may be another's is given to none.
        with self.written_down(before):
            self._names.carry_over(before, name)
        try:
            if account is not None:
                account.username = name
            yield
        except BaseException:
            self.db.rollback()
            if first:
                with self.suppressed(f"names: {before} stays given up"):
                    self._names.take_back(before)
            raise

    @contextmanager
    def written_down(self, name: str) -> Iterator[None]:
        """Refuse what would let a name go that could not be noted as given up: the next of the name had the home."""
        try:
            yield
        except OSError as error:
            self.db.rollback()
            self.log.error("names: %s cannot be noted as given up: %s", name, error)
            raise HTTPError(
                500,
                "%s keeps the name: the hub cannot note on its disk that it was given up, without which the next "
                "person of the name would be given the home (%s).",
                name,
                error.strerror,
            ) from error

    def has_generated_password(self, name: str) -> bool:
        """Return whether this is an administrator who has not chosen a password yet."""
        account, password = self.get_user(name), ADMINISTRATORS.get(name)
        if account is None or password is None:
            return False
        return self._generated.has(account) or bool(account.is_valid_password(password))

    def lets_in(self, name: str) -> bool:
        """Return whether this person has an account and may log in."""
        account = self.get_user(name)
        return bool(account and account.is_authorized)

    async def refresh_user(self, user: Any, handler: Any = None, **options: Any) -> bool:
        """Return whether a person who is logged in stays so; JupyterHub asks before each start of a server, too."""
        return self.lets_in(user.name)

    async def keep_out(self, user: Any) -> None:
        """Let a person log in no more, and send them away."""
        if account := self.get_user(user.name):
            account.is_authorized = False
        await self.send_away(user)

    async def send_away(self, user: Any) -> None:
        """End a person's sessions, tokens and servers at once."""
        await send_away(user, self.parent.proxy)

    def keep_one_session(self, handler: Any, user: Any) -> None:
        """End what a person has but this session and their servers: they have changed their own password."""
        end_sessions(user.orm_user, session=handler.get_session_cookie() or None, servers_stay=True)
        handler.set_login_cookie(user)

    async def look_for_servers(self) -> None:
        """Stop the servers of people who may not log in."""
        for user in [each for each in self.parent.users.values() if each.active]:
            if not self.lets_in(user.name):
                await self.send_away(user)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return upstream's pages, with ours in the place of some."""
        return pages(super().get_handlers(app))


def _hashed(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


c.JupyterHub.authenticator_class = Accounts
# Its templates can then be extended like JupyterHub's, as `templates/signup.html`.
c.JupyterHub.template_paths.append(str(Path(nativeauthenticator.__file__).parent))
c.NativeAuthenticator.enable_signup = site["login"]["enable_signup"]
# "All" are those that an administrator has authorized at /hub/authorize.
c.NativeAuthenticator.allow_all = True
c.NativeAuthenticator.open_signup = False
# It is a look into the hub's own database. An administrator cannot start a server of a person who is kept out, either.
c.NativeAuthenticator.auth_refresh_age = 1
c.NativeAuthenticator.refresh_pre_spawn = True
c.NativeAuthenticator.minimum_password_length = 10
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 5
c.NativeAuthenticator.seconds_before_next_try = 600
