"""Debian's Chromium, trusting the site's authority as a person's browser would.

It is on the rack's campus, or on the loopback.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from lab.host import install_packages

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PACKAGES: Final = ("chromium", "libnss3-tools")
CHROMIUM: Final = "/usr/bin/chromium"
ON_THE_CAMPUS: Final = (sys.executable, "-m", "lab", "exec", "--")
FLAGS: Final = (
    "--no-sandbox",  # the tests run as root, and Chromium's sandbox does not
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_page(host: str, address: str, *authorities: str, prefix: tuple[str, ...] = ON_THE_CAMPUS) -> Iterator[Page]:
    """Yield a blank page of a new browser that finds `host` at `address` and trusts only `authorities` (PEM).

    `address` may have a port: what the page believes to be port 443 is then there.

    Chromium is started behind `prefix`, by default inside the rack's network; this process stays where it is and
    speaks to it through a pipe.
    """
    install_packages(PACKAGES)
    with tempfile.TemporaryDirectory(prefix="henhouse-browser-") as home, sync_playwright() as playwright:
        _trust(authorities, Path(home))
        context = playwright.chromium.launch_persistent_context(
            f"{home}/profile",
            executable_path=_launcher(Path(home), prefix),
            args=[*FLAGS, f"--host-resolver-rules=MAP {host} {address}"],
            env={**os.environ, "HOME": home},
            viewport={"width": 1280, "height": 800},
        )
        try:
            yield context.pages[0]
        finally:
            context.close()


def _trust(authorities: tuple[str, ...], home: Path) -> None:
    """Chromium reads a person's own authorities from this database (NSS, certutil(1))."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "--empty-password", "-d", f"sql:{database}"], check=True)
    for number, authority in enumerate(authorities):
        subprocess.run(
            ["certutil", "-A", "-d", f"sql:{database}", "-n", f"henhouse {number}", "-t", "C,,"],
            input=authority,
            text=True,
            check=True,
        )


def _launcher(home: Path, prefix: tuple[str, ...]) -> str:
    """Write a program that Playwright takes for Chromium. Every link of the chain is an exec: pipes reach the end."""
    launcher = home / "chromium"
    launcher.write_text(f'#!/bin/sh\ncd {ROOT} && exec {" ".join(prefix)} {CHROMIUM} "$@"\n')
    launcher.chmod(0o700)
    return str(launcher)
