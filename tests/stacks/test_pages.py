"""The hub's pages of a site: what is refused before anything is touched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from programs.hub.site_pages import logo_in, pages_in
from stacks.problems import SettingsError
from stacks.settings.pages import own_templates
from tests.stacks.test_fragments import parsed, refusal, written

PNG: Final = b"\x89PNG\r\n\x1a\n\0\0"
GOOD: Final[Mapping[str, str | bytes]] = {
    "logo.png": PNG,
    "templates/login.html": '{% extends "henhouse/login.html" %}{% block login %}Hello{% endblock %}',
    "templates/error.html": '{% extends "templates/error.html" %}{% include "terms.html" %}',
    "templates/terms.html": "<p>Terms</p>",
    "pages/about.html": '{% extends "page.html" %}{% import "page.html" as base %}',
    "pages/faq.html": "plain",
    "static/css/site.css": "p { color: red }",
    "static/font.woff2": b"\0\xff",
}


def test_folder_is_read_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, {**GOOD, ".DS_Store": b"\0"}, "pages")
    folder = parsed(tmp_path, pages="pages").hub.pages
    assert folder is not None
    assert folder.files == {name: text.encode() if isinstance(text, str) else text for name, text in GOOD.items()}
    assert logo_in(folder.files) == "logo.png"
    assert pages_in(folder.files) == {"about": "About", "faq": "FAQ"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"logo.bmp": PNG}, "logo.bmp has no place there"),
        ({"logo.png": PNG, "logo.svg": "x"}, "logo.png and logo.svg are two logos"),
        ({"login.html": "x"}, "login.html has no place there"),
        ({"Logo.svg": "x"}, ": Logo.svg has no place there"),
        ({"templates/more/x.html": "x"}, "templates/more/x.html has no place there"),
        ({"templates/x.htm": "x"}, "templates/x.htm has no place there"),
        ({"static/a..b": "x"}, "static/a..b has no place there"),
        ({f"static/{'a' * 100}/{'b' * 100}": "x"}, "has no place there"),
        ({"static/a b.css": "x"}, "static/a b.css has no place there"),
        ({"pages/About.html": "x"}, "pages/About.html has no place there"),
        *(
            ({f"pages/{name}.html": "x"}, f"would be at /hub/{name}, which is JupyterHub's own")
            for name in ("login", "spawn", "site", "authorize", "health")
        ),
        (
            {"pages/images.html": "x"},
            "images.html would be at /hub/images, which is henhouse's own: choose another",
        ),
        ({"templates/x.html": '{% extends "nope.html" %}'}, "templates/x.html uses nope.html, which there is not"),
        ({"pages/x.html": '\n{% include "a.html" %}'}, "pages/x.html uses a.html, which there is not"),
        ({"pages/x.html": '{% include "templates/nope.html" %}'}, "uses templates/nope.html, which there is not"),
        ({"pages/x.html": '{% include "henhouse/token.html" %}'}, "uses henhouse/token.html, which there is not"),
        ({"templates/page.html": '{% extends "page.html" %}'}, "extend henhouse/page.html or templates/page.html"),
        ({"templates/page.html": '{% extends "error.html" %}'}, "page.html leads back to itself by error.html"),
        (
            {"templates/a.html": '{% include "b.html" %}', "templates/b.html": '{% include "a.html" %}'},
            "templates/a.html leads back to itself by b.html",
        ),
        *(
            ({f"templates/{name}.html": "x"}, f"templates/{name}.html would never be shown: no page has that name")
            for name in ("spawn-pending", "Login", "eror", "native_login")
        ),
        *(
            (
                {"templates/login.html": f'{{% extends "{base}" %}}\n{{% block login_containr %}}x{{% endblock %}}'},
                "login.html, line 2: no page has a block login_containr, so nothing of it would be shown. Is login_con",
            )
            for base in ("henhouse/login.html", "templates/login.html")
        ),
        ({"templates/x.html": "\n\n{% block a %}"}, "templates/x.html, line 3: "),
        ({"templates/x.html": "\n{{ a | nofilter }}"}, "templates/x.html, line 2: No filter named 'nofilter'"),
        ({"templates/x.html": "\n{% frob %}"}, "templates/x.html, line 2: "),
        ({"pages/x.html": b"\n\xff"}, "pages/x.html, line 2: is not UTF-8"),
        ({"static/a.bin": b"\0" * 500_000, "static/b.bin": b"\0" * 400_000}, "pages have together at most 768 KiB"),
        ({"static/a.bin": b"\0" * 2_000_000}, "static/a.bin alone is 1953 KiB"),
        ({"logo.png": PNG * 100_000}, "are too much"),
    ],
)
def test_what_would_break_a_page_is_refused(tmp_path: Path, files: Mapping[str, Any], says: str) -> None:
    written(tmp_path, files, "pages")
    assert says in refusal(tmp_path, pages="pages")


@pytest.mark.parametrize("name", ["user", "base_url", "henhouse", "xsrf", "self", "a-b", "1a", ""])
def test_variable_of_jupyterhubs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        parsed(tmp_path, templateVars={name: "x"})


def test_variables_are_of_any_kind(tmp_path: Path) -> None:
    given = {"announcement": "<b>Maintenance</b> on Friday", "links": [{"a": 1}], "shown": True}
    assert parsed(tmp_path, templateVars=given).hub.template_vars == given


def test_blocks_of_ones_own_are_accepted(tmp_path: Path) -> None:
    inside = "{% block main %}{% block mains %}{% endblock %}{% endblock %}{% block more %}{% endblock %}"
    files = {
        "templates/ours.html": f'{{% extends "page.html" %}}{inside}',
        "pages/about.html": '{% extends "ours.html" %}{% block mains %}x{% endblock %}',
    }
    written(tmp_path, files, "pages")
    parsed(tmp_path, pages="pages")


def test_own_templates_would_be_accepted_of_a_site(tmp_path: Path) -> None:
    """What is said of a site's templates holds for ours, which are laid over JupyterHub's the same way."""
    written(tmp_path, {f"templates/{name}": text for name, text in own_templates().items()}, "pages")
    parsed(tmp_path, pages="pages")


REPOSITORY: Final = {"url": "https://git.example.org/flock/pages", "commit": "1f" * 20}


@pytest.mark.parametrize("more", [{}, {"folder": "site/hub-pages.new"}, {"commit": "1f" * 32, "user": "bot"}])
def test_repository_is_taken(tmp_path: Path, more: dict[str, Any]) -> None:
    assert parsed(tmp_path, pages_repository={**REPOSITORY, **more}).hub.pages_repository


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"url": "http://git.example.org/flock/pages"}, "must be where git clones over HTTPS"),
        ({"url": "https://git.example.org"}, "must be where git clones over HTTPS"),
        ({"url": "git@git.example.org:flock/pages"}, "must begin with https://"),
        ({"url": "https://ada:secret@git.example.org/pages"}, "must not hold a user name"),
        ({"commit": "main"}, "a whole commit as `git log` has it"),
        ({"commit": "1f1f1f1"}, "a whole commit"),
        ({"commit": "1F" * 20}, "a whole commit"),
        ({"folder": "../pages"}, "a folder in the repository"),
        ({"folder": "/pages"}, "a folder in the repository"),
        ({"folder": "site//pages"}, "a folder in the repository"),
        ({"folder": "-pages"}, "a folder in the repository"),
        ({"folder": "a" * 81}, "a folder in the repository"),
        ({"password": "two words"}, "must be one word in ASCII"),
        ({"networks": []}, "networks"),
        ({"certificate_authority": "no PEM"}, "must be whole certificates in PEM"),
    ],
)
def test_repository_is_refused(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    assert says in refusal(tmp_path, pages_repository={**REPOSITORY, **more})


def test_pages_are_in_one_place(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "pages")
    assert "keep one of them" in refusal(tmp_path, pages="pages", pages_repository=REPOSITORY)
