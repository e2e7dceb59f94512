#!/usr/bin/env -S python3 -I
"""Git's credential helper in user servers (gitcredentials(7)): `git-credential URL get`.

It asks the hub for the person's token whenever git wants one, and keeps nothing: the token passes from the hub through
this program to git. Standard library only, of any Python that an image may have, and isolated (`-I`): git runs it in
the person's repository, whose files are not to be taken for modules.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

SECONDS = 15
"""How long the hub may take: it may ask the provider first."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the server's token is for the hub alone."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


def wanted(lines: list[str]) -> dict[str, str]:
    """Return what git says of the credential that it wants."""
    pairs = (line.rstrip("\n").partition("=") for line in lines)
    return {key: value for key, _, value in pairs if key}


def is_for(url: str, asked: dict[str, str]) -> bool:
    """Return whether git wants to go to the provider's own host, over TLS."""
    return asked.get("protocol") == "https" and asked.get("host", "").lower() == urlsplit(url).netloc.lower()


def keepers(url: str, own: str) -> list[str]:
    """Return the other helpers that git would hand the token to, once it was accepted: they may write it down.

    Whatever is configured before an empty entry does not count, as for git; `cache` keeps its own in memory.
    """
    command = ["git", "config", "--null", "--get-regexp", r"^credential\.(.*\.)?helper$"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.decode(errors="replace")
    found: list[str] = []
    for entry in filter(None, said.split("\0")):
        key, _, helper = entry.partition("\n")
        place = key[len("credential.") : -len(".helper")]
        host = urlsplit(place if "://" in place else "//" + place).hostname if place else None
        if host and host != urlsplit(url).hostname and "*" not in host:
            continue
        if not helper:
            found = []
        elif helper != own and helper.split()[0] != "cache":
            found.append(helper)
    return found


def ask_hub() -> dict[str, str]:
    """Return `username` and `password`. Raise ValueError with what the person has to know where the hub refuses."""
    request = urllib.request.Request(
        os.environ["JUPYTERHUB_API_URL"] + "/henhouse/git-credential",
        headers={"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return {key: str(value) for key, value in json.load(answer).items()}
    except urllib.error.HTTPError as error:
        try:
            reason = str(json.load(error)["message"])
        except (ValueError, KeyError, TypeError):
            reason = f"the hub answers with status {error.code}"
        raise ValueError(reason) from error
    except OSError as error:
        raise ValueError(f"the hub does not answer: {error}") from error


def credential(url: str, asked: dict[str, str]) -> tuple[dict[str, str] | None, str]:
    """Return the credential, or none and a message for the person, which may be empty."""
    if not is_for(url, asked):
        return None, ""
    if others := keepers(url, " ".join(sys.argv[:2])):
        named = ", ".join(repr(each) for each in others)
        return None, f"git would also hand it to {named}, which may write it down; remove credential.helper {named}"
    try:
        given = ask_hub()
    except KeyError:
        return None, "this is not a server of the hub"
    except ValueError as error:
        return None, str(error)
    if asked.get("username", given["username"]).lower() != given["username"].lower():
        return None, f"you logged in as {given['username']}, not as {asked['username']}"
    return given, ""


def main() -> None:
    """Answer git's question; say nothing when it tells what was accepted or refused."""
    if sys.argv[2:] != ["get"]:
        return
    found, told = credential(sys.argv[1], wanted(list(sys.stdin)))
    if found:
        sys.stdout.write(f"username={found['username']}\npassword={found['password']}\n")
    elif told:
        sys.stderr.write(f"henhouse gives git no token: {told}\n")


if __name__ == "__main__":
    main()
