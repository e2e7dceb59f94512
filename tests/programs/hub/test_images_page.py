"""What people, administrators and Prometheus are told of the images on nodes, by the JupyterHub that tells it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from components.apps.hub.images import DEFAULT_FILE, STATUS_FILE
from components.kube.pods import PURPOSE_LABEL
from programs.hub.default_image import Default, write_default
from programs.hub.image_names import canonical
from programs.hub.images.placing import ONLY, Kind, Place, Wanted
from programs.hub.images.prepulling import Memory, status, write_status
from stacks.settings import Site
from tests.programs.hub.asking import SECRETS, ask, configured, site
from tests.programs.hub.distribution import REPOSITORY, digest
from tests.programs.hub.page import Page
from tests.programs.hub.provisioner import Provisioner
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.programs.hub.test_menu import IMAGE, OFFERED, known
from tests.programs.hub.test_prepulling import READY

pytestmark = pytest.mark.programs

ADMINISTRATOR: Final = "ada"
PASSWORD: Final = "password-of-administrators-of-this-test"
IMAGES: Final = [f"quay.io/{REPOSITORY}:{tag}@{digest(tag)}" for tag in OFFERED]


def of() -> Site:
    return site(image_menu={"repository": f"quay.io/{REPOSITORY}"}, administrators=[ADMINISTRATOR], login="dummy")


def node(name: str, *images: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {PURPOSE_LABEL: "user"}},
        "status": {"conditions": READY, "images": [{"names": [canonical(image)]} for image in images]},
    }


def seen(nodes: list[dict[str, Any]], images: list[str], memory: Memory | None = None) -> dict[str, Any]:
    """Return the status of nodes that may run every server, as of now."""
    wanted = [Wanted(image) for image in images]
    return status([Place(each) for each in nodes], wanted, memory or Memory(), time.time())


def configured_with_nodes(directory: Path, provisioner: Provisioner | None = None) -> Path:
    """Return the configuration of a hub with a menu and two nodes; without a provisioner, no file server answers."""
    known(directory)
    memory = Memory()
    memory.note("chick2", IMAGES[1], "ErrImagePull: <no route>", 0)
    nodes = [node("chick1", *IMAGES[:3]), node("chick2", IMAGES[0])]
    write_status(directory / STATUS_FILE, seen(nodes, IMAGES, memory))
    homes = (provisioner.url, {**SECRETS, **provisioner.secrets}) if provisioner else ()
    config = configured(directory, of(), *homes)
    own = f"from henhouse_hub import c\n\nc.SharedPasswordAuthenticator.admin_password = {PASSWORD!r}\n"
    (directory / "22-administrators.py").write_text(own)
    return config


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Provide that hub."""
    directory = tmp_path_factory.mktemp("hub")
    with serving(configured_with_nodes(directory)) as url:
        yield url, directory / HUB_CA


def logged_in(hub: tuple[str, Path], name: str) -> Browser:
    browser = Browser(*hub)
    assert browser.log_in(name, PASSWORD if name == ADMINISTRATOR else SECRETS["shared-password"])
    return browser


def test_administrators_see_which_machine_has_which_image(hub: tuple[str, Path]) -> None:
    page = logged_in(hub, ADMINISTRATOR).get("/hub/images")
    text = " ".join(page.text.split())
    assert page.status_code == 200
    assert '<th scope="col">chick1</th> <th scope="col">chick2</th>' in text
    for image, first, second in ((IMAGES[0], "yes", "yes"), (IMAGES[3], "not yet", "not yet")):
        assert f">{image}</th> <td>{first}</td> <td>{second}</td>" in text
    assert f">{IMAGES[1]}</th> <td>yes</td> <td>no: ErrImagePull: &lt;no route&gt;</td>" in text
    assert 'href="/hub/images"' in logged_in(hub, ADMINISTRATOR).get("/hub/home").text


def test_people_see_what_starts_quickly_on_the_machines_of_a_profile(tmp_path: Path) -> None:
    known(tmp_path)
    here = [Place(node("chick1"), [Kind("lab")]), Place(node("gpu1", *IMAGES[:1]), [Kind("gpu")])]
    wanted = [Wanted(image, ["lab", "gpu"]) for image in IMAGES]
    write_status(tmp_path / STATUS_FILE, status(here, wanted, Memory(), time.time()))
    profiles = [{"slug": slug, "display_name": slug} for slug in ("lab", "gpu")]
    config = configured(
        tmp_path,
        site(image_menu={"repository": f"quay.io/{REPOSITORY}"}, profile_list=profiles, login="dummy"),
    )
    with serving(config) as url:
        page = Page(logged_in((url, tmp_path / HUB_CA), "grace").get("/hub/spawn").text)
    told = {
        each["name"]: page.texts[each["aria-describedby"] or ""]
        for each in page.buttons
        if each["value"] == OFFERED[0] and (each["name"] or "").endswith("--image")
    }
    assert told == {
        "profile-option-lab--image": "r180; on no machine yet: the first start takes longer",
        "profile-option-gpu--image": "r180; on every machine already",
    }


def test_other_people_do_not(hub: tuple[str, Path]) -> None:
    grace = logged_in(hub, "grace")
    assert grace.get("/hub/images").status_code == 403
    assert 'href="/hub/images"' not in grace.get("/hub/home").text
    assert Browser(*hub).get("/hub/images").status_code == 302


def test_people_see_which_image_starts_quickly(hub: tuple[str, Path]) -> None:
    page = Page(logged_in(hub, "grace").get("/hub/spawn").text)
    told = {each["value"]: page.texts[each["aria-describedby"] or ""] for each in page.buttons if each["name"] == IMAGE}
    assert told["recommended"] == "Release 18.0; on every machine already"
    assert told[OFFERED[0]] == "r180; on every machine already"
    assert told[OFFERED[1]] == f"{OFFERED[1]}; on 1 of 2 machines already"
    assert told[OFFERED[3]] == f"{OFFERED[3]}; on no machine yet: the first start takes longer"


def metrics(url: str, authority: Path) -> dict[str, str]:
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"token {SECRETS['metrics-token']}"}
    said = session.get(f"{url}/hub/metrics", headers=headers, verify=str(authority)).text
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in said.splitlines()}


def test_prometheus_is_told(hub: tuple[str, Path]) -> None:
    on_node = metrics(*hub)
    assert len([line for line in on_node if line.startswith("henhouse_image_on_node{")]) == 2 * len(IMAGES)
    assert on_node[f'henhouse_image_on_node{{image="{IMAGES[0]}",node="chick2"}}'] == "1.0"
    assert on_node[f'henhouse_image_on_node{{image="{IMAGES[1]}",node="chick2"}}'] == "0.0"
    assert abs(float(on_node["henhouse_images_seen_timestamp_seconds"]) - time.time()) < 600


def test_hub_runs_the_program_beside_itself(tmp_path: Path) -> None:
    services = {each["name"]: each for each in ask(tmp_path, "settings", of=of())["services"]}
    assert services["image-puller"]["command"][1:] == [str(tmp_path / "pull_images.py")]
    assert (tmp_path / "pull_images.py").is_file()


def test_administrators_see_that_a_new_image_is_awaited(tmp_path: Path) -> None:
    new = site(server_image=IMAGES[1], prePuller={}, administrators=[ADMINISTRATOR], login="dummy")
    write_status(tmp_path / STATUS_FILE, seen([node("chick1", IMAGES[0])], IMAGES[:2]))
    config = configured(tmp_path, new)
    own = f"from henhouse_hub import c\n\nc.SharedPasswordAuthenticator.admin_password = {PASSWORD!r}\n"
    (tmp_path / "22-administrators.py").write_text(own)
    with serving(config) as url:
        ada = logged_in((url, tmp_path / HUB_CA), ADMINISTRATOR)
        said = []
        for now in (Default(IMAGES[0], IMAGES[1], 0), Default(IMAGES[1], IMAGES[1], 0, {"gpu": IMAGES[0]})):
            write_default(tmp_path / DEFAULT_FILE, now)
            said.append(" ".join(ada.get("/hub/images").text.split()))
    assert f"Servers still start with {IMAGES[0]}. Once every machine has {IMAGES[1]}, they start with that." in said[0]
    assert "Servers still start" not in said[1]
    lacking = f"Servers of the profile gpu still start with {IMAGES[0]}: their machines lack {IMAGES[1]}."
    assert lacking in said[1]
    assert "of the profile" not in said[0]


def test_image_that_is_not_for_a_machine_is_not_missed_there(tmp_path: Path) -> None:
    here = [Place(node("chick1", IMAGES[0])), Place(node("gpu1"), [Kind("gpu")])]
    wanted = [Wanted(IMAGES[0], [ONLY]), Wanted(IMAGES[1], [ONLY, "gpu"])]
    config = configured(tmp_path, of())
    write_status(tmp_path / STATUS_FILE, status(here, wanted, Memory(), time.time()))
    own = f"from henhouse_hub import c\n\nc.SharedPasswordAuthenticator.admin_password = {PASSWORD!r}\n"
    (tmp_path / "22-administrators.py").write_text(own)
    with serving(config) as url:
        page = logged_in((url, tmp_path / HUB_CA), ADMINISTRATOR).get("/hub/images")
        said = metrics(url, tmp_path / HUB_CA)
    text = " ".join(page.text.split())
    assert f">{IMAGES[0]}</th> <td>yes</td> <td>not wanted here</td>" in text
    assert f">{IMAGES[1]}</th> <td>not yet</td> <td>not yet</td>" in text
    assert {line for line in said if line.startswith("henhouse_image_on_node{")} == {
        f'henhouse_image_on_node{{image="{image}",node="{name}"}}'
        for image, name in ((IMAGES[0], "chick1"), (IMAGES[1], "chick1"), (IMAGES[1], "gpu1"))
    }
