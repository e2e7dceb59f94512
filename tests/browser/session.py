"""What a person does: log in, wait for JupyterLab, run a cell."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from types import MappingProxyType
from typing import Final

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from lab.rack import load_rack
from tests.acceptance.site import HOSTS, STACK, inside, output
from tests.browser.chromium import ON_THE_CAMPUS, open_page
from tests.stacks.sites import tree

HUB: Final = tree("dev")["hub"]["host"]
GATEWAY: Final = next(host["address"] for host in HOSTS.values() if "gateway" in host["duties"])

LOGIN_SECONDS: Final = 60
SPAWN_SECONDS: Final = 600
"""A first start pulls the image, and the rack's user node may be an emulated machine."""
LAB_SECONDS: Final = 300
KERNEL_SECONDS: Final = 300
CELL_SECONDS: Final = 60


class Notebook:
    """A new notebook in JupyterLab, and how long it took to get there."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.times: dict[str, float] = {}
        self._since = time.monotonic()

    def log_in(self, user: str, password: str, choices: Mapping[str, str]) -> None:
        """Fill in the login page; the hub then starts the person's server by itself, or asks for choices first."""
        self.page.goto(f"{self.origin}/hub/login", timeout=LOGIN_SECONDS * 1000)
        self._lap("login page")
        self.page.get_by_label("Username").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(
            re.compile(rf"/hub/spawn($|\?)|/(spawn-pending|user)/{re.escape(user)}"), timeout=LOGIN_SECONDS * 1000
        )
        self._lap("logged in")
        for group, choice in choices.items():
            self.page.get_by_role("group", name=group).get_by_label(choice, exact=True).check()
        if choices:
            self.page.get_by_role("button", name="Start").click()
        lab = re.compile(rf"/user/{re.escape(user)}/lab")
        self.page.wait_for_url(lab, timeout=SPAWN_SECONDS * 1000, wait_until="commit")
        self._lap("server started")
        # Without what was open the last time, which JupyterLab brings back bit by bit after it shows itself.
        self.page.goto(f"{self.origin}/user/{user}/lab?reset", timeout=LAB_SECONDS * 1000, wait_until="commit")

    def open(self) -> None:
        """Wait for JupyterLab and make a notebook, up to its kernel's first answer."""
        card = self.page.locator('.jp-LauncherCard[data-category="Notebook"]').first
        card.wait_for(timeout=LAB_SECONDS * 1000)
        self._lap("JupyterLab visible")
        with self.page.expect_websocket(lambda socket: "/channels" in socket.url, timeout=LAB_SECONDS * 1000) as opened:
            card.click()
        # JupyterLab silently drops a cell that is run before this.
        opened.value.wait_for_event("framereceived", _says_idle, timeout=KERNEL_SECONDS * 1000)
        self._cell.locator(".cm-content").wait_for(timeout=LAB_SECONDS * 1000)
        self._lap("notebook open, kernel ready")

    def run(self, code: str) -> None:
        """Type one line into the notebook's cell and run it; the cell then has a star, and later a number."""
        self._cell.locator(".cm-content").fill(code)
        self._cell.locator(".cm-content").press("Control+Enter")
        expect(self._cell.locator(".jp-InputPrompt")).not_to_have_text("[ ]:", timeout=CELL_SECONDS * 1000)

    def expect_output(self, text: str) -> None:
        """Expect this text in the cell's output."""
        expect(self._cell.locator(".jp-OutputArea-output")).to_contain_text(text, timeout=CELL_SECONDS * 1000)
        self._lap("cell done")

    @property
    def _cell(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").last

    def _lap(self, what: str) -> None:
        now = time.monotonic()
        self.times[what] = now - self._since
        self._since = now


@contextmanager
def open_notebook(
    user: str, password: str, *, choices: Mapping[str, str] = MappingProxyType({}), outside: bool = False
) -> Iterator[Notebook]:
    """Log a person in and open a new notebook; print at the end how long each step took.

    `choices` are what they take of each group of the page Server Options, where the hub asks. The browser is on the
    campus; `outside` the rack it goes through the door, as the newcomer's own does.
    """
    door = load_rack(STACK).door
    assert door is not None
    address, prefix = (door.listen.partition(":")[0], ()) if outside else (GATEWAY, ON_THE_CAMPUS)
    with open_page(HUB, address, _authority(), prefix=prefix) as page:
        notebook = Notebook(page, door.url if outside else f"https://{HUB}")
        try:
            notebook.log_in(user, password, choices)
            notebook.open()
            yield notebook
        except Exception:
            with suppress(PlaywrightError):  # the page may have nothing to show yet
                print(f"{page.url}: {page.locator('body').inner_text(timeout=5000)[:800]}")
            raise
        finally:
            for what, seconds in notebook.times.items():
                print(f"{seconds:8.1f} s  {what}")


def _says_idle(frame: str | bytes) -> bool:
    """Whether a kernel says that it waits for work (jupyter-client, "Messaging in Jupyter", kernel status)."""
    message = frame.encode() if isinstance(frame, str) else frame
    return b'"execution_state"' in message and b'"idle"' in message


@cache
def _authority() -> str:
    return str(output("ca_certificate"))


def login_page() -> bool:
    """Whether the hub's login page answers at the gateway."""
    resolve = f"{HUB}:443:{GATEWAY}"
    page = ("curl", "--silent", "--insecure", "--max-time", "5", "--resolve", resolve, f"https://{HUB}/hub/login")
    return "Username" in inside(*page, check=False).stdout
