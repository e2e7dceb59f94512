"""A machine removes images that the settings name, once nothing uses them. A part of `make chaos`."""

import json
from pathlib import Path
from typing import Final

import pytest

from components.apps.hub.old_images import ROLE
from lab.mirror.images import application_images
from tests.acceptance.registry import own_registry, push
from tests.acceptance.site import changes, drift, edit, edited, make, on, password
from tests.acceptance.test_image_menu import REPOSITORY, SECOND, USER, last_menu, menu_of, second_image
from tests.acceptance.visitor import visitor
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

MACHINE: Final = "chick2"
"""The one for people."""


def test_image_goes_when_its_last_server_has_ended(tmp_path: Path) -> None:
    (first,) = (each for each in application_images() if each.reference.startswith(f"{REPOSITORY}:"))
    layout = second_image(first, tmp_path / "second")
    (manifest,) = json.loads((layout / "index.json").read_text())["manifests"]
    kept, tagged = f"{REPOSITORY}@{manifest['digest']}", f"{REPOSITORY}:{SECOND}"
    with own_registry(tmp_path / "registry.log") as url, visitor() as person:
        push(f"oci:{layout}:{SECOND}", tagged)
        with edited(menu_of(url)):
            eventually("the menu", lambda: SECOND in last_menu(), seconds=120)
            assert person.log_in(USER, password())
            assert person.start(USER, {"image": SECOND}).status < 400
            assert person.runs(USER)
            assert kept in images()
            edit({"hub": {"images_to_remove": [f"{tagged}@{manifest['digest']}"]}})
            make("up")
            before = images()
            assert kept in before, "a server uses it"
            assert person.runs(USER)
            assert SECOND not in last_menu()
            assert not any(drift().values())
            person.stop(USER)
            eventually("the end of its container", lambda: any(drift().values()), seconds=120)
            assert [each["role"] for each in drift()["differences"]] == [ROLE]
            make("up")
            after = images()
            assert kept not in after
            # The tag is there where another chapter had it pulled.
            assert {each for each in before - after if each.startswith(REPOSITORY)} == {kept, tagged} & before
            assert not any(drift().values())
            assert set(changes(make("up").stdout)) == {"unchanged"}
            assert images() == after, "nothing pulls it again"


def images() -> set[str]:
    """Return the names of all images of the machine."""
    return set(on(MACHINE, "ctr --namespace k8s.io images list --quiet").split())
