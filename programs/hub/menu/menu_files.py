"""The files in which the menu's scanner keeps what it found for the hub; shipped to the hub."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keeping import write_whole


def write_menu(path: Path, menu: Any) -> None:
    """Keep a `Menu` of image_menu.py, which also reads it."""
    write_whole(path, asdict(menu))


def write_scan(path: Path, error: str | None) -> None:
    """Keep beside the menu's file when the registry was last scanned, and why that gave no new menu."""
    write_whole(_scan_file(path), {"when": time.time(), "error": error})


def read_scan(path: Path) -> tuple[float, str | None] | None:
    """Return what `write_scan` wrote beside this file; None before a first scan."""
    try:
        data = json.loads(_scan_file(path).read_text())
        error = data["error"]
        return float(data["when"]), None if error is None else str(error)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _scan_file(path: Path) -> Path:
    return path.with_name("image-scan.json")
