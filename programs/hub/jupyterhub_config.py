"""JupyterHub's configuration: the fragments beside this file, in lexical order.

A fragment is a Python file that imports `c`, `site` and `secret` from `henhouse_hub`.
"""

import runpy
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.insert(0, str(here))  # for the modules beside this file

from henhouse_hub import c  # noqa: E402

for fragment in sorted(here.glob("[0-9][0-9]-*.py")):
    runpy.run_path(str(fragment))
get_config().merge(c)  # type: ignore[name-defined]  # noqa: F821 (traitlets defines it)
