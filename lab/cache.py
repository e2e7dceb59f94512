"""Slow work is done once: each artifact lives in a directory named after everything that went into it."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from lab.versions import UV


def cache_root() -> Path:
    """``$HENHOUSE_CACHE``, or ``henhouse`` in the user's cache directory (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("HENHOUSE_CACHE") or Path(base) / "henhouse")


def uv() -> Path:
    """The installer of Python packages, where scripts/setup.sh puts it."""
    return cache_root() / f"uv-{UV}/bin/uv"


def fingerprint(inputs: Mapping[str, object]) -> str:
    """Twelve hexadecimal digits that change when any input does; inputs must be JSON."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]


def file_digest(*paths: Path) -> str:
    """One digest over the contents and the names of files, to be an input of `artifact`."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def artifact_path(name: str, inputs: Mapping[str, object]) -> Path:
    """Where the artifact is, or would be."""
    return cache_root() / f"{name}-{fingerprint(inputs)}"


def artifact(name: str, inputs: Mapping[str, object], build: Callable[[Path], None]) -> Path:
    """The directory that `build` filled for these inputs, building it only if it is not there.

    `build` is given an empty directory. It takes the final name only when `build` returns, so an interrupted
    or failed build leaves nothing that could be taken for a finished one. Two processes that want the same
    artifact build it once: the second waits for the first.
    """
    final = artifact_path(name, inputs)
    if final.is_dir():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with open(final.with_name(f".{final.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            return final
        unfinished = final.with_name(f".{final.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        build(unfinished)
        unfinished.rename(final)
    return final
