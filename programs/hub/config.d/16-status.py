"""The page /hub/admin/status: for administrators, what the hub knows of servers, images and disks."""

from pathlib import Path
from typing import Any

from henhouse_hub import c, site
from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from jupyterhub.scopes import needs_scope
from status import refused, room, running, shown_pages, silence, time_in_words
from tornado.web import authenticated

images = site.get("menu", {}).get("images")


def menu() -> dict[str, Any] | None:
    """Return the image menu as the registry was last scanned; None where there is none."""
    if not images:
        return None
    # Only there where the site has a menu.
    from image_menu import choices, read_menu
    from menu_files import read_scan

    file = Path(images["file"])
    known, scan = read_menu(file, images["repository"]), read_scan(file)
    return {
        "repository": images["repository"],
        "scanned": time_in_words(known.scanned) if known else None,
        "choices": choices(known) if known else [],
        "asked": time_in_words(scan[0]) if scan else None,
        "error": scan[1] if scan else None,
    }


class StatusPage(BaseHandler):  # type: ignore[misc, unused-ignore]
    """Shows it to whoever may see the page Admin."""

    @authenticated
    @needs_scope("admin-ui")
    async def get(self) -> None:
        """Show it."""
        servers = self.db.query(orm.Spawner.user_options).filter(orm.Spawner.server_id.is_not(None)).all()
        page = self.render_template(
            "henhouse/status.html",
            refused=refused(self.authenticator),
            silence=silence(self.authenticator),
            servers=running(options for (options,) in servers),
            usual=site["server"]["image"],
            menu=menu(),
            pages=shown_pages(site["pages"]),
            room=await room(site["homes"]),
        )
        self.finish(await page)


c.JupyterHub.extra_handlers.append(("/admin/status", StatusPage))
