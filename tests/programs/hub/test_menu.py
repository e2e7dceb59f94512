"""What people choose, in the JupyterHub and the KubeSpawner that ask it, and a registry that does what it wants."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
from requests import Response

from components.apps.hub.menu import MENU_FILE
from programs.hub.menu.image_menu import Image, Menu, read_menu
from programs.hub.menu.menu_files import write_menu
from stacks.load import parse_settings
from stacks.settings import Site
from stacks.versions import SITE
from tests.certificates import LOOPBACK
from tests.programs.hub import distribution
from tests.programs.hub.api_server import api_server
from tests.programs.hub.asking import SECRETS, ask, configured, kubeconfig
from tests.programs.hub.distribution import REPOSITORY, Distribution, digest, send
from tests.programs.hub.page import Page
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.stacks.sites import changed, tree
from tests.stacks.test_fragments import parsed, written
from tests.tools import eventually

pytestmark = pytest.mark.programs

REGISTRY_SECONDS: Final = 10.0
"""What a slow registry takes for an answer."""
SOON: Final = 2.0
"""How many seconds longer than a page without a menu one may take that has it. A busy computer slows both."""
NOTHING: Final = 1
"""A port on which nothing listens."""
DAYS: Final = [f"d202611{day:02}" for day in range(1, 27)]
TAGS: Final = [*DAYS, "w202646", "w202647", "w202648", "r170", "r180", "recommended", "latest", "exp_x"]
OFFERED: Final = ["r180", "w202648", "w202647", "d20261126", "d20261125", "d20261124"]
SIZE, IMAGE = "profile-option-server--size", "profile-option-server--image"
GPU: Final = {
    "slug": "gpu",
    "display_name": "A <b>GPU</b> & more",
    "description": 'For "physics" alone',
    "allowed_groups": ["physics"],
    "kubespawner_override": {
        "extra_resource_limits": {"nvidia.com/gpu": 1},
        "environment": {"CUDA": "yes", "COURSE": '{"of": {"{username}": []}}', "PRICE": "$(HOME) costs $$5"},
        "node_selector": {"example.org/gpu": "yes"},
        "mem_limit": "16Gi",
    },
}
LAB: Final = {"slug": "lab", "display_name": "Lab"}


def site(port: int, **hub: object) -> Site:
    """Return a site with sizes, and with a menu of the images of a registry on the loopback."""
    menu = {"repository": f"quay.io/{REPOSITORY}", "refresh_seconds": 30}
    asked = {"sizes": "doubling", "image_menu": menu, **hub}
    mirrors = {"registry": f"http://{LOOPBACK}:{port}"}
    return parse_settings(changed(tree("dev"), {"mirrors": mirrors, "hub": asked}))


def known(directory: Path, *, scanned: float = 0, of: str = f"quay.io/{REPOSITORY}") -> Menu:
    """Leave the menu of an earlier scan, as a restarted hub finds it."""
    images = tuple(Image(tag, digest(tag)) for tag in OFFERED)
    menu = Menu(of, scanned or time.time(), images, Image("recommended", digest("r180")))
    write_menu(directory / MENU_FILE, menu)
    return menu


@contextmanager
def scanner(directory: Path, of: Site, change: str = "") -> Iterator[Path]:
    """Run the scanner as the hub does, and yield what it says; `change` is done in it first."""
    configured(directory, of)
    log = directory / "scanner.log"
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with log.open("w") as output:
        script = str(directory / "scan_images.py")
        changed_first = f"import json, scan_images; {change}; scan_images.main(json.load(open('site.json')))"
        command = [sys.executable, "-c", changed_first] if change else [sys.executable, script]
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=output)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def registry() -> Iterator[Distribution]:
    mirrored = Distribution(list(TAGS), {"recommended": "r180"}, prefix="quay.io/")
    with distribution.serving(mirrored) as running:
        yield running


def test_menu_is_scanned_and_kept(tmp_path: Path, registry: Distribution) -> None:
    with scanner(tmp_path, site(registry.port)):
        eventually("a menu", (tmp_path / MENU_FILE).exists, seconds=60)
    menu = read_menu(tmp_path / MENU_FILE, f"quay.io/{REPOSITORY}")
    assert menu
    assert [image.tag for image in menu.images] == OFFERED
    assert [image.digest for image in menu.images] == [digest(tag) for tag in OFFERED]
    assert menu.recommended == Image("recommended", digest("r180"))
    manifests = [path for method, path, _ in registry.asked if "manifests" in path]
    assert len(manifests) == len(OFFERED) + 1, "two thousand tags would be two thousand questions"


def test_what_machines_remove_is_not_offered(tmp_path: Path, registry: Distribution) -> None:
    """Under whatever tag; the next ones take its place."""
    lab = f"quay.io/{REPOSITORY}"
    removed = [f"{lab}:{tag}@{digest(tag)}" for tag in ("w202648", "d20261126", "r180")]
    with scanner(tmp_path, site(registry.port, images_to_remove=removed)):
        eventually("a menu", (tmp_path / MENU_FILE).exists, seconds=60)
    menu = read_menu(tmp_path / MENU_FILE, lab)
    assert menu
    assert [each.tag for each in menu.images] == ["r170", "w202647", "w202646", "d20261125", "d20261124", "d20261123"]
    assert menu.recommended is None, "it is r180"


def test_last_menu_is_without_what_machines_remove(tmp_path: Path) -> None:
    before, lab = known(tmp_path), f"quay.io/{REPOSITORY}"
    of = site(NOTHING, images_to_remove=[f"{lab}:w202648@{digest('w202648')}", f"{lab}@{digest('r180')}"])
    with serving(configured(tmp_path, of)):
        menu = read_menu(tmp_path / MENU_FILE, lab)
    assert menu
    assert menu.recommended is None
    assert menu.images == tuple(each for each in before.images if each.tag not in ("w202648", "r180"))


def test_last_menu_of_removed_images_alone_is_forgotten(tmp_path: Path) -> None:
    known(tmp_path)
    removed = [f"quay.io/{REPOSITORY}@{each}" for each in {digest(tag) for tag in OFFERED}]
    with serving(configured(tmp_path, site(NOTHING, images_to_remove=removed))):
        assert not (tmp_path / MENU_FILE).exists()


def hotel(request: BaseHTTPRequestHandler) -> bool:
    """Answer as a network that wants a click first."""
    send(request, 200, b"<html>Welcome!</html>")
    return True


def empty(request: BaseHTTPRequestHandler) -> bool:
    """Answer that there are no tags."""
    send(request, 200, b'{"name": "x", "tags": []}')
    return True


def unusual(request: BaseHTTPRequestHandler) -> bool:
    """Answer tags that no menu takes."""
    send(request, 200, json.dumps({"tags": ["latest", "<script>", "a\nb", "sha256-" + "0a" * 32]}).encode())
    return True


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (hotel, "the answer is not JSON"),
        (empty, "has no tags"),
        (unusual, "none of the 2 tags"),
        (None, "Connection refused"),
    ],
    ids=["garbage", "empty", "nothing for a menu", "down"],
)
def test_last_menu_stays(tmp_path: Path, registry: Distribution, fault: Any, said: str) -> None:
    menu = known(tmp_path)
    registry.fault = fault
    with scanner(tmp_path, site(registry.port if fault else NOTHING)) as log:
        eventually("a reason", lambda: said in log.read_text(), seconds=60)
    assert read_menu(tmp_path / MENU_FILE, menu.repository) == menu
    (line,) = log.read_text().splitlines()
    assert f"images of quay.io/{REPOSITORY}: the last menu stays; " in line


def drip(request: BaseHTTPRequestHandler) -> bool:
    """Answer a byte now and then, for ever."""
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b" ")
        time.sleep(0.05)


def test_scan_that_would_take_for_ever_is_given_up(tmp_path: Path, registry: Distribution) -> None:
    """No answer is so slow that its connection would time out."""
    menu = known(tmp_path)
    registry.fault = drip
    with scanner(tmp_path, site(registry.port), "scan_images.SCAN_SECONDS = 1") as log:
        eventually("a reason", lambda: "a scan takes more than 1 seconds" in log.read_text(), seconds=60)
    assert read_menu(tmp_path / MENU_FILE, menu.repository) == menu


def test_hub_runs_the_scanner_beside_itself(tmp_path: Path) -> None:
    services = {each["name"]: each for each in ask(tmp_path, "settings", of=site(NOTHING))["services"]}
    assert services["image-menu"]["command"][1:] == [str(tmp_path / "scan_images.py")]
    assert (tmp_path / "scan_images.py").is_file()
    assert "api_token" not in services["image-menu"]


@contextmanager
def hub(directory: Path, of: Site, cluster: str | None = None) -> Iterator[Callable[[str], Browser]]:
    """Run a hub whose people share a password; yield what opens a browser in which a person is logged in.

    `cluster` is a kubeconfig. If omitted, no server starts for want of a cluster.
    """
    with serving(configured(directory, of), cluster=cluster) as url:

        def browser(name: str) -> Browser:
            one = Browser(url, directory / HUB_CA)
            assert one.log_in(name, SECRETS["shared-password"])
            return one

        yield browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Browser]]:
    """Provide the browsers of a hub whose registry is down, and which knows a menu of an hour ago."""
    directory = tmp_path_factory.mktemp("hub")
    known(directory, scanned=time.time() - 3600)
    with hub(directory, site(NOTHING)) as running:
        yield running


def test_form_can_be_read_and_used_without_a_mouse(browser: Callable[[str], Browser]) -> None:
    page = Page(browser("ada").get("/hub/spawn").text)
    assert page.legends == ["Size", "Image"]
    assert page.outside == 0, "a radio button outside of a fieldset has no question"
    assert len({each["id"] for each in page.buttons}) == len(page.buttons) == 4 + 1 + len(OFFERED)
    for each in page.buttons:
        assert page.labels[each["id"] or ""].strip()
        if described := each.get("aria-describedby"):
            assert page.texts[described].strip()
    assert page.values(SIZE) == ["tiny", "small", "medium", "large"]
    assert page.chosen(SIZE) == ["small"]
    assert page.values(IMAGE) == ["recommended", *OFFERED]
    assert page.chosen(IMAGE) == ["recommended"]


def test_people_are_told_how_old_the_list_is(browser: Callable[[str], Browser]) -> None:
    (note,) = Page(browser("ada").get("/hub/spawn").text).notes
    assert "The list of images is of " in note
    assert "UTC; the registry has not answered since." in note


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({SIZE: "enormous"}, "&#39;enormous&#39; is not offered to you. Please choose again."),
        ({IMAGE: "docker.io/evil/miner:1"}, "&#39;docker.io/evil/miner:1&#39; is not offered to you."),
        ({IMAGE: "d20261101"}, "&#39;d20261101&#39; is not offered to you."),
        ({"image": "docker.io/evil/miner:1"}, "This page does not ask for &#39;image&#39;."),
        ({f"{IMAGE}--unlisted-choice": "docker.io/evil/miner:1"}, "This page does not ask for"),
        ({SIZE: "<script>alert(1)</script>"}, "&#39;&lt;script&gt;alert(1)&lt;/script&gt;&#39; is not offered"),
        ({SIZE: "{{ 7 * 7 }}"}, "&#39;{{ 7 * 7 }}&#39; is not offered"),
        ({SIZE: "small\nINFO all is well"}, r"small\nINFO all is well"),
    ],
    ids=["size", "image", "old image", "image beside the form", "unlisted", "HTML", "template", "lines"],
)
def test_what_is_not_offered_is_refused_on_the_page(
    browser: Callable[[str], Browser], form: dict[str, str], told: str
) -> None:
    answer = browser("grace").post("/hub/spawn", **form)
    assert answer.status_code == 400
    assert told in answer.text
    assert "<script>alert" not in answer.text
    assert Page(answer.text).values(SIZE) == ["tiny", "small", "medium", "large"]


def test_link_is_held_to_the_same(browser: Callable[[str], Browser]) -> None:
    answer = browser("eve").get("/hub/spawn?image=docker.io/evil/miner:1")
    assert answer.status_code == 400
    assert "This page does not ask for &#39;image&#39;" in answer.text


def test_api_is_held_to_the_same_and_a_refused_choice_is_not_kept(tmp_path: Path) -> None:
    known(tmp_path)
    with cluster(tmp_path) as of_the_cluster, hub(tmp_path, site(NOTHING), of_the_cluster) as browser:
        mallory = browser("mallory")
        wish = {"profile": "server", "image": "docker.io/evil/{{ 7 * 7 }}"}
        answer = started_by_api(mallory, "mallory", json.dumps(wish))
        page = Page(mallory.get("/hub/spawn").text)
        without_a_wish = started_by_api(mallory, "mallory", "")
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "'docker.io/evil/{{ 7 * 7 }}' is not offered to you. Please choose again.",
    )
    assert page.chosen(IMAGE) == ["recommended"]
    assert without_a_wish.status_code == HTTPStatus.ACCEPTED


BYTES: Final = '{"__jupyterhub_bytes__": true, "data": "YQ=="}'
"""How JupyterHub's database writes bytes, which no list of people can show."""
ODD: Final = (
    *("[1]", '"x"', "5", "true", "null", "NaN", BYTES, f"[{BYTES}]", '{"image": {"a": []}}', '{"size": NaN}'),
    *(f'{{"x": {BYTES}}}', '{"x": 1e999}', json.dumps({"x": "x" * 1_000_000}), "[" * 980 + "]" * 980),
    *('{"x": ' * 980 + "1" + "}" * 980, '{"profile": ["server"]}', '{"profile": "server", "profile": 5}'),
)
"""What JSON there is beside a form's fields."""


@pytest.mark.parametrize("menu", [True, False], ids=["a menu", "no menu"])
def test_whatever_a_person_sends_the_hub_starts_again_and_lists_its_people(tmp_path: Path, menu: bool) -> None:
    known(tmp_path)
    lister = {"users": ["lister"], "scopes": ["admin:users", "admin:servers"]}
    asks: dict[str, Any] = {} if menu else {"sizes": [], "image_menu": None}
    of = site(NOTHING, loadRoles={"lister": lister}, **asks)
    people = [f"mallory{number}" for number in range(len(ODD))]
    with cluster(tmp_path) as of_the_cluster:
        with hub(tmp_path, of, of_the_cluster) as browser:
            for name, body in zip(people, ODD, strict=True):
                assert started_by_api(browser(name), name, body).status_code < 500, body[:60]
            assert set(people) <= listed(browser("lister"))
        (tmp_path / "secrets").rename(tmp_path / "secrets of the first")
        with hub(tmp_path, of, of_the_cluster) as browser:
            assert set(people) <= listed(browser("lister"))
            for name, body in zip(people, ODD, strict=True):
                assert started_by_api(browser(name), name, "").status_code < 400, body[:60]
            assert set(people) <= listed(browser("lister"))


def listed(lister: Browser) -> set[str]:
    """Return who is in the list of the page Admin, which a browser has to understand."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    answer = lister.session.get(
        f"{lister.url}/hub/api/users?include_stopped_servers&limit=200",
        headers={"Referer": f"{lister.url}/hub/admin"},
    )
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert len(answer.content) < 1_000_000
    return {each["name"] for each in json.loads(answer.text, parse_constant=refuse)}


@contextmanager
def cluster(directory: Path) -> Iterator[str]:
    """Yield the kubeconfig of an API server that knows the hub's account."""
    account = directory / "account"
    account.mkdir()
    with api_server(account) as server:
        server.open()
        yield kubeconfig(f"https://{LOOPBACK}:{server.port}", **{"certificate-authority": str(account / "ca.crt")})


def started_by_api(person: Browser, name: str, body: str) -> Response:
    """Start a person's server as a program of theirs does, with this body."""
    return person.session.post(
        f"{person.url}/hub/api/users/{name}/server?_xsrf={person.xsrf()}",
        data=body,
        headers={"Referer": f"{person.url}/hub/home", "Content-Type": "application/json"},
    )


@pytest.mark.parametrize("state", ["slow", "down", "garbage", "two thousand tags"])
def test_pages_do_not_wait_for_the_registry(tmp_path: Path, registry: Distribution, state: str) -> None:
    """Login and form, while a scan runs or has failed; the second hub of a database finds the menu of the first."""
    known(tmp_path)
    registry.delay = REGISTRY_SECONDS if state == "slow" else 0
    registry.fault = hotel if state == "garbage" else None
    if state == "two thousand tags":
        registry.tags = [*TAGS, *(f"1.{number}" for number in range(2000))]
    of = site(NOTHING if state == "down" else registry.port)
    with scanner(tmp_path, of) as log:
        if state in ("slow", "two thousand tags"):
            eventually("a question", lambda: registry.asked, seconds=60)
        else:
            eventually("a failed scan", lambda: "last menu stays" in log.read_text(), seconds=60)
        (tmp_path / "secrets").rename(tmp_path / "secrets of the scanner")
        with hub(tmp_path, of) as browser:
            taken = [visit(browser, name) for name in ("ada", "grace", "eve")]
    logins, forms, others, pages = zip(*taken, strict=True)
    print(f"{state}: login {min(logins):.2f} s, form {min(forms):.2f} s, another page {min(others):.2f} s")
    for page in pages:
        assert page.values(IMAGE) == ["recommended", *OFFERED]
    assert min(logins) < min(others) + SOON
    assert min(forms) < min(others) + SOON


def visit(browser: Callable[[str], Browser], name: str) -> tuple[float, float, float, Page]:
    """Log in, open the form and another page; return how long each takes, and the form."""
    began = time.monotonic()
    person = browser(name)
    logged_in = time.monotonic()
    page = Page(person.get("/hub/spawn").text)
    opened = time.monotonic()
    person.get("/hub/token")
    return logged_in - began, opened - logged_in, time.monotonic() - opened, page


def test_hub_that_never_saw_the_registry_starts_the_image_of_the_settings(tmp_path: Path) -> None:
    of = site(NOTHING)
    with hub(tmp_path, of) as browser:
        page = Page(browser("ada").get("/hub/spawn").text)
    assert page.legends == ["Size"]
    assert page.notes == [
        f"The list of images is not known yet. Until it is, servers start with {of.hub.server_image}."
    ]


def starts(directory: Path, of: Site, groups: list[str], *forms: object) -> list[Any]:
    """Return the pods that KubeSpawner asks for, or why there are none."""
    made = ask(directory, "starts", "ada", json.dumps(groups), *map(json.dumps, forms), of=of)
    return [each.get("pod", each) for each in made]


def test_pod_is_what_was_chosen(tmp_path: Path) -> None:
    known(tmp_path)
    of = site(NOTHING)
    forms = [
        {SIZE: ["large"], IMAGE: ["w202648"]},
        {},
        {"api": {"image": "d20261124"}},
        {"api": {"image": "d20261101"}},
    ]
    large, default, by_api, refused = starts(tmp_path, of, [], *forms)
    for pod in (large, default, by_api):
        minor = ".".join(SITE["kubernetes"].split(".")[:2])
        kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, minor, strict=True)
    (container,) = large["spec"]["containers"]
    assert container["image"] == f"quay.io/{REPOSITORY}:w202648@{digest('w202648')}"
    assert container["imagePullPolicy"] == "IfNotPresent"
    resources = container["resources"]
    assert {key: float(value) for key, value in resources["limits"].items()} == {"cpu": 4, "memory": 8 * 2**30}
    assert {key: float(value) for key, value in resources["requests"].items()} == {"cpu": 1, "memory": 2 * 2**30}
    (container,) = default["spec"]["containers"]
    assert container["image"] == f"quay.io/{REPOSITORY}:recommended@{digest('r180')}"
    assert float(container["resources"]["limits"]["cpu"]) == 1
    assert by_api["spec"]["containers"][0]["image"].startswith(f"quay.io/{REPOSITORY}:d20261124@")
    assert refused == {"refused": "'d20261101' is not offered to you. Please choose again.", "status": 400}


def test_profile_sets_what_the_settings_say_for_its_groups_alone(tmp_path: Path) -> None:
    of = site(NOTHING, profile_list=[LAB, GPU], sizes=[])
    form = {"profile": ["gpu"]}
    (pod,) = starts(tmp_path, of, ["physics"], form)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert float(container["resources"]["limits"]["memory"]) == 16 * 2**30
    assert {"name": "CUDA", "value": "yes"} in container["env"]
    assert {"name": "COURSE", "value": '{"of": {"ada": []}}'} in container["env"]
    # Kubernetes makes one $ of two, and fills in nothing behind two (third_party/forked/golang/expansion).
    assert {"name": "PRICE", "value": "$$(HOME) costs $$$$5"} in container["env"]
    assert {"name": "HOME", "value": "/home/jovyan"} in container["env"]
    assert pod["spec"]["nodeSelector"] == {"example.org/gpu": "yes"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(
    ("settings", "groups", "saved", "told"),
    [
        pytest.param(
            {"profile_list": [LAB, GPU], "sizes": []},
            [],
            {"profile": "gpu"},
            "The profile of your last server, 'gpu', is not offered any more.",
            id="profile of a group that the person has left",
        ),
        pytest.param(
            {"profile_list": [LAB], "sizes": [], "image_menu": None},
            [],
            {"profile": "root"},
            "The profile of your last server, 'root', is not offered any more.",
            id="profile that is gone, where one is left",
        ),
        pytest.param(
            {"sizes": [], "image_menu": None},
            [],
            {"profile": "root"},
            "What you chose for your last server is not offered any more. This one has the defaults.",
            id="profile, where nothing can be chosen any more",
        ),
        pytest.param(
            {},
            [],
            {"profile": "server", "image": "d20260101", "size": "small"},
            "The image of your last server, 'd20260101', is not offered any more.",
            id="image",
        ),
        pytest.param(
            {"sizes": [{"name": "one", "cpu_limit": 1, "mem_limit": "1Gi"}], "image_menu": None},
            [],
            {"profile": "server", "size": "enormous"},
            "The size of your last server, 'enormous', is not offered any more.",
            id="size",
        ),
    ],
)
def test_choice_of_an_earlier_day_that_is_gone_holds_up_no_start(
    tmp_path: Path, settings: dict[str, Any], groups: list[str], saved: dict[str, str], told: str
) -> None:
    known(tmp_path)
    of = site(NOTHING, **settings)
    (start,) = ask(tmp_path, "starts", "ada", json.dumps(groups), json.dumps({"saved": saved}), of=of)
    assert start["remarks"] == [told]
    assert start["kept"] is not None
    assert saved.items() - start["kept"].items(), "the next start says nothing of it"
    assert start["pod"]["spec"]["containers"]


OWN_PROFILES: Final = """\
from henhouse_hub import c

image = {"display_name": "Image", "choices": {"a": {"display_name": "A", "default": True, "kubespawner_override": {}}}}
c.KubeSpawner.profile_list = [{"slug": "lab", "display_name": "Lab", "profile_options": {"image": image}}]
"""
OWN_SPAWNER: Final = """\
from henhouse_hub import c
from kubespawner import KubeSpawner

c.JupyterHub.spawner_class = KubeSpawner
"""


def test_profiles_of_a_sites_own_fragment_are_held_to_too(tmp_path: Path) -> None:
    written(tmp_path, {"65-own.py": OWN_PROFILES})
    of = parsed(tmp_path, fragments="site/fragments")
    odd = [{"profile": "lab", "image": "gone"}, {"profile": "gone"}, {"profile": "lab", "image": ["a"]}]
    forms = [{kind: options} for options in odd for kind in ("saved", "api")]
    *refused, right = starts(tmp_path, of, [], *forms, {"saved": {"profile": "lab", "image": "a"}})
    assert {each["status"] for each in refused} == {400}
    assert right["spec"]["containers"]


@pytest.mark.parametrize("name", ["32-own.py", "65-own.py"])
def test_site_may_have_a_spawner_of_its_own(tmp_path: Path, name: str) -> None:
    written(tmp_path, {name: OWN_SPAWNER})
    of = parsed(tmp_path, fragments="site/fragments", sizes="doubling")
    (start,) = ask(tmp_path, "starts", "ada", "[]", json.dumps({"saved": {"size": "enormous"}}), of=of)
    assert start["pod"]["spec"]["containers"]


def test_what_is_left_of_an_earlier_choice_counts(tmp_path: Path) -> None:
    known(tmp_path)
    gone = [{"profile": "server", "image": "d20260101", "size": "large"}, {"profile": "gone", "size": "large"}]
    for pod in starts(tmp_path, site(NOTHING), [], *({"saved": each} for each in gone)):
        assert float(pod["spec"]["containers"][0]["resources"]["limits"]["cpu"]) == 4


def test_profile_of_another_group_is_refused(tmp_path: Path) -> None:
    of = site(NOTHING, profile_list=[LAB, GPU], sizes=[])
    forms = [{"profile": ["gpu"]}, {"api": {"profile": "gpu"}}]
    for refused in starts(tmp_path, of, ["chemistry"], *forms):
        assert refused == {"refused": "'gpu' is not offered to you. Please choose again.", "status": 400}
