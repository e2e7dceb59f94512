"""A site's pages come from a git repository of the institution's. A part of `make chaos`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.site import edit, edited, kubectl, make, password
from tests.acceptance.test_fragments import HUB, hub
from tests.acceptance.test_provider import PORT, campus_listener, hub_reaches
from tests.acceptance.test_push import INSTITUTION, institution
from tests.acceptance.visitor import Visitor, visitor
from tests.programs.hub.repositories import Host, commit, hosted
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

PERSON: Final = "lovelace"
LOGIN: Final = '{% extends "henhouse/login.html" %}{% block login_container %}Use the card{{ super() }}{% endblock %}'
NOT_THERE: Final = "1" * 40


def test_pages_are_published_by_their_commit(tmp_path: Path) -> None:
    first = commit(
        tmp_path, {"README.md": "how to", "hub/pages/about.html": "first", "hub/templates/login.html": LOGIN}
    )
    with (
        institution(),
        hosted(tmp_path, campus_listener(INSTITUTION)) as host,
        visitor() as person,
        visitor() as stranger,
    ):
        assert not hub_reaches(INSTITUTION, PORT), "nothing of a host that no setting names"
        with edited(pages(host, first)):
            assert person.log_in(PERSON, password())
            assert about(person) == "first"
            assert "Use the card" in stranger.ask("/hub/login").text
            is_refused_without_harm(person, host, tmp_path)
            second = commit(tmp_path, {"hub/pages/about.html": "second"})
            edit(pages(host, second))
            make("up")
            assert about(person) == "second"
            assert person.ask("/hub/home").status == 200, "the login holds"
            host.people = {}  # nothing can be fetched any more
            starts_again(person)
            assert about(person) == "second"
            edit(pages(host, first))
            make("up")
            assert about(person) == "first", "a commit that was there is there"


def is_refused_without_harm(person: Visitor, host: Host, root: Path) -> None:
    """Set commits without usable pages: the update says why, and the hub that people use stays."""
    before = hub()
    broken = commit(root, {"hub/templates/login.html": "{% extends %}"})
    for wanted, says in ((NOT_THERE, "Was it pushed?"), (broken, "templates/login.html, line 1")):
        edit(pages(host, wanted))
        refused = make("up", check=False)
        assert refused.returncode != 0
        assert says in refused.stdout + refused.stderr
        assert hub() == before
        assert about(person) == "first"


def starts_again(person: Visitor) -> None:
    """Take the hub's pod away, as a reboot of its machine does, and wait for the next one."""
    before = hub()
    kubectl("--namespace", "hub", "delete", "pod", "--selector", HUB)
    eventually("the hub", lambda: hub() != before and person.ask("/hub/health").status == 200, seconds=300)


def about(person: Visitor) -> str:
    """Return the page about the site."""
    answer = person.ask("/hub/about")
    assert answer.status == 200
    return answer.text.strip()


def pages(host: Host, wanted: str) -> Mapping[str, Any]:
    """Return the settings of a site whose pages are there."""
    repository = {
        "url": host.repository(),
        "commit": wanted,
        "folder": "hub",
        "networks": [f"{INSTITUTION}/32"],
        "certificate_authority": host.authority,
    }
    return {"hub": {"pages_repository": repository}}
