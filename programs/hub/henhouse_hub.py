"""What the fragments of JupyterHub's configuration share: the configuration, the site's values and its secrets."""

import json
from pathlib import Path
from typing import Any

from traitlets.config import Config

_HERE = Path(__file__).parent

c: Any = Config()
"""The configuration. What a fragment sets replaces what an earlier one set; lists are appended to."""
site: dict[str, Any] = json.loads((_HERE / "site.json").read_text())
"""The values that the stack wrote; nothing in them is secret."""


def secret(name: str) -> str:
    """Return a value of the hub's Kubernetes Secret."""
    return (Path(site["secrets_directory"]) / name).read_text()
