"""A person before a hub on the loopback: what they open, read and press."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import expect_accessible
from tests.browser.chromium import open_page

SECONDS: Final = 60
"""However long a page takes on a busy computer."""


@dataclass
class Visitor:
    """A browser, in which one person at a time is logged in."""

    page: Page
    host: str

    def open(self, path: str) -> int:
        """Open a page of the hub; return its status."""
        answer = self.page.goto(f"https://{self.host}{path}")
        assert answer is not None
        return answer.status

    def forget(self) -> None:
        """Be another person."""
        self.page.goto("about:blank")
        self.page.context.clear_cookies()

    def log_in(self, name: str, password: str, path: str = "/hub/home") -> None:
        """Fill in the page of names and passwords, by keyboard."""
        self.open(f"/hub/login?next={path}")
        expect(self.page.get_by_label("Username")).to_be_focused()
        self.page.keyboard.type(name)
        self.page.keyboard.press("Tab")
        expect(self.page.get_by_label("Password")).to_be_focused()
        self.page.keyboard.type(password)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def reads(self, *words: str) -> None:
        """Expect these words on the page, and that everybody can read it."""
        for each in words:
            expect(self.page.locator("body")).to_contain_text(each)
        self.looks()

    def looks(self) -> None:
        """Expect that everybody can read the page."""
        expect_accessible(self.page)

    def sees(self, role: str, name: str) -> Locator:
        """Expect what a screen reader finds by this role and name, and return it."""
        found = self.page.get_by_role(role, name=re.compile(name))  # type: ignore[arg-type]
        expect(found).to_be_visible()
        return found

    def tab_to(self, target: Locator) -> None:
        """Press Tab until the focus is there; fail when it never comes."""
        for _ in range(60):
            if target.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")


@contextmanager
def visiting(url: str, host: str, *authorities: str) -> Iterator[Visitor]:
    """Yield the browser of a person who knows the hub at `url` as `host`."""
    with open_page(host, urlsplit(url).netloc, *authorities, prefix=()) as page:
        page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        page.emulate_media(reduced_motion="reduce", color_scheme="light")  # axe looks at colours that stay
        yield Visitor(page, host)
