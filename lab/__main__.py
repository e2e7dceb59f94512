"""``python -m lab``: the virtual rack's switches."""

import sys

from lab.cli import main

sys.exit(main(sys.argv[1:]))
