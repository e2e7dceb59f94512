"""The versions of everything that the rack builds, from the project's one place for versions."""

import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_TABLES: Final = tomllib.loads((ROOT / "versions.toml").read_text())

PULUMI: Final[str] = _TABLES["program"]["pulumi"]
UV: Final[str] = _TABLES["program"]["uv"]
SITE: Final[dict[str, str]] = _TABLES["site"]
LAB: Final[dict[str, str]] = _TABLES["lab"]
