"""What a person does: log in, wait for JupyterLab, run a cell."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from playwright.sync_api import Page, expect

from tests.acceptance.site import HOSTS, output
from tests.browser.chromium import open_page
from tests.stacks.sites import tree

HUB: Final = tree("dev")["hub"]["host"]
GATEWAY: Final = next(host["address"] for host in HOSTS.values() if "gateway" in host["duties"])

LOGIN_SECONDS: Final = 60
SPAWN_SECONDS: Final = 600
"""A first start pulls the image, and the rack's user node may be an emulated machine."""
LAB_SECONDS: Final = 300
CELL_SECONDS: Final = 300


class Notebook:
    """A new notebook in JupyterLab, and how long it took to get there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.times: dict[str, float] = {}
        self._since = time.monotonic()

    def log_in(self, user: str, password: str) -> None:
        """Fill in the login page; the hub then starts the person's server by itself."""
        self.page.goto(f"https://{HUB}/hub/login")
        self._lap("login page")
        self.page.get_by_label("Username").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(re.compile(rf"/(spawn-pending|user)/{re.escape(user)}"), timeout=LOGIN_SECONDS * 1000)
        self._lap("logged in")
        self.page.wait_for_url(re.compile(rf"/user/{re.escape(user)}/lab"), timeout=SPAWN_SECONDS * 1000)
        self._lap("server started")

    def open(self) -> None:
        """Wait for JupyterLab and make a notebook with its first kernel."""
        ready = self.page.locator(".jp-Launcher, .jp-Notebook").first
        ready.wait_for(timeout=LAB_SECONDS * 1000)
        self._lap("JupyterLab visible")
        card = self.page.locator('.jp-LauncherCard[data-category="Notebook"]').first
        if not card.is_visible():  # an earlier session left a notebook open
            self.page.keyboard.press("Control+Shift+L")
        card.click(timeout=LAB_SECONDS * 1000)
        self.page.locator(".jp-Notebook:visible .jp-Cell .cm-content").first.wait_for(timeout=LAB_SECONDS * 1000)
        self._lap("notebook open")

    def run(self, code: str) -> None:
        """Type one line into the last cell and run it."""
        self.page.locator(".jp-Notebook:visible .jp-Cell .cm-content").last.click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")

    def expect_output(self, text: str) -> None:
        """The last output holds this text, within the time that a first kernel may take."""
        last = self.page.locator(".jp-Notebook:visible .jp-OutputArea-output").last
        expect(last).to_contain_text(text, timeout=CELL_SECONDS * 1000)
        self._lap("cell done")

    def _lap(self, what: str) -> None:
        now = time.monotonic()
        self.times[what] = now - self._since
        self._since = now


@contextmanager
def open_notebook(user: str, password: str) -> Iterator[Notebook]:
    """Somebody logs in and opens a new notebook; how long each step took is printed at the end."""
    with open_page(HUB, GATEWAY, _authority()) as page:
        notebook = Notebook(page)
        try:
            notebook.log_in(user, password)
            notebook.open()
            yield notebook
        except Exception:
            print(f"{page.url}: {page.locator('body').inner_text()[:800]}")
            raise
        finally:
            for what, seconds in notebook.times.items():
                print(f"{seconds:8.1f} s  {what}")


@cache
def _authority() -> str:
    return str(output("ca_certificate"))
