"""JupyterHub's configuration: the values that the stack wrote, then the fragments beside this file in lexical order.

A fragment finds `c`, `site` (the values) and `secret` (a function) defined; what it sets replaces what an earlier one
set.
"""

import json
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (traitlets defines it)
here = Path(__file__).parent
sys.path.insert(0, str(here))  # for the modules beside this file
site = json.loads((here / "site.json").read_text())


def secret(name: str) -> str:
    """A value of the hub's Kubernetes Secret."""
    return (Path(site["secrets_directory"]) / name).read_text()


for fragment in sorted(here.glob("[0-9][0-9]-*.py")):
    exec(compile(fragment.read_text(), fragment, "exec"), {"c": c, "site": site, "secret": secret})
