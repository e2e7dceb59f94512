"""The versions a site runs unless its settings say otherwise, from the project's one place for versions."""

import tomllib
from pathlib import Path
from typing import Final

_TABLES: Final = tomllib.loads((Path(__file__).resolve().parent.parent / "versions.toml").read_text())

PULUMI: Final[str] = _TABLES["program"]["pulumi"]
SITE: Final[dict[str, str]] = _TABLES["site"]
