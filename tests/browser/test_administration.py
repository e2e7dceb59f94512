"""The pages of administrators: images on the machines, people, and the groups that they are in, by keyboard alone; and
the hub's state."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor, visiting
from tests.programs.hub.distribution import REPOSITORY
from tests.programs.hub.provisioner import running_provisioner
from tests.programs.hub.running import HUB_CA, serving
from tests.programs.hub.test_announcing import servers
from tests.programs.hub.test_images_page import ADMINISTRATOR, IMAGES, PASSWORD, configured_with_nodes, of

pytestmark = pytest.mark.programs

GROUP: Final = "grads"
RIGHT_EDGE: Final = "each => each.getBoundingClientRect().right"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def one_visitor(tmp_path_factory: pytest.TempPathFactory, directory: Path) -> Iterator[Visitor]:
    host = of().hub.host
    with (
        running_provisioner(tmp_path_factory.mktemp("provisioner")) as provisioner,
        serving(configured_with_nodes(directory, provisioner), host=host) as url,
        visiting(url, host, (directory / HUB_CA).read_text()) as visitor,
    ):
        yield visitor


def presses(visitor: Visitor, name: str) -> None:
    """Tab to a button or a link, press Enter, and look at what is there then."""
    target = visitor.page.get_by_role("button", name=name, exact=True).or_(
        visitor.page.get_by_role("link", name=name, exact=True)
    )
    target = target.last  # upstream has buttons inside of links
    expect(target).to_be_visible()
    visitor.tab_to(target)
    visitor.page.keyboard.press("Enter")


def test_images_on_the_machines(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    visitor.log_in(ADMINISTRATOR, PASSWORD)
    presses(visitor, "Images")
    visitor.sees("columnheader", "chick1")
    visitor.reads(IMAGES[3], "not yet")
    picture(visitor, "images")


def test_people_are_added_found_and_changed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in(ADMINISTRATOR, PASSWORD, "/hub/admin")
    presses(visitor, "Add Users")
    visitor.tab_to(visitor.sees("textbox", "usernames separated by line"))
    page.keyboard.type("grace\nbob")
    visitor.tab_to(visitor.sees("checkbox", "^Admin$"))
    visitor.looks()
    presses(visitor, "Add Users")
    presses(visitor, "Details of grace")
    expect(page.locator("#grace-card-group")).to_be_visible()
    visitor.looks()
    presses(visitor, "Sort by User")
    presses(visitor, "Sort by User")  # downwards
    expect(page.get_by_test_id("user-row-name").first).to_contain_text("grace")
    visitor.tab_to(page.get_by_test_id("user-row-bob").get_by_role("button", name="Edit User"))
    page.keyboard.press("Enter")
    visitor.sees("heading", "Editing user bob")
    visitor.looks()


def test_group_is_made_filled_and_emptied(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    page = visitor.page
    visitor.log_in(ADMINISTRATOR, PASSWORD, "/hub/admin")
    presses(visitor, "Manage Groups")
    visitor.reads("no groups created")
    presses(visitor, "New Group")
    visitor.tab_to(visitor.sees("textbox", "group name"))
    page.keyboard.type(GROUP)
    visitor.looks()
    presses(visitor, "Create")
    visitor.reads("0 users")
    presses(visitor, GROUP)
    visitor.tab_to(visitor.sees("textbox", "Add by username"))
    page.keyboard.type(ADMINISTRATOR)
    presses(visitor, "Add user")
    visitor.sees("button", f"^Remove {ADMINISTRATOR}$")
    visitor.sees("textbox", "^Key$")
    visitor.looks()
    picture(visitor, "group")
    with page.expect_response(lambda answer: answer.request.method == "GET" and "/hub/api/groups" in answer.url):
        presses(visitor, "Apply")
    presses(visitor, "Back")
    visitor.reads("1 users")
    presses(visitor, GROUP)
    presses(visitor, f"Remove {ADMINISTRATOR}")
    visitor.sees("button", f"^Add {ADMINISTRATOR}$")
    visitor.looks()


def test_state_of_the_hub_is_seen_at_a_glance(
    visitor: Visitor, directory: Path, picture: Callable[[Visitor, str], None]
) -> None:
    small, large = {"size": "small", "image": "r180"}, {"size": "large", "image": "w202648"}
    visitor.log_in(ADMINISTRATOR, PASSWORD)
    with servers(directory, small, small, large):
        presses(visitor, "Status")
        visitor.sees("heading", "Status of the hub")
        visitor.reads("3 in all", f"The menu of quay.io/{REPOSITORY}", "3.0 TiB")
        edges = {
            visitor.page.locator(each).last.evaluate(RIGHT_EDGE) for each in ("h1", "table >> nth=0", "table >> nth=1")
        }
        assert len(edges) == 1, "a table is wider than the page's text"
        picture(visitor, "status")
