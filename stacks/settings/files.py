"""Files of the site's own that lie beside the stack's file: read with the settings, and refused with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import ValidationInfo

DIRECTORY: Final = "directory"
"""Key of the validation context that says where the stack's file lies; without it, in the working directory."""
KIBIBYTE: Final = 1024
LARGEST_OBJECT: Final = 1024 * KIBIBYTE
"""The most that the values of a ConfigMap or a Secret may have together (Kubernetes' MaxSecretSize)."""
IGNORED: Final = ("__pycache__",)
"""What Python leaves behind; names that begin with a dot are ignored, too."""


@dataclass(frozen=True)
class Folder:
    """A folder as it was when the settings were read."""

    name: str
    """As the settings have it: relative to the stack's file."""
    files: Mapping[str, bytes]
    """Contents by path in the folder, in order."""

    def texts(self) -> Mapping[str, str]:
        """Return the files as text; whoever checked the folder knows that they are."""
        return {name: content.decode() for name, content in self.files.items()}


LONGEST_PART: Final = 255
"""Bytes of a name in a directory (NAME_MAX of Linux)."""


def read_folder(value: object, info: ValidationInfo) -> Folder:
    """Return the folder that a setting names.

    Raises ValueError when there is none, when it lies elsewhere than beside the stack's file, or when something in it
    is neither a file nor a folder.
    """
    directory = Path((info.context or {}).get(DIRECTORY, "."))
    if not isinstance(value, str) or not value:
        raise ValueError("must be the name of a folder beside the stack's file, such as site/fragments")
    named = PurePosixPath(value)
    if named.is_absolute() or not named.parts or ".." in named.parts or value.startswith("~"):
        raise ValueError("must be a folder below the stack's own, so that whoever runs the program has the same")
    root = directory / named
    if not value.isprintable() or any(len(part.encode()) > LONGEST_PART for part in named.parts):
        raise ValueError("must be a name that a folder can have")
    if not root.is_dir():
        raise ValueError(f"is not a folder; there is none at {root.resolve()}")
    if not root.resolve().is_relative_to(directory.resolve()):
        raise ValueError("leads out of the stack's folder by a link: put the folder itself there")
    return Folder(str(named), dict(_contents(root)))


def _contents(root: Path) -> list[tuple[str, bytes]]:
    found, wrong = [], []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if any(part.startswith(".") or part in IGNORED for part in name.parts):
            continue
        if path.is_symlink():
            wrong.append(f"{name} is a link: put the file itself there")
        elif path.is_file() and path.stat().st_size > LARGEST_OBJECT:
            wrong.append(f"{name} alone is {path.stat().st_size // KIBIBYTE} KiB: at most {LARGEST_OBJECT // KIBIBYTE}")
        elif path.is_file():
            found.append((name.as_posix(), path.read_bytes()))
        elif not path.is_dir():
            wrong.append(f"{name} is neither a file nor a folder")
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def check_folder(check: Callable[[Folder], list[str]]) -> Callable[[Folder], Folder]:
    """Return a validator that refuses a folder with all that `check` finds."""

    def refuse(folder: Folder) -> Folder:
        if problems := check(folder):
            raise ValueError("; ".join(problems))
        return folder

    return refuse


def too_large(sizes: Mapping[str, int], most: int, what: str) -> list[str]:
    """Return a complaint when the sizes in bytes are more than `most` together; it names the three largest."""
    total = sum(sizes.values())
    if total <= most:
        return []
    largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
    named = ", ".join(f"{name} {-(-sizes[name] // KIBIBYTE)} KiB" for name in largest)
    return [f"{-(-total // KIBIBYTE)} KiB are too much: {what} at most {most // KIBIBYTE} KiB. The largest: {named}"]
