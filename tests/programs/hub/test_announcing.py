"""What the hub announces while it runs, and what administrators see of its state."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.pages import announcements_data
from programs.hub.announcing import announced
from programs.hub.menu.image_menu import Image, Menu
from programs.hub.menu.menu_files import read_scan, write_menu, write_scan
from tests.programs.hub.asking import SECRETS, configured, site
from tests.programs.hub.provisioner import Provisioner
from tests.programs.hub.running import HUB_CA, Browser, serving

EVERYWHERE: Final = {"text": "Closed <b>on</b> Friday & Sunday", "level": "warning"}
LOGIN: Final = {"text": "Ask at the desk", "where": ["login"]}
DIGEST: Final = "sha256:" + "0" * 64


def written(directory: Path, *announcements: dict[str, Any]) -> Path:
    """Write them as the kubelet does."""
    data = announcements_data(site(announcements=[*announcements]).hub)
    path = directory / "announcements.json"
    path.write_text(data["announcements.json"]) if data else path.unlink(missing_ok=True)
    return path


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("login.html", ["everywhere", "login"]),
        ("native-login.html", ["everywhere", "login"]),
        ("home.html", ["everywhere", "home and spawn"]),
        ("spawn.html", ["everywhere", "home and spawn"]),
        ("spawn_pending.html", ["everywhere", "home and spawn"]),
        ("logout.html", ["everywhere"]),
        ("error.html", ["everywhere"]),
        (None, ["everywhere"]),
    ],
)
def test_each_page_shows_its_own(tmp_path: Path, template: str | None, texts: list[str]) -> None:
    file = written(
        tmp_path,
        {"text": "everywhere"},
        {"text": "login", "where": ["login"]},
        {"text": "home and spawn", "where": ["home", "spawn"]},
    )
    assert [each["text"] for each in announced(file, template)] == texts


@pytest.mark.parametrize("text", ["", "{", "{}", "null", "[1]", '[{"text": 1}]', '[{"text": "x", "level": "x\\"y"}]'])
def test_file_that_makes_no_sense_announces_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "announcements.json"
    assert not [*announced(file, "home.html")]
    file.write_text(text)
    assert not [*announced(file, "home.html")]


def test_last_scan_is_kept_beside_the_menu(tmp_path: Path) -> None:
    file = tmp_path / "image-menu.json"
    assert read_scan(file) is None
    write_scan(file, "Connection refused")
    assert read_scan(file) is not None
    assert (read_scan(file) or (0, ""))[1] == "Connection refused"
    write_scan(file, None)
    assert (read_scan(file) or (0, ""))[1] is None


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Provisioner]]:
    """Run a hub with a menu whose registry was away the last time, and with a file server."""
    from tests.programs.hub.provisioner import running_provisioner

    directory = tmp_path_factory.mktemp("hub")
    of = site(login="dummy", administrators=["ada"], image_menu={"repository": "quay.io/team/lab"})
    with running_provisioner(tmp_path_factory.mktemp("provisioner")) as provisioner:
        config = configured(directory, of, provisioner.url, {**SECRETS, **provisioner.secrets})
        (directory / "99-administrator.py").write_text(
            'from henhouse_hub import c\n\nc.JupyterHub.load_groups = {"staff": ["grace"]}\n'
            'c.JupyterHub.load_roles.append({"name": "watch", "scopes": ["admin-ui"], "groups": ["staff"]})\n'
        )
        with serving(config) as url:
            menu = directory / "image-menu.json"
            write_menu(menu, Menu("quay.io/team/lab", 1795000000.0, (Image("r180", DIGEST),)))
            write_scan(menu, "Connection <refused>")
            yield url, directory, provisioner


def person(hub: tuple[str, Path, Provisioner], name: str) -> Browser:
    browser = Browser(hub[0], hub[1] / HUB_CA)
    assert browser.post("/hub/login", username=name, password=SECRETS["shared-password"]).status_code == 302
    return browser


@contextmanager
def servers(directory: Path, *chosen: Mapping[str, str]) -> Iterator[None]:
    """Let the database of a hub that runs say that there are servers with these options, while the block runs."""
    numbers = range(90, 90 + len(chosen))
    with closing(sqlite3.connect(directory / "jupyterhub.sqlite")) as database:
        for number, options in zip(numbers, chosen, strict=True):
            database.execute("INSERT INTO servers (id, proto, ip, port, base_url) VALUES (?, '', '', 1, '')", (number,))
            database.execute(
                "INSERT INTO spawners (user_id, server_id, name, user_options) SELECT id, ?, ?, ? FROM users LIMIT 1",
                (number, f"n{number}", json.dumps(options)),
            )
        database.commit()
        yield
        for number in numbers:
            database.execute("DELETE FROM spawners WHERE server_id = ?", (number,))
            database.execute("DELETE FROM servers WHERE id = ?", (number,))
        database.commit()


@pytest.mark.programs
def test_announcement_comes_and_goes_while_the_hub_runs(hub: tuple[str, Path, Provisioner]) -> None:
    url, directory, _ = hub
    zoe, stranger = person(hub, "zoe"), Browser(url, directory / HUB_CA)
    assert "Closed" not in stranger.get("/hub/login").text
    written(directory / "pages", EVERYWHERE, LOGIN)
    login, home = stranger.get("/hub/login").text, zoe.get("/hub/home").text
    for page in (login, home):
        assert "Closed &lt;b&gt;on&lt;/b&gt; Friday &amp; Sunday</div>" in page
        assert 'alert-warning"\n           role="alert"' in page
    assert "Ask at the desk" in login
    assert "Ask at the desk" not in home
    written(directory / "pages")
    assert "Closed" not in zoe.get("/hub/home").text, "and people stayed logged in"


@pytest.mark.programs
def test_administrators_see_servers_images_and_disks(hub: tuple[str, Path, Provisioner]) -> None:
    url, directory, provisioner = hub
    zoe, grace = person(hub, "zoe"), person(hub, "grace")
    assert zoe.get("/hub/admin/status").status_code == 403
    assert "admin/status" not in zoe.get("/hub/home").text
    assert Browser(url, directory / HUB_CA).get("/hub/admin/status").status_code == 302
    assert 'href="/hub/admin/status"' in grace.get("/hub/home").text
    with servers(directory, {"size": "small", "image": "r180"}, {"size": "small", "image": "r180"}, {}):
        page = " ".join(grace.get("/hub/admin/status").text.split())
    assert "<td>as the site has it</td><td>r180</td><td>small</td><td>2</td>" in page
    assert "3 in all" in page
    assert f">quay.io/team/lab:r180@{DIGEST}</code>" in page
    assert "Connection &lt;refused&gt;" in page
    assert "<td>3.0 TiB</td><td>4.0 TiB</td><td>25 %</td>" in page
    assert page.count("<caption>") == 3
    assert "GET /status" in provisioner.asked


@pytest.mark.programs
def test_page_is_there_when_the_file_server_is_not(hub: tuple[str, Path, Provisioner]) -> None:
    grace = person(hub, "grace")
    (hub[1] / "secrets/homes-ca.crt").write_text(hub[2].another_authority)
    try:
        page = " ".join(grace.get("/hub/admin/status").text.split())
    finally:
        (hub[1] / "secrets/homes-ca.crt").write_text(hub[2].secrets["homes-ca.crt"])
    assert "The file server did not say:" in page
    assert "The menu of quay.io/team/lab" in page
