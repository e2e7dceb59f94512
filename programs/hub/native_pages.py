"""Pages and the API of a hub that keeps people's accounts, where they differ from upstream's.

Shipped to the hub beside its configuration; native.py has the accounts.
"""

from collections.abc import Callable
from typing import Any

from jupyterhub.apihandlers.users import UserAPIHandler, default_handlers
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from nativeauthenticator import handlers
from nativeauthenticator.orm import UserInfo
from tornado import web

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
LONGEST_PASSWORD = 72
"""Bytes: bcrypt has never looked at more, and takes no longer one since its release 5.0."""
TOO_LONG = (
    f"A password has at most {LONGEST_PASSWORD} bytes; letters such as \u00e9 or \u00df have two. Please try again."
)
STILL_RUNS = (
    "%s may no longer log in, and a server of theirs is still starting or stopping. It is stopped as soon as that is "
    "over: please try again in a minute."
)


def pages(upstream: list[tuple[str, type]]) -> list[tuple[str, type]]:
    """Return upstream's pages, with ours in the place of some, and the part of JupyterHub's API that is ours."""
    ours = {
        handlers.LoginHandler: Login,
        handlers.SignUpHandler: SignUp,
        handlers.ToggleAuthorizationHandler: AskToToggle,
        handlers.DiscardHandler: AskToDiscard,
        handlers.ChangePasswordHandler: ChangePassword,
        handlers.ChangePasswordAdminHandler: ChangePasswordOf,
    }
    api = [(path, Person) for path, handler in default_handlers if handler is UserAPIHandler]
    return [*((path, ours.get(handler, handler)) for path, handler in upstream), *api]


def fits(password: str) -> bool:
    """Return whether a password is short enough to be compared."""
    return len(password.encode()) <= LONGEST_PASSWORD


async def _keep_out_before(authenticator: Any, user: Any) -> None:
    """Put a person out who is forgotten next. Refuse that while a server of theirs still starts or stops."""
    await authenticator.keep_out(user)
    if user.active:
        raise web.HTTPError(400, STILL_RUNS, user.name)


class Login(handlers.LoginHandler):
    """Shows the page to log in; sends an administrator with a generated password to where they choose one."""

    def get_next_url(self, user: Any = None, default: str | None = None) -> str:
        if user is not None and self.authenticator.has_generated_password(user.name):
            return f"{self.hub.base_url}change-password"
        return str(super().get_next_url(user, default))

    async def post(self) -> None:
        """Let in a person; upstream compares the password of one who is not let in again, however many were wrong.

        Nor can it do without a name or a password.
        """
        name, password = (self.get_body_argument(each, "", strip=False) for each in ("username", "password"))
        if name and password and self.authenticator.is_tried(self.authenticator.normalize_username(name), password):
            await super().post()
        else:
            self.finish(await self._render(login_error="Invalid username or password.", username=name))

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
    """Lets a person in, or keeps them out: whoever is kept out is out at once."""

    question = "Change whether {name} may log in?"

    @handlers.admin_users_scope
    async def get(self, slug: str) -> None:
        await self.ask(slug)

    @handlers.admin_users_scope
    async def post(self, slug: str) -> None:
        if not self.authenticator.user_exists(slug):
            raise web.HTTPError(404)
        name = self.authenticator.normalize_username(slug)
        account = UserInfo.change_authorization(self.db, name)
        if not account.is_authorized and (user := self.find_user(name)):
            await self.authenticator.send_away(user)
        self.redirect(f"{self.hub.base_url}authorize#{name}")


class AskToDiscard(handlers.DiscardHandler, _AskFirst):
    """Removes an account that waits to be let in, or that is kept out."""

    question = "Discard the request of {name}?"

    @handlers.admin_users_scope
    async def get(self, user_name: str) -> None:
        await self.ask(user_name)

    @handlers.admin_users_scope
    async def post(self, user_name: str) -> None:
        # Upstream takes Ada's account for ada's, and would leave the person and forget that the name was given up.
        name = self.authenticator.normalize_username(user_name)
        # Upstream forgets the person also while a server of theirs runs, which would be left alone then.
        user = self.find_user(name)
        if user is not None and not self.authenticator.lets_in(name):
            await _keep_out_before(self.authenticator, user)
        await super().get(name)


class _SaysWhatIsTooLong(handlers.LocalBase):
    """Says of a new password that is too long that it is; upstream says that it may be too short, or too common."""

    field = "new_password"

    def render_template(self, name: str, **more: Any) -> Any:
        if more.get("alert") == "alert-danger" and not fits(self.get_body_argument(self.field, "", strip=False)):
            more["result_message"] = TOO_LONG
        return super().render_template(name, **more)


class SignUp(_SaysWhatIsTooLong, handlers.SignUpHandler):
    """Where people ask for an account."""

    field = "signup_password"


class ChangePassword(_SaysWhatIsTooLong, handlers.ChangePasswordHandler):
    """Where people change their own password: they stay logged in here, and nowhere else."""

    async def post(self) -> None:
        """Change it. What is longer than any password is a wrong one, which upstream cannot compare."""
        if not fits(self.get_body_argument("old_password", "", strip=False)):
            self.request.body_arguments["old_password"] = [b""]
        await super().post()

    def render_template(self, name: str, **more: Any) -> Any:
        """Return the page; upstream makes it when it has changed the password."""
        if more.get("alert") == "alert-success":
            self.authenticator.keep_one_session(self, self.current_user)
        return super().render_template(name, **more)


class ChangePasswordOf(_SaysWhatIsTooLong, handlers.ChangePasswordAdminHandler):
    """Where an administrator sets the password of a person, who is out at once."""

    @handlers.admin_users_scope
    async def post(self, user_name: str) -> None:
        """Set it; upstream says of a person without an account that the password may be too short."""
        if not self.authenticator.user_exists(user_name):
            raise web.HTTPError(404)
        await super().post(user_name)

    def render_template(self, name: str, **more: Any) -> Any:
        """Return the page, as text where JupyterHub wants that for an error, and else to be awaited.

        Upstream makes it when it has changed the password.
        """
        page = super().render_template
        return self._after(page, name, **more) if more.get("alert") == "alert-success" else page(name, **more)

    async def _after(self, page: Callable[..., Any], name: str, **more: Any) -> str:
        user = self.find_user(self.authenticator.normalize_username(more["user_name"]))
        if user is not None and user is self.current_user:
            self.authenticator.keep_one_session(self, user)
        elif user is not None:
            await self.authenticator.send_away(user)
        return str(await page(name, **more))


class Person(UserAPIHandler):
    """`/users/NAME` of JupyterHub's API, to which the page Admin sends what it changes."""

    @needs_scope("delete:users")
    async def delete(self, user_name: str) -> None:
        """Delete a person, who is out before: upstream refuses while a server starts, and when a named one runs."""
        user = self.find_user(user_name)
        if user is not None and user.name != self.current_user.name:
            await _keep_out_before(self.authenticator, user)
        await super().delete(user_name)

    @needs_scope("admin:users")
    async def patch(self, user_name: str) -> None:
        """Change a person; one who gets another name keeps their account, and has no server meanwhile."""
        body = self.get_json_body()
        name = body.get("name") if isinstance(body, dict) else None
        user = self.find_user(user_name)
        if user is None or not isinstance(name, str) or name == user_name or self.find_user(name):
            await super().patch(user_name)  # which refuses a name that another person has
            return
        self._refuse(user, name)
        with self.authenticator.renaming(user, name):
            await super().patch(user_name)
        # JupyterHub would still make their servers' addresses of the old name.
        self.users.pop(user.id, None)

    def _refuse(self, user: Any, name: str) -> None:
        if user.name in self.authenticator.admin_users:
            raise web.HTTPError(400, "%s is an administrator by hub.administrators: change it there", user.name)
        if user.active:
            raise web.HTTPError(400, "%s has a server: stop it, and rename them then", user.name)
        if reason := self.authenticator.refuse_name(name):
            raise web.HTTPError(400, "%s", reason)
