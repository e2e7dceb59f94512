"""Several kinds of server, of which a person chooses one and answers what is asked of it, by keyboard alone."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.cluster import Cluster
from tests.browser.offering import PASSWORD, offering
from tests.browser.visitor import Visitor
from tests.programs.hub.test_menu import NOTHING, site

pytestmark = pytest.mark.programs

COURSE_IMAGE: Final = "quay.io/example/course:2026"
PROFILES: Final[list[dict[str, Any]]] = [
    {"slug": "lab", "display_name": "JupyterLab", "default": True},
    {
        "slug": "course",
        "display_name": "Course on birds",
        "description": "With the image of the course",
        "kubespawner_override": {"image": COURSE_IMAGE, "default_url": "/lab/tree/birds"},
    },
    {
        "slug": "gpu",
        "display_name": "JupyterLab with a GPU",
        "description": "4 cores and 16 GiB of memory",
        "kubespawner_override": {
            "image": "quay.io/example/gpu:2026",
            "cpu_limit": 4,
            "mem_limit": "16Gi",
            "extra_resource_limits": {"nvidia.com/gpu": 1},
        },
    },
]
ASKED: Final = {
    "JupyterLab": ["Profile", "Size: JupyterLab", "Image: JupyterLab"],
    "Course on birds": ["Profile", "Size: Course on birds"],
    "JupyterLab with a GPU": ["Profile"],
}
"""The questions of the page, by the profile that is chosen."""


@pytest.fixture(scope="module")
def one_visitor(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Visitor]:
    with offering(site(NOTHING, profile_list=PROFILES), cluster, tmp_path_factory.mktemp("site")) as visitor:
        yield visitor


def answer(visitor: Visitor, question: str, name: str) -> Locator:
    """Return the radio button with this answer; a hidden one has no role, so it is not found."""
    group = visitor.page.get_by_role("group", name=question, exact=True)
    return group.get_by_role("radio", name=name, exact=True)


def chosen_with(visitor: Visitor, key: str, question: str, name: str) -> None:
    """Press a key of the arrows; this answer has the focus then, and is chosen."""
    visitor.page.keyboard.press(key)
    expect(answer(visitor, question, name)).to_be_focused()
    expect(answer(visitor, question, name)).to_be_checked()


def asked(visitor: Visitor) -> list[str]:
    """Return the questions that Chromium tells a screen reader of."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    groups = (each for each in nodes if not each["ignored"] and each["role"]["value"] == "group")
    return [each["name"]["value"] for each in groups]


def reached(visitor: Visitor) -> list[str]:
    """Return the questions that Tab reaches from the profile on, up to the button; the focus is back there then."""
    question = "document.activeElement.closest('fieldset')?.querySelector('legend').textContent ?? ''"
    found: list[str] = []
    while name := visitor.page.evaluate(question):
        found.append(name)
        visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("button", name="Start")).to_be_focused()
    for _ in found:
        visitor.page.keyboard.press("Shift+Tab")
    return found


def test_each_profile_asks_its_own_questions(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    visitor.log_in("grace", PASSWORD, "/hub/spawn")
    visitor.tab_to(answer(visitor, "Profile", "JupyterLab"))
    for name, questions in ASKED.items():
        expect(answer(visitor, "Profile", name)).to_be_checked()
        expect(answer(visitor, "Profile", name)).to_be_focused()
        assert asked(visitor) == questions
        assert reached(visitor) == questions
        visitor.looks()
        if name == "Course on birds":
            expect(answer(visitor, "Profile", name)).to_have_accessible_description("With the image of the course")
            picture(visitor, "profiles")
        visitor.page.keyboard.press("ArrowDown")
    expect(answer(visitor, "Profile", "JupyterLab")).to_be_checked()


def test_server_starts_with_what_was_chosen_of_its_profile(visitor: Visitor, cluster: Cluster) -> None:
    page = visitor.page
    visitor.log_in("eve", PASSWORD, "/hub/spawn")
    visitor.tab_to(answer(visitor, "Size: JupyterLab", "Small"))
    chosen_with(visitor, "ArrowUp", "Size: JupyterLab", "Tiny")
    page.keyboard.press("Shift+Tab")
    chosen_with(visitor, "ArrowDown", "Profile", "Course on birds")
    page.keyboard.press("Tab")
    expect(answer(visitor, "Size: Course on birds", "Small")).to_be_checked()
    for name in ("Medium", "Large"):
        chosen_with(visitor, "ArrowDown", "Size: Course on birds", name)
    page.keyboard.press("Shift+Tab")
    chosen_with(visitor, "ArrowUp", "Profile", "JupyterLab")
    expect(answer(visitor, "Size: JupyterLab", "Tiny")).to_be_checked()
    chosen_with(visitor, "ArrowDown", "Profile", "Course on birds")
    expect(answer(visitor, "Size: Course on birds", "Large")).to_be_checked()
    visitor.tab_to(page.get_by_role("button", name="Start"))
    with page.expect_navigation(url="**/hub/spawn-pending/eve*"):
        page.keyboard.press("Space")
    visitor.sees("heading", "Your server is starting")
    container = cluster.container("jupyter-eve")
    assert container["image"] == COURSE_IMAGE
    assert float(container["resources"]["limits"]["cpu"]) == 4
    assert {"name": "JUPYTERHUB_DEFAULT_URL", "value": "/lab/tree/birds"} in container["env"]


def test_last_choice_is_chosen_beforehand_after_a_start_that_failed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("full", PASSWORD, "/hub/spawn")
    visitor.tab_to(answer(visitor, "Profile", "JupyterLab"))
    chosen_with(visitor, "ArrowDown", "Profile", "Course on birds")
    page.keyboard.press("Tab")
    chosen_with(visitor, "ArrowDown", "Size: Course on birds", "Medium")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    visitor.reads("Your home directory could not be made")
    visitor.open("/hub/spawn")
    assert asked(visitor) == ASKED["Course on birds"]
    expect(answer(visitor, "Profile", "Course on birds")).to_be_checked()
    expect(answer(visitor, "Size: Course on birds", "Medium")).to_be_checked()
    visitor.looks()
