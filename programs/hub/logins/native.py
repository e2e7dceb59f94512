"""Accounts with passwords that the hub keeps; those of the administrators exist before it listens."""

import json
import secrets
from pathlib import Path
from typing import Any

import bcrypt
import nativeauthenticator
from administrators import demote_former
from henhouse_hub import c, secret, site
from jupyterhub.handlers.login import LoginHandler
from nativeauthenticator import NativeAuthenticator, handlers
from nativeauthenticator.orm import UserInfo
from tornado import web

ADMINISTRATORS: dict[str, str] = json.loads(secret("administrators"))
"""The generated password of each administrator, by name. It holds until the administrator chooses another."""

ASK_FIRST = """\
{% extends "page.html" %}
{% block main %}
<main class="container">
  <h1>{{ question }}</h1>
  <form method="post">
    <input type="hidden" name="_xsrf" value="{{ xsrf }}">
    <button class="btn btn-jupyter" type="submit">Yes</button>
    <a class="btn btn-secondary" href="{{ base_url }}authorize">No</a>
  </form>
</main>
{% endblock %}
"""


class Accounts(NativeAuthenticator):
    """NativeAuthenticator in which signing up never makes an administrator.

    Upstream authorizes whoever signs up first in an administrator's name, at once (`create_user`). Here those accounts
    are made at every start that finds them missing: also when a name is added, and when the database was lost.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, password in ADMINISTRATORS.items():
            waiting = self.get_user(name)
            if waiting is not None and not waiting.is_authorized:
                # Someone asked for the name before it was an administrator's: their password must not open it.
                self.db.delete(waiting)
                self.db.commit()
            self.provide(name, password)
        demote_former(self.db, set(ADMINISTRATORS))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the name of the person who may log in; a generated password opens the page that changes it alone."""
        name = self.normalize_username(data.get("username", ""))
        if not isinstance(handler, Login) and self.has_generated_password(name):
            return None
        return await super().authenticate(handler, data)

    def provide(self, name: str, password: str) -> None:
        """Make the account, authorized, unless there is one."""
        if self.get_user(name) is None:
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
            self.db.add(UserInfo(username=name, password=hashed, is_authorized=True))
            self.db.commit()

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        """Make the account of a person who signs up; None when they cannot have it."""
        if self.normalize_username(username) in self.admin_users:
            return None
        return super().create_user(username, password, **more)

    def add_user(self, user: Any) -> Any:
        """Give the person that an administrator adds an account, with a random password that is not kept.

        The administrator sets another at /hub/change-password/<name>, and tells the person.
        """
        self.provide(user.name, secrets.token_urlsafe(32))
        return super().add_user(user)

    def has_generated_password(self, name: str) -> bool:
        """Return whether this is an administrator who has not chosen a password yet."""
        account = self.get_user(name)
        password = ADMINISTRATORS.get(name)
        return bool(account and password and account.is_valid_password(password))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Return upstream's pages, with ours in the place of some."""
        ours = {each.__mro__[1]: each for each in (Login, AskToToggle, AskToDiscard)}
        return [(path, ours.get(handler, handler)) for path, handler in super().get_handlers(app)]


class Login(handlers.LoginHandler):
    """Shows the page to log in; sends an administrator with a generated password to where they choose one."""

    def get_next_url(self, user: Any = None, default: str | None = None) -> str:
        if user is not None and self.authenticator.has_generated_password(user.name):
            return f"{self.hub.base_url}change-password"
        return str(super().get_next_url(user, default))

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        """Return the page as JupyterHub makes it.

        Upstream omits what `login.html` needs since JupyterHub 5.0, and cannot tell of a form that is too old.
        """
        more["enable_signup"] = self.authenticator.enable_signup
        return LoginHandler._render(self, login_error, username, **more)

    def render_template(self, name: str, **more: Any) -> Any:
        """Return a page; that of the login has a name of its own, under which a site may have another."""
        return super().render_template("native-login.html" if name == "login.html" else name, **more)


class _AskFirst(handlers.LocalBase):
    """Shows a form where upstream changes an account by GET: a link in a mail must not authorize anyone."""

    question: str

    async def ask(self, name: str) -> None:
        if not self.authenticator.user_exists(name):
            raise web.HTTPError(404)
        page = self.settings["jinja2_env"].from_string(ASK_FIRST)
        self.finish(await page.render_async(**self.template_namespace, question=self.question.format(name=name)))


class AskToToggle(handlers.ToggleAuthorizationHandler, _AskFirst):
    """Lets a person in, or keeps them out."""

    question = "Change whether {name} may log in?"

    @handlers.admin_users_scope
    async def get(self, slug: str) -> None:
        await self.ask(slug)

    @handlers.admin_users_scope
    async def post(self, slug: str) -> None:
        await super().get(slug)


class AskToDiscard(handlers.DiscardHandler, _AskFirst):
    """Removes an account that waits to be let in."""

    question = "Discard the request of {name}?"

    @handlers.admin_users_scope
    async def get(self, user_name: str) -> None:
        await self.ask(user_name)

    @handlers.admin_users_scope
    async def post(self, user_name: str) -> None:
        await super().get(user_name)


c.JupyterHub.authenticator_class = Accounts
# Its templates can then be extended like JupyterHub's, as `templates/signup.html`.
c.JupyterHub.template_paths.append(str(Path(nativeauthenticator.__file__).parent))
c.NativeAuthenticator.enable_signup = site["login"]["enable_signup"]
# "All" are those that an administrator has authorized at /hub/authorize.
c.NativeAuthenticator.allow_all = True
c.NativeAuthenticator.open_signup = False
c.NativeAuthenticator.minimum_password_length = 10
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 5
c.NativeAuthenticator.seconds_before_next_try = 600
