"""Keeps the menu of images; a process that the hub runs beside itself, so that no page waits for a registry.

Whatever goes wrong, the file of the last scan stays as it was.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from image_menu import Menu, choose
from menu_files import write_menu, write_scan
from oci_registry import Registry, RegistryError

SCAN_SECONDS = 600
"""A scan that is not through by then is given up: a registry could answer one byte per minute for ever."""
RETRY_SECONDS = 60
"""After a scan that failed."""


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    """End what takes longer than `seconds`, wherever it waits."""

    def end(number: int, frame: FrameType | None) -> None:
        raise RegistryError(f"a scan takes more than {seconds} seconds")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def scan(images: dict[str, Any], account: tuple[str, str] | None) -> Menu:
    """Ask the registry what there is."""
    registry = Registry(images["registry"], account, images["token_hosts"], images["authority"])
    path = images["path"]
    tags = registry.tags(path)
    if not tags:
        raise RegistryError(f"{images['registry']}: {path} has no tags")

    def resolve(tag: str) -> str | None:
        digest = registry.digest(path, tag)
        return None if digest in images["removed"] else digest

    chosen, recommended = choose(tags, images["counts"], images["recommended"], resolve)
    if not chosen and not recommended:
        raise RegistryError(f"{images['registry']}: none of the {len(tags)} tags of {path} belongs into the menu")
    return Menu(images["repository"], time.time(), chosen, recommended)


def main(site: dict[str, Any]) -> None:
    """Scan again and again; a line for each new menu and each new reason why there is none."""
    images = site["menu"]["images"]
    file = Path(images["file"])
    said = None
    while True:
        pause = images["refresh_seconds"]
        try:
            password = Path(site["secrets_directory"]) / "registry-password"
            account = (images["user"], password.read_text()) if images["user"] else None
            with ended_after(SCAN_SECONDS):
                menu = scan(images, account)
            write_menu(file, menu)
            reason = None
            names = ", ".join(each.tag for each in (*menu.images, *([menu.recommended] if menu.recommended else [])))
            line = f"images of {menu.repository}: {names}"
        except (RegistryError, OSError) as error:
            reason = " ".join(str(error).split())
            line = f"images of {images['repository']}: the last menu stays; {reason}"
            pause = min(pause, RETRY_SECONDS)
        if line != said:
            print(line, file=sys.stderr, flush=True)
        said = line
        with suppress(OSError):  # a full disk is in the line above
            write_scan(file, reason)
        time.sleep(pause)


if __name__ == "__main__":
    main(json.loads(Path(__file__).with_name("site.json").read_text()))
