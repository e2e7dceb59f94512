"""What a container of the hub's pods ended with, put where Kubernetes and so Pulumi's report of an `up` have it."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

MESSAGE: Final = Path("/dev/termination-log")
"""What is written here is in the pod's status, and so in what Pulumi says (Kubernetes, `terminationMessagePath`)."""
LONGEST_MESSAGE: Final = 1500
"""Characters. The kubelet keeps the last 4096 bytes, and what matters most stands first."""
SHORTEST_SECRET: Final = 6
"""Characters. A value that is shorter may be any word of a message."""


def tell(text: str, secrets: Path) -> None:
    """Put a reason where Kubernetes finds it.

    Each secret of the directory `secrets`, or part of one, is replaced by the name of its file: whoever may list pods
    reads their status, and Pulumi's state keeps it as it is.
    """
    with MESSAGE.open("r+") as mounted:  # by Kubernetes, so that another file cannot take its place
        mounted.write(without_secrets(text, secrets)[:LONGEST_MESSAGE])


def without_secrets(text: str, secrets: Path) -> str:
    """Return the text with the name of its file in the place of each secret."""
    names = {each: path.name for path in secrets.iterdir() if path.is_file() for each in spellings(path.read_bytes())}
    for secret in sorted(names, key=len, reverse=True):
        text = text.replace(secret, f"[{names[secret]}]")
    return text


def spellings(secret: bytes) -> set[str]:
    """Return how a secret, and what it consists of, may stand in the text of an error."""
    text = secret.decode(errors="replace")
    parts = {text, *text.split(";"), *text.splitlines()}
    with suppress(ValueError):
        data = json.loads(text)
        parts |= {each for each in (data.values() if isinstance(data, dict) else ()) if isinstance(each, str)}
    stripped = {each.strip() for each in parts}
    return {each for each in stripped | {repr(part)[1:-1] for part in stripped} if len(each) >= SHORTEST_SECRET}
