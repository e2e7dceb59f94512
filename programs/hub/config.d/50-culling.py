"""The culler, which stops idle servers."""

import sys

from henhouse_hub import c, site

c.JupyterHub.services.append(
    {
        "name": "idle-culler",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            "--url=http://127.0.0.1:8081/hub/api",
            f"--timeout={site['cull_idle_seconds']}",
            f"--cull-every={max(30, site['cull_idle_seconds'] // 4)}",
        ],
    }
)
c.JupyterHub.load_roles.append(
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
)
