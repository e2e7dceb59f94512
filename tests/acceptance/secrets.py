"""Every secret value of a stack, and where it must not be found."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.standins.values import SECRET, SIGNATURE

REVEALED_IN: Final = {
    "command lines": "cat /proc/[0-9]*/cmdline | tr '\\0' ' '",
    # configurable-http-proxy takes its token from nowhere else (its README, "Authenticating via passing a token").
    "environments": "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -v ^CONFIGPROXY_AUTH_TOKEN=",
    "the journal": "journalctl --no-pager --quiet --output=cat",
    "logs": "find /var/log -type f -not -path '*/journal/*' -exec cat {} +",
}
"""What a curious person looks at first on a machine, as shell scripts that print it."""

MIN_LENGTH: Final = 12
"""Shorter texts are found by chance."""
_ARMOUR: Final = "-----"
_KEPT_IN_CASE: Final = frozenset({".stderr"})
"""Progress of a command that has secrets. The engine keeps it as one more, and it says the same on every machine."""
_PUBLIC: Final = frozenset({"host", "hostKey", "user"})
"""Parts of a connection that anybody may know; pulumi-command marks a connection as a secret whole."""


def secret_values(state: Mapping[str, Any]) -> dict[str, str]:
    """Return a telling part of every secret in an exported state, keyed by the resource and the property with it."""
    return {
        f"{resource['urn'].rpartition('::')[2]} {path}": telling
        for resource in state["deployment"]["resources"]
        for path, value in _marked(resource.get("outputs") or {}, "")
        if path not in _KEPT_IN_CASE
        for telling in _telling(value)
    }


def _marked(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Values inside the engine's mark of a secret, with their paths."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _marked(each, f"{path}[{number}]")
    elif isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            yield path, json.loads(value["plaintext"])
            return
        for key, each in value.items():
            yield from _marked(each, f"{path}.{key}")


def _telling(value: Any) -> Iterator[str]:
    """One line of the value that nothing else has by chance; nothing for a value that is not a secret by itself."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in _PUBLIC:
                yield from _telling(each)
    if isinstance(value, str):
        lines = [line for line in value.splitlines() if len(line) >= MIN_LENGTH and not line.startswith(_ARMOUR)]
        if lines:
            yield max(lines, key=len)


def where_found(secrets: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """Return a sentence for each secret that one of the texts shows; it does not show the secret itself."""
    return [
        f"{name} is in {where}" for where, text in texts.items() for name, value in secrets.items() if value in text
    ]
