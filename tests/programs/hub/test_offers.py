"""What people may choose, and what of it they sent."""

import re
from typing import Any, Final

import pytest
from jinja2 import Environment, FileSystemLoader

from programs.hub.menu.offers import NotOffered, check, field, offer_for, options_of, questions, remembered
from tests.programs.hub.page import Page
from tests.stacks.sites import ROOT

TEMPLATES: Final = ROOT / "programs/hub/menu"
SMALL: Final = {"cpu_limit": 1, "mem_limit": "2G"}
GPU: Final = {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["physics"], "kubespawner_override": {}}
BARE: Final = {"slug": "bare", "display_name": "Bare", "allowed_groups": [], "kubespawner_override": SMALL}
FIXED: Final = {**BARE, "slug": "fixed", "kubespawner_override": {"image": "quay.io/a/b:1"}}
MENU: Final[dict[str, Any]] = {
    "profiles": [],
    "sizes": [
        {"name": "tiny", "display_name": "Tiny", "allowed_groups": [], "kubespawner_override": {"cpu_limit": 0.5}},
        {
            "name": "small",
            "display_name": "Small",
            "allowed_groups": [],
            "default": True,
            "kubespawner_override": SMALL,
        },
        {
            "name": "huge",
            "display_name": "Huge",
            "allowed_groups": ["physics"],
            "kubespawner_override": {"cpu_limit": 64},
        },
    ],
}
PROFILES: Final = {**MENU, "profiles": [BARE, GPU, FIXED]}
IMAGES: Final = [
    {
        "key": "recommended",
        "display_name": "Recommended",
        "description": "Release 17.0",
        "image": "quay.io/a/b:r@sha256:0",
    },
    {
        "key": "w202648",
        "display_name": "Weekly 2026, week 48",
        "description": "w202648",
        "image": "quay.io/a/b:w@sha256:1",
    },
]
SIZE, IMAGE = field("server", "size"), field("server", "image")


def choices(offer: list[dict[str, Any]], option: str) -> list[str]:
    (profile,) = offer
    return list(profile["profile_options"][option]["choices"])


def test_people_see_what_is_for_their_groups() -> None:
    assert choices(offer_for(MENU, [], []), "size") == ["tiny", "small"]
    assert choices(offer_for(MENU, ["chemistry", "physics"], []), "size") == ["tiny", "small", "huge"]
    assert [each["slug"] for each in offer_for(PROFILES, [], [])] == ["bare", "fixed"]
    assert [each["slug"] for each in offer_for(PROFILES, ["physics"], [])] == ["bare", "gpu", "fixed"]


def test_what_a_profile_sets_is_not_asked() -> None:
    asked = {each["slug"]: set(each["profile_options"]) for each in offer_for(PROFILES, ["physics"], IMAGES)}
    assert asked == {"bare": {"image"}, "gpu": {"size", "image"}, "fixed": {"size"}}


def test_one_of_each_is_the_default() -> None:
    menu = {**MENU, "sizes": [{**each, "default": True} for each in MENU["sizes"]]}
    for each in (MENU, menu, {**MENU, "sizes": [{**size, "default": False} for size in MENU["sizes"]]}):
        for option in offer_for(each, ["physics"], IMAGES)[0]["profile_options"].values():
            assert [choice["default"] for choice in option["choices"].values()].count(True) == 1


def test_nothing_is_asked_where_there_is_one_answer() -> None:
    one = {**MENU, "sizes": MENU["sizes"][:1]}
    offer = offer_for(one, [], IMAGES[:1])
    assert questions(offer, remembered({}, offer)[0]) == []


def test_form_is_read() -> None:
    offer = offer_for(MENU, [], IMAGES)
    assert options_of({SIZE: ["tiny"], IMAGE: ["w202648"]}, offer) == {
        "profile": "server",
        "size": "tiny",
        "image": "w202648",
    }
    assert options_of({}, offer) == {"profile": "server"}
    several = offer_for(PROFILES, ["physics"], IMAGES)
    form = {"profile": ["gpu"], field("gpu", "size"): ["huge"], field("bare", "image"): ["w202648"]}
    assert options_of(form, several) == {"profile": "gpu", "size": "huge"}


FORMS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("an unknown size", {SIZE: ["enormous"]}, "'enormous' is not offered to you"),
    ("another group's size", {SIZE: ["huge"]}, "'huge' is not offered to you"),
    ("an image of one's own", {IMAGE: ["docker.io/evil/miner:latest"]}, "is not offered to you"),
    ("the name of an image that is offered", {IMAGE: ["quay.io/a/b:w@sha256:1"]}, "is not offered to you"),
    ("an image beside the form", {"image": ["docker.io/evil/miner"]}, "This page does not ask for 'image'"),
    (
        "KubeSpawner's unlisted choice",
        {f"{IMAGE}--unlisted-choice": ["docker.io/evil/miner"]},
        "This page does not ask",
    ),
    ("an option that is none", {field("server", "privileged"): ["true"]}, "This page does not ask for"),
    ("an unknown profile", {"profile": ["gpu"]}, "'gpu' is not offered to you"),
    ("an option of an unknown profile", {field("gpu", "size"): ["small"]}, "This page does not ask for"),
    ("two values", {SIZE: ["tiny", "small"]}, "One value is wanted"),
    ("no value", {SIZE: []}, "One value is wanted"),
    ("an empty value", {SIZE: [""]}, "'' is not offered"),
    ("a file", {"size_file": [{"filename": "x", "body": b""}]}, "This page does not ask for 'size_file'"),
    ("a file in the place of a value", {SIZE: [{"filename": "x"}]}, "is not offered"),
    ("lines", {SIZE: ["tiny\nINFO all is well"]}, r"'tiny\nINFO all is well' is not offered"),
    ("HTML", {SIZE: ["<script>alert(1)</script>"]}, "'<script>alert(1)</script>' is not offered"),
    ("a word for a shell", {IMAGE: ["w202648; reboot"]}, "is not offered"),
    ("another case", {SIZE: ["Tiny"]}, "'Tiny' is not offered"),
    ("a look-alike", {SIZE: ["t\u0456ny"]}, r"'t\u0456ny' is not offered"),
    ("a space", {SIZE: ["tiny "]}, "'tiny ' is not offered"),
    ("a null", {SIZE: ["tiny\x00"]}, r"'tiny\x00' is not offered"),
    ("a megabyte", {SIZE: ["x" * (1 << 20)]}, "is not offered"),
    ("a long name", {"x" * (1 << 20): ["1"]}, "This page does not ask for"),
    ("a name of the language's", {"__class__": ["x"]}, "This page does not ask for"),
]


@pytest.mark.parametrize(("form", "told"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_what_is_not_offered_is_refused_with_a_sentence(form: dict[str, Any], told: str) -> None:
    with pytest.raises(NotOffered) as refused:
        options_of(form, offer_for(MENU, [], IMAGES))
    assert told in str(refused.value)
    assert len(str(refused.value)) < 200
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "options",
    [
        {"image": "docker.io/evil/miner"},
        {"image--unlisted-choice": "docker.io/evil/miner"},
        {"profile": "gpu"},
        {"profile": ""},
        {"profile": "server", "size": "huge"},
        {"profile": "server", "size": ["tiny"]},
        {"profile": "server", "size": None},
        {"profile": "server", "privileged": True},
        {"profile": ["server"]},
        {"profile": {"slug": "server"}},
        {"kubespawner_override": {"privileged": True}},
        ["profile", "server"],
        "server",
        7,
    ],
    ids=repr,
)
def test_options_of_the_api_are_held_to_the_same(options: Any) -> None:
    offer = offer_for(MENU, [], IMAGES)
    with pytest.raises(NotOffered):
        check(options, offer)
    remembered(options, offer)


@pytest.mark.parametrize(
    "options", [{}, {"profile": "server"}, {"size": "tiny"}, {"size": "small", "image": "w202648"}]
)
def test_options_that_are_offered_are_taken(options: dict[str, str]) -> None:
    check(options, offer_for(MENU, [], IMAGES))


def test_choice_of_the_last_time_is_chosen_beforehand() -> None:
    offer = offer_for(PROFILES, ["physics"], IMAGES)
    chosen, gone = remembered({"profile": "gpu", "size": "huge", "image": "w202648"}, offer)
    assert (chosen["profile"], chosen[field("gpu", "size")], chosen[field("gpu", "image")]) == (
        "gpu",
        "huge",
        "w202648",
    )
    assert chosen[field("bare", "image")] == "recommended"
    assert gone == []


def test_choice_that_the_profile_does_not_ask_for_any_more_is_named() -> None:
    offer = offer_for(PROFILES, ["physics"], IMAGES)
    chosen, gone = remembered({"profile": "bare", "size": "tiny"}, offer)
    assert chosen["profile"] == "bare"
    assert gone == ["The size of your last server, 'tiny', is not offered any more."]


def test_page_with_several_profiles_asks_each_its_own() -> None:
    """What a site writes is text and no HTML; a question that is not of the chosen profile is not shown."""
    strange = {**GPU, "display_name": "A <b>GPU</b> & more", "description": '{{ 7 * 7 }}"><script>'}
    offer = offer_for({**MENU, "profiles": [BARE, strange]}, ["physics"], IMAGES)
    chosen, _ = remembered({"profile": "gpu", "size": "tiny"}, offer)
    template = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("options-form.html")
    text = template.render(questions=questions(offer, chosen), profiles=2, notes=["<b>note</b>"])
    page = Page(text)
    assert "<script>" not in text
    assert "<b>" not in text
    assert page.legends == ["Profile", "Image: Bare", "Size: A <b>GPU</b> & more", "Image: A <b>GPU</b> & more"]
    assert page.values("profile") == ["bare", "gpu"]
    assert page.chosen("profile") == ["gpu"]
    assert page.chosen(field("gpu", "size")) == ["tiny"]
    assert len({each["id"] for each in page.buttons}) == len(page.buttons)
    hidden = re.findall(r"#henhouse-options:not\(:has\(#([\w-]+):checked\)\) \.([\w-]+) ", text)
    assert [(each["id"], each["value"]) for each in page.buttons if each["name"] == "profile"] == [
        (button, slug) for (button, _), slug in zip(hidden, ["bare", "gpu"], strict=True)
    ]
    assert [text.count(f'fieldset class="mb-4 {group}"') for _, group in hidden] == [1, 2]


def test_person_whose_profile_is_gone_is_told() -> None:
    chosen, gone = remembered({"profile": "gpu"}, offer_for(PROFILES, [], []))
    assert chosen["profile"] == "bare"
    assert gone == ["The profile of your last server, 'gpu', is not offered any more."]


def test_person_is_told_what_is_not_offered_any_more() -> None:
    chosen, gone = remembered({"profile": "server", "size": "huge", "image": "w202601"}, offer_for(MENU, [], IMAGES))
    assert (chosen[SIZE], chosen[IMAGE]) == ("small", "recommended")
    assert gone == [
        "The size of your last server, 'huge', is not offered any more.",
        "The image of your last server, 'w202601', is not offered any more.",
    ]
