"""The hub's pages: the site's templates, then henhouse's, then JupyterHub's own; and whole pages of the site's."""

from pathlib import Path
from typing import Any

from henhouse_hub import c, site
from jupyterhub.handlers import BaseHandler
from tornado.web import StaticFileHandler

pages = site["pages"]
directory = Path(pages["directory"])
of_the_site = directory / "site"


class SitePage(BaseHandler):
    """Shows a template of the site's to everyone, logged in or not."""

    def initialize(self, template: str) -> None:
        """Remember which."""
        self.template = template

    async def get(self) -> None:
        """Show it."""
        self.finish(await self.render_template(self.template))


# By their folder's name, henhouse's templates can be extended by templates of the same name: `henhouse/error.html`.
c.JupyterHub.template_paths = [
    str(each) for each in (of_the_site / "templates", of_the_site, directory / "henhouse", directory)
]
own: dict[str, Any] = {
    "login": site["login"]["type"],
    "pages": [(each["name"], each["title"]) for each in pages["pages"]],
}
c.JupyterHub.template_vars = {**pages["vars"], "henhouse": own}
if pages["logo"]:
    c.JupyterHub.logo_file = str(of_the_site / pages["logo"])
# JupyterHub would rather have these as services; a service of its own cannot use the hub's templates.
handlers = [(f"/{each['name']}", SitePage, {"template": f"pages/{each['name']}.html"}) for each in pages["pages"]]
if pages["static"]:
    handlers.append((r"/site/(.*)", StaticFileHandler, {"path": str(of_the_site / "static")}))
if handlers:
    c.JupyterHub.extra_handlers = handlers
