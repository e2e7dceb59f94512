"""Culling: of servers that are idle or old by a process of its own, of kernels and terminals by the servers."""

import sys
from pathlib import Path

from computing import PATH, Computing
from henhouse_hub import c, site

cull = site["cull"]
if cull["enabled"]:
    c.JupyterHub.services.append(
        {
            "name": "idle-culler",
            "command": [
                sys.executable,
                f"{Path(__file__).parent / 'culler.py'}",
                "--url=http://127.0.0.1:8081/hub/api",
            ],
        }
    )
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    if cull["groups"]:
        scopes.append("read:users:groups")
    c.JupyterHub.load_roles.append({"name": "idle-culler", "scopes": scopes, "services": ["idle-culler"]})
    c.JupyterHub.extra_handlers.append((PATH, Computing))
if cull["telling"]:
    c.KubeSpawner.environment["JUPYTERHUB_ACTIVITY_INTERVAL"] = str(cull["telling"])
if cull["inside"]:
    c.KubeSpawner.args.extend(cull["inside"])
