"""The hub's pages come from a git repository over HTTPS, by git's own programs, and are kept."""

import json
import os
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.site_json import FETCH_PAGES, GIT_COMMIT, TERMINATION
from programs.hub.fetch_pages import Copies
from tests.certificates import Authority
from tests.programs.hub.asking import SECRETS, configured
from tests.programs.hub.repositories import Host, commit, hosted
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.stacks.sites import changed
from tests.stacks.test_fragments import parsed
from tests.stacks.test_pages import GOOD, PNG
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs

ABOUT: Final = {"pages/about.html": "first"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "repositories").mkdir()
    with hosted(tmp_path / "repositories") as served:
        yield served


@dataclass(frozen=True)
class Fetched:
    """What the program did."""

    status: int
    message: str
    """What Kubernetes shows of it."""
    log: str
    shown: Mapping[str, bytes]
    """What the hub shows."""
    problem: str | None
    """What an administrator is told."""


class Pod:
    """The hub's volume, on which the pods of one hub start after one another."""

    def __init__(self, directory: Path, host: Host) -> None:
        self.directory = directory
        self.hub: dict[str, Any] = {}
        """Further settings of the hub."""
        self._host = host

    @property
    def copies(self) -> Path:
        """Where what was fetched is kept."""
        return self.directory / "fetched-pages"

    def configure(self, wanted: str, **more: Any) -> Path:
        """Put the configuration of a hub with the pages of a commit where its pod has it; return JupyterHub's."""
        for of_a_pod in ("secrets", "fetched", "pages"):
            shutil.rmtree(self.directory / of_a_pod, ignore_errors=True)
        repository = {"url": self._host.repository(), "commit": wanted, "certificate_authority": self._host.authority}
        of = parsed(self.directory, pages_repository=changed(repository, more), **self.hub)
        assert of.hub.pages_repository
        return configured(self.directory, of, secrets={**SECRETS, **of.hub.pages_repository.given})

    def start(
        self, wanted: str, purpose: str = "start", *, patience: int = 60, most: int = 1 << 28, **more: Any
    ) -> Fetched:
        """Run the init container for a hub with the pages of a commit.

        `more` are further settings of the repository, `patience` are seconds, and `most` the bytes that git may write.
        """
        self.configure(wanted, **more)
        message, program = self.directory / "message", self.directory / FETCH_PAGES
        message.write_text("")  # as Kubernetes does
        termination = self.directory / TERMINATION
        termination.write_text(termination.read_text().replace("/dev/termination-log", str(message)))
        program.write_text(re.sub('"(rehearse|start)": [0-9]+', rf'"\1": {patience}', program.read_text()))
        git = self.directory / GIT_COMMIT
        git.write_text(re.sub("MOST_FETCHED: Final = .*", f"MOST_FETCHED: Final = {most}", git.read_text()))
        done = subprocess.run(
            [str(jupyterhub_python()), str(program), purpose], capture_output=True, text=True, check=False, timeout=60
        )
        place = self.directory / "fetched/site"
        files = (each for each in place.rglob("*") if each.is_file())
        shown = {each.relative_to(place).as_posix(): each.read_bytes() for each in files}
        told = place.with_name("shown.json")
        problem = json.loads(told.read_text())["problem"] if told.exists() else None
        return Fetched(done.returncode, message.read_text(), done.stdout + done.stderr, shown, problem)


@pytest.fixture
def pod(tmp_path: Path, host: Host) -> Pod:
    (tmp_path / "hub").mkdir()
    return Pod(tmp_path / "hub", host)


def in_bytes(files: Mapping[str, str | bytes]) -> Mapping[str, bytes]:
    return {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}


def test_pages_are_the_folders_of_one_commit(host: Host, pod: Pod) -> None:
    first = commit(host.root, {**GOOD, "README.md": "x", ".gitignore": "x", "LICENSE": "x"})
    commit(host.root, {"pages/about.html": "second"})
    done = pod.start(first, "rehearse")
    assert (done.status, done.message, done.problem) == (0, "", None), done.log
    assert done.shown == in_bytes(GOOD)


@pytest.mark.parametrize("newest", [True, False])
def test_folder_of_an_old_commit_at_any_server(host: Host, pod: Pod, newest: bool) -> None:
    """Also at one that gives no commit by its number."""
    host.newest_protocol = newest
    old = commit(host.root, {"site/hub/pages/about.html": "old", "Makefile": "x"})
    commit(host.root, ABOUT)
    done = pod.start(old, "rehearse", folder="site/hub")
    assert (done.status, done.shown) == (0, {"pages/about.html": b"old"}), done.log


def test_hub_starts_while_the_host_is_away(host: Host, pod: Pod) -> None:
    wanted = commit(host.root, ABOUT)
    assert pod.start(wanted, "rehearse").status == 0
    asked = len(host.heard)
    host.silent = threading.Event()
    done = pod.start(wanted)
    assert (done.status, done.shown, done.problem) == (0, in_bytes(ABOUT), None)
    assert len(host.heard) == asked, "what was fetched once is not asked for"


def test_hub_starts_with_its_last_pages_where_a_commit_is_lost(host: Host, pod: Pod) -> None:
    first = commit(host.root, ABOUT)
    assert pod.start(first).status == 0
    second = commit(host.root, {"pages/about.html": "second"})
    host.silent = threading.Event()
    done = pod.start(second, patience=1)
    assert (done.status, done.shown) == (0, in_bytes(ABOUT))
    assert done.problem == f"hub.pages_repository: {host.repository()} has not given commit {second} in time"
    host.silent.set()
    assert pod.start(second).shown == {"pages/about.html": b"second"}


def test_hub_without_any_pages_starts_with_its_own(host: Host, pod: Pod) -> None:
    commit(host.root, ABOUT)
    done = pod.start("1" * 40)
    assert (done.status, done.shown) == (0, {})
    assert str(done.problem).endswith("it does not have that commit. Was it pushed?")


@pytest.mark.parametrize("newest", [True, False])
def test_update_ends_where_there_is_no_such_commit(host: Host, pod: Pod, newest: bool) -> None:
    host.newest_protocol = newest
    commit(host.root, ABOUT)
    done = pod.start("1" * 40, "rehearse")
    assert done.status == 1
    assert done.message == f"hub.pages_repository: {host.repository()}: it does not have that commit. Was it pushed?"


@pytest.mark.parametrize(
    ("files", "links", "says"),
    [
        ({"templates/login.html": "{% block %}"}, {}, "templates/login.html, line 1: "),
        ({"template/login.html": "x"}, {}, "template/login.html has no place there: there may be logo.svg"),
        ({"pages/admin.html": "x"}, {}, "pages/admin.html would be at /hub/admin, which is JupyterHub's own"),
        ({"readme.md": "x"}, {}, "readme.md has no place there"),
        ({}, {"static/secret": "/etc/jupyterhub-secrets/proxy-token"}, "static/secret is a link"),
        (
            {"static/a.bin": b"version https://git-lfs.github.com/spec/v1\noid x\n"},
            {},
            "static/a.bin is kept by Git LFS",
        ),
        ({"static/a.bin": bytes(9 << 20), "static/b.bin": b"1" * (8 << 20)}, {}, "at most 16 MiB together"),
        ({"static/a\nb": "x"}, {}, "has no place there"),
        ({"static/\u00ff": "x"}, {}, "has no place there"),
    ],
)
def test_pages_that_would_not_work_end_the_update(
    host: Host, pod: Pod, files: Mapping[str, str | bytes], links: Mapping[str, str], says: str
) -> None:
    done = pod.start(commit(host.root, files, links=links), "rehearse")
    assert done.status == 1
    assert done.message.startswith("hub.pages_repository: ")
    assert says in done.message
    assert not pod.copies.exists()


def test_copy_of_an_older_henhouse_is_checked_again(host: Host, pod: Pod) -> None:
    """What it let pass may be a page of henhouse's own by now."""
    wanted = commit(host.root, ABOUT)
    assert pod.start(wanted).status == 0
    Copies(pod.copies).add(wanted, {"pages/images.html": b"x"})
    done = pod.start(wanted, "rehearse")
    assert (done.status, "which is henhouse's own" in done.message) == (1, True)
    done = pod.start(wanted)
    assert (done.status, done.shown) == (0, {"pages/images.html": b"x"}), "the hub that has them starts"


@pytest.mark.parametrize("damage", ["", "{}", '{"files": {"pages/about.html": "eA=="}, "digest": "0"}', None])
def test_copy_that_is_not_whole_is_fetched_again(host: Host, pod: Pod, damage: str | None) -> None:
    wanted = commit(host.root, ABOUT)
    for purpose in ("start", "rehearse"):
        assert pod.start(wanted).status == 0
        (copy,) = pod.copies.iterdir()
        copy.unlink() if damage is None else copy.write_text(damage)
        done = pod.start(wanted, purpose)
        assert (done.status, done.shown, done.problem) == (0, in_bytes(ABOUT), None), done.log


def test_whatever_is_beside_the_copies_the_hub_starts(host: Host, pod: Pod) -> None:
    """Backups and leftovers of people; a copy that is damaged while the host is away."""
    first, second = (commit(host.root, {"pages/about.html": text}) for text in ("first", "second"))
    for each in (first, second):
        assert pod.start(each).status == 0
    (pod.copies / "backup.tar").write_bytes(b"x")
    (pod.copies / "directory.json").mkdir()
    (pod.copies / "link.json").symlink_to("nowhere")
    (pod.copies / f"{second}.json").write_text("damaged")
    host.silent = threading.Event()
    done = pod.start("1" * 40, patience=1)
    assert (done.status, done.shown) == (0, {"pages/about.html": b"first"}), done.log
    shutil.rmtree(pod.copies)
    pod.copies.write_text("a file")
    done = pod.start(first, patience=1)
    assert (done.status, done.shown) == (0, {}), done.log
    assert done.problem


def test_attempts_that_failed_take_no_copy_away(host: Host, pod: Pod) -> None:
    previous, current, *failed = (commit(host.root, {"pages/about.html": str(number)}) for number in range(6))
    for each in (previous, current):
        assert pod.start(each).status == 0
    for each in failed:
        assert pod.start(each, "rehearse").status == 0
    assert pod.start(current).status == 0
    host.people = {}
    assert pod.start(previous).shown == {"pages/about.html": b"0"}
    assert pod.start("1" * 40).shown == {"pages/about.html": b"0"}, "not one that no hub has started with"


def test_number_of_files_has_a_limit(host: Host, pod: Pod) -> None:
    many = {f"static/{number}": "" for number in range(2001)}
    done = pod.start(commit(host.root, many), "rehearse")
    assert "at most 2000 files, and there are 2001" in done.message


def test_what_is_fetched_has_a_limit(host: Host, pod: Pod) -> None:
    """Also where it is beside the pages."""
    wanted = commit(host.root, {**ABOUT, ".data/large": random.Random(0).randbytes(3 << 20)})
    done = pod.start(wanted, "rehearse", most=1 << 20)
    assert done.status == 1
    assert pod.start(wanted, "rehearse").status == 0


@pytest.mark.parametrize(
    "text", ["{% for a in b %}" * 30 + "{% endfor %}" * 30, "{{ " + "(" * 5000 + ")" * 5000 + " }}"]
)
def test_template_that_is_too_deep_is_named(host: Host, pod: Pod, text: str) -> None:
    done = pod.start(commit(host.root, {"pages/about.html": text}), "rehearse")
    assert done.status == 1
    assert "pages/about.html" in done.message


@pytest.mark.parametrize("folder", ["nothing", "pages/about.html"])
def test_folder_that_is_none(host: Host, pod: Pod, folder: str) -> None:
    wanted = commit(host.root, ABOUT)
    done = pod.start(wanted, "rehearse", folder=folder)
    assert done.message == (f"hub.pages_repository: commit {wanted} of {host.repository()} has no folder {folder}")


def test_private_repository_wants_its_password(host: Host, pod: Pod) -> None:
    wanted = commit(host.root, ABOUT)
    host.people = {"T0KEN-of-pages": "pages-bot"}
    done = pod.start(wanted, "rehearse")
    assert done.message.endswith("there is no such repository, or it wants an account: set user and password")
    done = pod.start(wanted, "rehearse", user="pages-bot", password="T0KEN-wrong")
    assert "Authentication failed" in done.message
    done = pod.start(wanted, "rehearse", user="pages-bot", password="T0KEN-of-pages")
    assert (done.status, done.shown) == (0, in_bytes(ABOUT)), done.log
    everything = b"".join(each.read_bytes() for each in pod.copies.rglob("*") if each.is_file())
    assert b"T0KEN" not in everything + done.log.encode()


def test_password_does_not_follow_to_another_host(host: Host, pod: Pod, tmp_path: Path) -> None:
    wanted = commit(host.root, ABOUT)
    (tmp_path / "other").mkdir()
    with hosted(tmp_path / "other") as other:
        other.people = {}
        host.moved = other.url
        both = host.authority + other.authority
        done = pod.start(wanted, "rehearse", user="ada", password="T0KEN-of-ada", certificate_authority=both)
    assert done.status == 1
    assert other.heard
    assert not any(other.heard), "no Authorization"


def test_host_without_its_authority_is_not_believed(host: Host, pod: Pod) -> None:
    wanted = commit(host.root, ABOUT)
    done = pod.start(wanted, "rehearse", certificate_authority=Authority("another").pem)
    assert done.status == 1
    assert "certificate" in done.message


def test_image_without_git_is_named(host: Host, pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = commit(host.root, ABOUT)
    monkeypatch.setenv("PATH", str(pod.directory))
    assert "the hub's image has no git" in pod.start(wanted, "rehearse").message


def test_copies_that_no_hub_starts_with_are_dropped(host: Host, pod: Pod) -> None:
    wanted = [commit(host.root, {"pages/about.html": str(number)}) for number in range(5)]
    for each in wanted:
        assert pod.start(each).status == 0
    assert {each.stem for each in pod.copies.iterdir()} == {*wanted[2:]}


def test_copy_in_use_stays_where_the_clock_was_ahead_before(host: Host, pod: Pod) -> None:
    ahead = time.time() + 86400
    for number in range(3):
        assert pod.start(commit(host.root, {"pages/about.html": str(number)})).status == 0
        for each in pod.copies.iterdir():
            os.utime(each, (ahead, ahead))
    newest = commit(host.root, {"pages/about.html": "newest"})
    assert pod.start(newest).status == 0
    assert Copies(pod.copies).proven()[0] == newest


def test_people_see_them_and_stay_logged_in_through_a_change(host: Host, pod: Pod) -> None:
    first = commit(host.root, {**ABOUT, "logo.png": PNG, "static/site.css": "p {}"})
    assert pod.start(first).status == 0
    with serving(pod.directory / "jupyterhub_config.py") as url:
        browser = Browser(url, pod.directory / HUB_CA)
        assert browser.log_in("ada", SECRETS["shared-password"])
        cookies = browser.session.cookies
        assert browser.get("/hub/about").text == "first"
        assert browser.get("/hub/logo").content == PNG
        assert browser.get("/hub/site/site.css").text == "p {}"
    second = commit(host.root, {"pages/about.html": "second"})
    assert pod.start(second).status == 0
    with serving(pod.directory / "jupyterhub_config.py") as url:
        again = Browser(url, pod.directory / HUB_CA)
        again.session.cookies.update(cookies)
        assert again.get("/hub/home").status_code == 200, "the login holds"
        assert again.get("/hub/about").text == "second"
        assert again.get("/hub/site/site.css").status_code == 404


def test_administrator_is_told_of_pages_that_are_not_the_wanted_ones(host: Host, pod: Pod) -> None:
    pod.hub = {"login": "native", "administrators": ["ada"]}
    first = commit(host.root, ABOUT)
    assert pod.start(first).status == 0
    for wanted, says in ((first, f"Shown: <code>{first}</code>"), ("1" * 40, "Was it pushed?")):
        assert pod.start(wanted).shown == in_bytes(ABOUT)
        with serving(pod.directory / "jupyterhub_config.py") as url:
            browser = Browser(url, pod.directory / HUB_CA)
            assert browser.log_in("ada", "first-password-of-ada")
            assert says in browser.get("/hub/admin/status").text
