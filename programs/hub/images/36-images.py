"""Images on nodes: the process that has them pulled, what administrators see of it, and its metrics."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from default_image import read_default
from henhouse_hub import c, site
from jupyterhub.handlers import BaseHandler
from jupyterhub.scopes import needs_scope
from prepulling import read_status
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from tornado.web import authenticated

HERE = Path(__file__).parent
file = Path(site["prepuller"]["file"])
wanted = site["server"]["image"]
default_file = Path(site["server"]["default_image_file"])


def default_image(profile: str | None) -> str:
    """Return the image of a profile's servers for which none was chosen."""
    known = read_default(default_file)
    return known.of(profile) if known else wanted


def profile_of(spawner: Any) -> str | None:
    """Return the slug of the profile that a start is of; None where no profiles are known."""
    # What 35-menu.py has held the options to. A site's fragment may have replaced that.
    offer = vars(spawner).get("offer_of_this_start") or []
    chosen = (spawner.user_options or {}).get("profile")
    return chosen or next((each["slug"] for each in offer if each["default"]), None)


class Spawner(c.JupyterHub.spawner_class):
    """A new default image is used once the nodes have it; until then servers start with the one before."""

    image: str
    given: str | None = None
    """The image that this gave the start before."""

    async def load_user_options(self) -> None:
        """Take the image of now, then what was chosen. An image that a site's fragment or hook has set stays."""
        if self.image in (wanted, self.given):
            self.image = self.given = default_image(profile_of(self))
        await super().load_user_options()


class ImagesPage(BaseHandler):
    """Shows administrators which node has which image."""

    @authenticated
    @needs_scope("admin-ui")
    async def get(self) -> None:
        """Show it."""
        known = read_status(file)
        when = f"{datetime.fromtimestamp(known['seen'], UTC):%d %B %Y, %H:%M:%S} UTC" if known else ""
        default = read_default(default_file)
        awaited = default if default and default.images != {default.wanted} else None
        self.finish(await self.render_template("images.html", known=known, when=when, awaited=awaited))


class OnNodes:
    """The metrics, computed at each scrape of the hub."""

    def collect(self) -> Iterator[Any]:
        """Return the metrics."""
        known = read_status(file) or {"seen": 0.0, "images": {}, "nodes": {}}
        yield GaugeMetricFamily(
            "henhouse_images_seen_timestamp_seconds", "When the nodes' images were last seen", value=known["seen"]
        )
        on_node = GaugeMetricFamily(
            "henhouse_image_on_node", "Whether a node has an image that its servers use", labels=["node", "image"]
        )
        for name, node in known["nodes"].items():
            for key in sorted(node["wants"]) if node["takes_pods"] else ():
                on_node.add_metric([name, known["images"][key]], float(key in node["has"]))
        yield on_node


REGISTRY.register(OnNodes())
if site["prepuller"]["new_image_waits"]:
    c.JupyterHub.spawner_class = Spawner
c.JupyterHub.template_paths.append(str(HERE))
# A site's fragment may have replaced all variables, ours among them.
c.JupyterHub.template_vars.setdefault("henhouse", {})["images"] = True
c.JupyterHub.extra_handlers.append(("/images", ImagesPage))
# A service's process is given no variable of the hub's but those that are named.
where = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
c.JupyterHub.services.append(
    {
        "name": "image-puller",
        "command": [sys.executable, str(HERE / "pull_images.py")],
        "environment": {name: os.environ[name] for name in where if name in os.environ},
        "display": False,
    }
)
