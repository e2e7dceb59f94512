"""What people notice when a secret of the hub's is replaced, by a hub that starts again with another."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.programs.hub.asking import SECRETS, configured, site
from tests.programs.hub.running import HUB_CA, Browser, serving

pytestmark = pytest.mark.programs


@contextmanager
def again(config: Path, before: Browser | None = None) -> Iterator[Browser]:
    """Run the hub, and yield a browser with the cookies of one that was there before."""
    with serving(config) as url:
        browser = Browser(url, config.parent / HUB_CA)
        if before:
            browser.session.cookies.update(before.session.cookies)
        yield browser


@pytest.mark.parametrize(("name", "stays"), [("proxy-token", True), ("metrics-token", True), ("cookie-secret", False)])
def test_only_another_cookie_secret_has_people_log_in_again(tmp_path: Path, name: str, stays: bool) -> None:
    """Tokens hold in either case, and so does the one by which each server that runs speaks to the hub."""
    config = configured(tmp_path, site(login="dummy"))
    with again(config) as browser:
        assert browser.log_in("grace", SECRETS["shared-password"])
        made = browser.session.post(
            f"{browser.url}/hub/api/users/grace/tokens?_xsrf={browser.xsrf()}",
            json={},
            headers={"Referer": f"{browser.url}/hub/token"},
        )
    (tmp_path / "secrets" / name).write_text("45" * 32)
    with again(config, browser) as browser:
        answer = browser.get("/hub/home")
        token = {"Authorization": f"token {made.json()['token']}"}
        browser.session.cookies.clear()
        asked = browser.session.get(f"{browser.url}/hub/api/user", headers=token)
    assert answer.status_code == (HTTPStatus.OK if stays else HTTPStatus.FOUND)
    assert stays or answer.headers["Location"].startswith("/hub/login")
    assert (asked.status_code, asked.json().get("name")) == (HTTPStatus.OK, "grace")
