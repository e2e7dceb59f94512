"""What administrators are shown of the hub's state, made ready for the page; shipped to the hub.

The hub knows which servers run and what people chose for them; the file server tells how much room homes have.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from culling import spoken
from file_server import client
from tornado.httpclient import HTTPRequest

USUAL = "as the site has it"
"""Shown where a person chose nothing."""
CHOSEN = ("profile", "image", "size")
LONGEST = 255
"""Characters of a choice that are shown."""
PATIENCE_SECONDS = 5
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def running(options: Iterable[Any]) -> list[dict[str, Any]]:
    """Count servers by what their owners chose, the most frequent first."""
    chosen = Counter(tuple(_chosen(each, name) for name in CHOSEN) for each in options)
    rows = sorted(chosen.items(), key=lambda each: (-each[1], each[0]))
    return [dict(zip(CHOSEN, what, strict=True)) | {"count": count} for what, count in rows]


def _chosen(options: Any, name: str) -> str:
    value = options.get(name) if isinstance(options, Mapping) else None
    # People may send the hub whatever they like; it is kept where no form checks it.
    if not (isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST):
        return USUAL
    return USUAL if name == "profile" and value == "server" else value


async def room(homes: Mapping[str, str]) -> dict[str, str]:
    """Ask the file server how much room homes have: `free`, `total` and `used` in words, or `error`."""
    request = HTTPRequest(
        f"{homes['provisioner_url']}/status",
        ca_certs=homes["ca"],
        client_cert=homes["certificate"],
        client_key=homes["key"],
        connect_timeout=PATIENCE_SECONDS,
        request_timeout=PATIENCE_SECONDS,
    )
    try:
        with client() as connections:
            answer = json.loads((await connections.fetch(request)).body)
        free, total = int(answer["free"]), int(answer["total"])
    except Exception as error:  # the page is for the very days on which something is wrong
        return {"error": str(error) or type(error).__name__}
    used = f"{100 * (total - free) / total:.0f} %" if total else "0 %"
    return {"free": in_words(free), "total": in_words(total), "used": used}


def shown_pages(pages: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the hub's pages from a repository are: `url`, `wanted`, and what is `shown`, with `problem`.

    None where they are not from one.
    """
    repository = pages["repository"]
    if not repository:
        return None
    shown = json.loads(Path(pages["site"]).with_name("shown.json").read_text())
    return {"url": repository["url"], "wanted": repository["commit"], **shown}


def refused(authenticator: Any) -> dict[str, Any] | None:
    """Return whose servers run on although the provider says no: `people`, `refused`, `answers` and `until`, in words.

    None while the brake is off, and where people log in without a provider, or by an authenticator of the site's own.
    """
    held = getattr(getattr(authenticator, "brake", None), "held", None)
    return None if held is None else {**vars(held), "until": time_in_words(held.until)}


def silence(authenticator: Any) -> dict[str, Any] | None:
    """Return about how many `people` the provider gave no answer, and how long its last one `holds`, in words.

    None where it answers, and where people log in without one.
    """
    people = len(getattr(authenticator, "silent_about", ()))
    return {"people": people, "holds": spoken(authenticator.hold_seconds)} if people else None


def in_words(size: float) -> str:
    """Return a number of bytes in the largest unit of which there is a whole one."""
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def time_in_words(seconds: float) -> str:
    """Return a time."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y, %H:%M} UTC"
