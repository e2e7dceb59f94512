"""The hub's pages: the site's templates, then henhouse's, then JupyterHub's own; and whole pages of the site's."""

from pathlib import Path
from typing import Any

from announcing import announced
from culling import Notes
from henhouse_hub import c, site
from jinja2 import pass_context
from jinja2.runtime import Context
from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from site_pages import logo_in, pages_in
from sqlalchemy import event
from tornado.web import StaticFileHandler

pages = site["pages"]
directory, of_the_site = Path(pages["directory"]), Path(pages["site"])
files = [each.relative_to(of_the_site).as_posix() for each in of_the_site.rglob("*") if each.is_file()]
whole = pages_in(files)
notes = Notes(site["directory"])
OF_A_PERSON = ("home.html", "not_running.html")


class SitePage(BaseHandler):
    """Shows a template of the site's to everyone, logged in or not."""

    def initialize(self, template: str) -> None:
        """Remember which."""
        self.template = template

    async def get(self) -> None:
        """Show it."""
        self.finish(await self.render_template(self.template))


@event.listens_for(orm.User, "after_delete")  # type: ignore[untyped-decorator, unused-ignore]
def _deleted(_mapper: Any, _connection: Any, user: Any) -> None:
    """Forget what only a person who was deleted should read, whoever has the name next."""
    notes.forget(user.name)


@event.listens_for(orm.User.name, "set")  # type: ignore[untyped-decorator, unused-ignore]
def _renamed(_user: Any, name: Any, before: Any, _initiator: Any) -> None:
    if isinstance(before, str) and before != name:
        notes.forget(before)


@pass_context
def announcements(context: Context) -> list[dict[str, str]]:
    """Return what the page that is being made announces, on a person's own also why their server was stopped."""
    shown = [*announced(directory / "announcements.json", context.name)]
    owner = context.get("user")
    if context.name in OF_A_PERSON and owner and not owner.spawner.active and (why := notes.read(owner.name)):
        shown.append({"text": f"{why} Your files are safe.", "level": "info"})
    return shown


# By their folder's name, henhouse's templates can be extended by templates of the same name: `henhouse/error.html`.
c.JupyterHub.template_paths = [
    str(each) for each in (of_the_site / "templates", of_the_site, directory / "henhouse", directory)
]
own: dict[str, Any] = {
    "login": site["login"]["type"],
    "contact": pages["contact"],
    "pages": [*whole.items()],
    "announcements": announcements,
}
c.JupyterHub.template_vars = {**pages["vars"], "henhouse": own}
if logo := logo_in(files):
    c.JupyterHub.logo_file = str(of_the_site / logo)
# JupyterHub would rather have these as services; a service of its own cannot use the hub's templates.
handlers = [(f"/{name}", SitePage, {"template": f"pages/{name}.html"}) for name in whole]
if any(name.startswith("static/") for name in files):
    handlers.append((r"/site/(.*)", StaticFileHandler, {"path": str(of_the_site / "static")}))
c.JupyterHub.extra_handlers = handlers
