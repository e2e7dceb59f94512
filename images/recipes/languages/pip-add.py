#!/opt/jupyter/bin/python
"""pip-add LOCK: installs what a lock file names on top of an image, and writes no file of that image again.

What is there is compiled already; a second copy of it would be in the layer on top.
"""

import compileall
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode

OPTIONS = ("--no-cache-dir", "--no-compile", "--disable-pip-version-check", "--require-hashes", "--requirement")

subprocess.run([sys.executable, "-m", "pip", "install", *OPTIONS, sys.argv[1]], check=True)
for path in Path(sys.prefix, "lib").rglob("*.py"):
    if not Path(cache_from_source(str(path))).exists():
        # Hashes, and not time stamps: see pip-install below. What is not Python, such as a template, stays as it is.
        compileall.compile_file(path, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
