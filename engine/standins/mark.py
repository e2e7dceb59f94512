"""Whether a stack may be changed by the stand-ins: only one whose own file says that it is a lab.

The engine hands a provider only the provider's own configuration, and `refresh` and `destroy` do not run the program.
So the providers read the stack's file themselves: the engine starts them in the project's directory, and every URN
names the stack.
"""

from functools import cache
from pathlib import Path
from typing import Final

KEY: Final = "henhouse:lab"
_PROJECT_FILES: Final = ("Pulumi.yaml", "Pulumi.yml")


def stack_of(urn: str) -> str:
    """Return the stack that a URN (``urn:pulumi:<stack>::<project>::<type>::<name>``) belongs to."""
    return urn.split("::")[0].removeprefix("urn:pulumi:")


@cache
def refusal(stack: str, directory: Path) -> str | None:
    """Why the stand-ins must not change this stack of the project in `directory`; None when they may."""
    try:
        file = _stack_file(stack, directory)
        marked = _is_marked(file)
    except (OSError, ValueError) as error:
        return _explain(stack, str(error))
    return None if marked else _explain(stack, f'{file} does not say `{KEY}: "true"`')


def _stack_file(stack: str, directory: Path) -> Path:
    import yaml

    for folder in (directory, *directory.parents):
        for name in _PROJECT_FILES:
            project = folder / name
            if project.is_file():
                settings = yaml.safe_load(project.read_text()) or {}
                return folder / (settings.get("stackConfigDir") or "") / f"Pulumi.{stack}{project.suffix}"
    raise ValueError(f"there is no Pulumi.yaml in {directory} or above it")


def _is_marked(file: Path) -> bool:
    import yaml

    try:
        content = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {error}") from error
    return is_true((content.get("config") or {}).get(KEY))


def is_true(value: object) -> bool:
    """Whether a configuration value says yes; the engine turns YAML's booleans into text."""
    return str(value).lower() == "true"


def _explain(stack: str, reason: str) -> str:
    return (
        f"refusing to change stack {stack!r}: this plugin only stands in for the official one on the virtual rack, and "
        f"{reason}. Previews of any stack work. For a real site install the official pulumi of the version in "
        "versions.toml and the official plugins of the versions in uv.lock "
        "(`pulumi plugin install resource NAME VERSION`), and run that pulumi; for a virtual rack mark the stack: "
        f"`pulumi config set {KEY} true`."
    )
