"""Images on nodes: the process that has them pulled, what administrators see of it, and its metrics."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from henhouse_hub import c, site
from jupyterhub.handlers import BaseHandler
from jupyterhub.scopes import needs_scope
from prepulling import read_status
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from tornado.web import authenticated

HERE = Path(__file__).parent
file = Path(site["prepuller"]["file"])


class ImagesPage(BaseHandler):
    """Shows administrators which node has which image."""

    @authenticated
    @needs_scope("admin-ui")
    async def get(self) -> None:
        """Show it."""
        known = read_status(file)
        when = f"{datetime.fromtimestamp(known['seen'], UTC):%d %B %Y, %H:%M:%S} UTC" if known else ""
        self.finish(await self.render_template("images.html", known=known, when=when))


class OnNodes:
    """The metrics, computed at each scrape of the hub."""

    def collect(self) -> Iterator[Any]:
        """Return the metrics."""
        known = read_status(file) or {"seen": 0.0, "images": {}, "nodes": {}}
        yield GaugeMetricFamily(
            "henhouse_images_seen_timestamp_seconds", "When the nodes' images were last seen", value=known["seen"]
        )
        on_node = GaugeMetricFamily(
            "henhouse_image_on_node", "Whether a node for people has an image", labels=["node", "image"]
        )
        for name, node in known["nodes"].items():
            for key, image in known["images"].items() if node["takes_pods"] else ():
                on_node.add_metric([name, image], float(key in node["has"]))
        yield on_node


REGISTRY.register(OnNodes())
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
