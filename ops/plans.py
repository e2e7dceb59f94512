"""What the program would make of a site, from nothing and without the site's secrets.

The stack's file is read as it is committed, and each encrypted value is replaced by a word: no passphrase is needed, no
state, no key, and no connection is opened. So it runs for anyone's change, also where it must not see a secret.
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from converge.engine import Engine, EngineError
from stacks.file import read, settings_file

PLACEHOLDER: Final = "https://encrypted.invalid/"
"""Stands for every encrypted value; it is an address, because some settings have to be one."""
PREVIEW_SECONDS: Final = 600.0

Plan = Mapping[str, Mapping[str, Any]]
"""The inputs of each resource, by its URN."""


class PlanError(Exception):
    """The program cannot be previewed; the message is the engine's."""


def plan(tree: Path, stack: str, scratch: Path) -> Plan:
    """Return what a tree's program would register for a stack. `scratch` is an empty directory. PlanError if it fails.

    The tree is not written to: the engine runs in a directory of links to it.
    """
    written = tree / settings_file(stack)
    for entry in tree.iterdir():
        if entry.name not in (written.name, ".venv"):
            (scratch / entry.name).symlink_to(entry)
    (scratch / ".venv").symlink_to(Path(sys.prefix))
    if not written.exists():
        raise PlanError(f"{written.name} does not exist in {tree}")
    (scratch / written.name).write_text(without_secrets(written.read_text()))
    backend = scratch / ".plan-state"
    backend.mkdir()
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(16),
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    engine = Engine(PREVIEW_SECONDS, environment)
    try:
        engine.answer("stack", "init", stack, directory=str(scratch))
        printed = engine.answer("preview", "--json", "--stack", stack, directory=str(scratch))
    except EngineError as error:
        raise PlanError(str(error)) from None
    return {step["urn"]: step["newState"].get("inputs") or {} for step in json.loads(printed)["steps"]}


def without_secrets(text: str) -> str:
    """Return a stack's file without its salt, each encrypted value replaced by `PLACEHOLDER`."""
    return yaml.safe_dump({"config": _plain(read(text).get("config") or {})}, sort_keys=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return PLACEHOLDER if set(value) == {"secure"} else {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
