"""`ops reap`: which tags would go, and a real registry that lets them go."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from lab.mirror.registry import registry_configuration, writable_registry
from ops.__main__ import parser
from ops.commands import reap
from ops.exits import Exit
from ops.nodes import on_nodes
from ops.reaping import Store, kind_of, newest_first, verdicts
from programs.hub.menu.image_menu import choose
from programs.hub.menu.oci_registry import RegistryError
from stacks.load import parse_settings
from stacks.settings import ImageMenuSettings
from tests.certificates import LOOPBACK
from tests.programs.hub.test_real_registry import MANIFEST, PATH, push
from tests.stacks.sites import changed, tree
from tests.tools import eventually, free_port, listens, running

INDEX: Final = "application/vnd.oci.image.index.v1+json"
ALL: Final = {"release": None, "weekly": None, "daily": None, "experimental": None}
REPOSITORY: Final = "quay.io/team/lab"


def digest(of: str) -> str:
    return f"sha256:{hashlib.sha256(of.encode()).hexdigest()}"


def going(tags: dict[str, str], keep: dict[str, int | None], **why: dict[str, str]) -> set[str]:
    given = {"used": {}, "named_tags": {}, "made": {}, **why}
    return {each.tag for each in verdicts(tags, {**ALL, **keep}, **given) if not each.kept}


def own(*tags: str) -> dict[str, str]:
    """Return tags, each of an image of its own."""
    return {tag: digest(tag) for tag in tags}


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("d20261126", "daily"),
        ("w202648", "weekly"),
        ("r180", "release"),
        ("exp_w202648_new", "experimental"),
        ("d20260231", "plain"),
        ("latest_weekly", "plain"),
        ("recommended", "plain"),
        ("1.2", "plain"),
    ],
)
def test_kind(tag: str, kind: str) -> None:
    assert kind_of(tag) == kind


def test_old_ones_go_and_no_others() -> None:
    tags = own(
        "w202601", "w202552", "w202553", "d20260102", "d20260101", "r9", "r170", "1.0", "latest_daily", "sha256-0a"
    )
    assert going(tags, {}) == set()
    assert going(tags, {"weekly": 1, "daily": 1}) == {"w202552", "d20260101"}
    assert going(tags, {"weekly": 0, "daily": 0, "release": 0}) == {
        "w202601",
        "w202552",
        "d20260102",
        "d20260101",
        "r170",
    }


def test_image_of_a_tag_that_stays_stays() -> None:
    tags = {**own("w202602", "w202601"), "recommended": digest("w202601")}
    assert going(tags, {"weekly": 1}) == set()
    (alias, old, _) = verdicts(tags, {**ALL, "weekly": 1}, used={}, named_tags={}, made={})
    assert (alias.tag, old.tag, old.kept) == ("recommended", "w202601", "the same as recommended")


def test_what_is_used_stays() -> None:
    tags = own("w202603", "w202602", "w202601")
    assert going(tags, {"weekly": 1}, used={digest("w202601"): "is on chick1"}) == {"w202602"}
    assert going(tags, {"weekly": 0}, named_tags={"w202602": "is in the menu"}) == {"w202603", "w202601"}


def test_experimental_ones_go_by_when_they_were_made() -> None:
    made = {"exp_b": "2026-01-01T00:00:00Z", "exp_a": "2026-03-01T00:00:00Z", "exp_c": "2026-02-01T00:00:00Z"}
    assert newest_first(own(*made), "experimental", made) == ["exp_a", "exp_c", "exp_b"]
    assert going(own(*made), {"experimental": 1}, made=made) == {"exp_b", "exp_c"}
    # What is not known to be old is new.
    assert going(own(*made, "exp_0"), {"experimental": 1}, made=made) == {"exp_a", "exp_b", "exp_c"}


def test_images_on_nodes_are_read() -> None:
    listed = (
        f"chick1 {REPOSITORY}@{digest('a')} {REPOSITORY}:w202601 quay.io/other/lab@{digest('b')}\n"
        f"chick2 {REPOSITORY}@{digest('a')} {REPOSITORY}@{digest('c')}\nchick3\n"
    )
    pods = f"jupyter-ada {REPOSITORY}@{digest('d')}\ncoredns\n\n"
    on = {digest("a"): "chick1", digest("c"): "chick2", digest("d"): "jupyter-ada"}
    assert on_nodes(listed + pods, REPOSITORY) == on


def test_settings_name_images_that_stay() -> None:
    hub = {
        "image_menu": {"repository": REPOSITORY},
        "server_image": f"{REPOSITORY}:w202601",
        "profile_list": [
            {"slug": "a", "display_name": "A", "kubespawner_override": {"image": f"{REPOSITORY}:x@{digest('x')}"}},
            {"slug": "b", "display_name": "B", "kubespawner_override": {"image": "quay.io/other/lab:w202602"}},
        ],
        "prePuller": {"extraImages": {"c": {"name": REPOSITORY, "tag": "exp_c"}}},
    }
    tags, digests = reap.named_in(parse_settings(changed(tree("dev"), {"hub": hub})))
    assert set(tags) == {"w202601", "exp_c"}
    assert set(digests) == {digest("x")}


def test_image_of_docker_hub_stays_however_it_is_spelled() -> None:
    hub = {"image_menu": {"repository": "docker.io/lab"}, "server_image": "docker.io/library/lab:w202601"}
    tags, _ = reap.named_in(parse_settings(changed(tree("dev"), {"hub": hub})))
    assert set(tags) == {"w202601"}


def test_what_people_may_choose_stays() -> None:
    tags = ["w202601", "w202602", "d20260101", "r170", "r180", "recommended", "1.9", "1.10"]
    tags += [f"exp_{number}" for number in range(1, 13)]
    menu = ImageMenuSettings(repository=REPOSITORY, weeklies=1, experimentals=3, plain=1)
    offered, alias = choose(tags, menu.counts, menu.recommended, digest)
    assert alias is not None
    assert set(reap.in_menu(menu, tags)) == {alias.tag, *(image.tag for image in offered)}
    assert {"exp_12", "exp_11", "exp_10", "1.10"} <= set(reap.in_menu(menu, tags))


def test_nothing_is_deleted_unless_asked_for() -> None:
    options = parser().parse_args(["reap"])
    assert options.delete is False
    assert reap.keep_of(options) == {"release": None, "weekly": 78, "daily": 15, "experimental": 10}
    with pytest.raises(SystemExit):
        parser().parse_args(["reap", "--weeklies", "-1"])


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Provide a registry that deletes."""
    port = free_port()
    configuration = json.loads(registry_configuration(tmp_path / "storage", LOOPBACK, port, read_only=False))
    configuration["storage"]["delete"] = {"enabled": True}
    (tmp_path / "registry.yml").write_text(json.dumps(configuration))
    with running("docker-registry", "serve", str(tmp_path / "registry.yml"), log=tmp_path / "log"):
        eventually("a registry", lambda: listens(port), seconds=60)
        yield f"http://{LOOPBACK}:{port}"


class Stack:
    """A stack whose registry is at `url`."""

    def __init__(self, url: str, **more: object) -> None:
        hub = {"image_menu": {"repository": REPOSITORY, "weeklies": 1, "dailies": 0, "releases": 0}, **more}
        settings = changed(tree("dev"), {"mirrors": {"registry": url}, "hub": hub})
        self._config = {f"henhouse:{name}": value for name, value in settings.items()}

    def config(self) -> dict[str, Any]:
        """Return its settings."""
        return self._config

    def export(self) -> dict[str, Any]:
        """Return no state."""
        return {}


@pytest.fixture
def reaper(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Provide the registry's address; the command finds its stack there, and nodes that have one old image."""

    async def images(_: object, repository: str) -> dict[str, str]:
        assert repository == REPOSITORY
        return {push(url, "w202602", "on a node"): "chick1"}

    monkeypatch.setattr(reap, "StackClient", lambda _: Stack(url))
    monkeypatch.setattr(reap, "images_on_nodes", images)
    return url


def run(*words: str) -> Exit:
    return Exit(reap.run(parser().parse_args(["reap", *words])))


def push_index(url: str, tag: str, part: str) -> None:
    entry = {"mediaType": MANIFEST, "digest": part, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    answer = requests.put(f"{url}/v2/{PATH}/manifests/{tag}", data=body, headers={"Content-Type": INDEX}, timeout=30)
    assert answer.status_code == 201, answer.text


@pytest.mark.programs
def test_real_registry_keeps_what_stays(reaper: str, capsys: pytest.CaptureFixture[str]) -> None:
    tags = ("w202648", "w202647", "w202646", "w202602", "d20260101", "r1", "r170", "plain")
    pushed = {tag: push(reaper, tag, "on a node" if tag == "w202602" else tag) for tag in tags}
    pushed["recommended"] = push(reaper, "recommended", "w202646")
    push_index(reaper, "multi", push(reaper, "w202603", "a part"))
    pushed["w202604"] = push(reaper, "w202604", "unused")
    store = Store(reaper, actions="pull,delete")

    assert run("--weeklies", "2", "--json") == Exit.DIFFERENT
    said = json.loads(capsys.readouterr().out)
    kept = {each["tag"]: each["kept"] for each in said["tags"]}
    assert said["deleted"] is False
    assert not any(each["deleted"] for each in said["tags"])
    assert kept == {
        "w202648": "is in the menu",
        "w202647": "one of the newest 2",
        "w202646": "the same as recommended",
        "recommended": "is in the menu",
        "w202602": "is on chick1",
        "w202603": "is a part of multi",
        "w202604": "",
        "d20260101": "one of the newest 15",
        "r170": "all are kept",
        "r1": "is of no kind that goes",
        "plain": "is of no kind that goes",
        "multi": "is of no kind that goes",
    }
    assert store.digest(PATH, "w202604") == pushed["w202604"]

    assert run("--weeklies", "2", "--delete") == Exit.SAME
    assert "Deleted 1 of 1 tags" in capsys.readouterr().out
    assert set(store.tags(PATH)) == set(kept) - {"w202604"}
    assert store.digest(PATH, "w202604") is None
    assert run("--weeklies", "2") == Exit.SAME
    assert f"Nothing of {REPOSITORY} is to go: 11 tags stay." in capsys.readouterr().out


@pytest.mark.programs
def test_what_took_the_place_of_a_removed_image_stays(
    reaper: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, *_ = (push(reaper, tag, tag) for tag in ("w202648", "w202647", "w202646"))
    removed = [f"{REPOSITORY}:w202648@{newest}"]
    monkeypatch.setattr(reap, "StackClient", lambda _: Stack(reaper, images_to_remove=removed))
    assert run("--weeklies", "1", "--json") == Exit.DIFFERENT
    kept = {each["tag"]: each["kept"] for each in json.loads(capsys.readouterr().out)["tags"]}
    assert {tag: kept[tag] for tag in ("w202648", "w202647", "w202646")} == {
        "w202648": "one of the newest 1",
        "w202647": "is in the menu",
        "w202646": "",
    }


@pytest.mark.programs
def test_experimental_image_says_when_it_was_made(url: str) -> None:
    store = Store(url)
    assert store.made(PATH, push(url, "exp_a", "says nothing")) is None
    assert store.made(PATH, push(url, "exp_b", "b", created="2026-11-26T08:00:00Z")) == "2026-11-26T08:00:00Z"
    with pytest.raises(RegistryError, match="status 404"):
        store.made(PATH, digest("nothing"))


@pytest.mark.programs
def test_registry_that_deletes_nothing_is_named(tmp_path: Path) -> None:
    with writable_registry(tmp_path / "storage") as place:
        url = f"http://{place}"
        with pytest.raises(RegistryError, match="the registry deletes nothing"):
            Store(url).delete(PATH, push(url, "w202601", "x"))


class Stubborn(Store):
    """A registry that lets one image go and keeps the next."""

    def delete(self, repository: str, digest: str) -> None:
        """Delete the first alone."""
        if digest != min(self.going):
            raise RegistryError(f"{digest}: status 500")

    going = frozenset(map(digest, "ab"))


def test_what_was_deleted_before_an_error_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    gone, problem = reap._delete(Stubborn("http://198.18.0.1:5000"), PATH, sorted(Stubborn.going))
    assert gone == {min(Stubborn.going)}
    assert str(problem) == f"{max(Stubborn.going)}: status 500"
    judged = verdicts(
        {"w202601": min(Stubborn.going), "w202602": max(Stubborn.going)},
        {"weekly": 0},
        used={},
        named_tags={},
        made={},
    )
    reap.show(judged, REPOSITORY, gone, asked=True)
    assert "Deleted 1 of 2 tags" in capsys.readouterr().out


def test_site_whose_nodes_do_not_answer_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reap, "StackClient", lambda _: Stack("http://198.18.0.1:5000"))
    assert run("--delete") == Exit.UNSEEN
    assert "has no control plane that could say which images are on nodes" in capsys.readouterr().err
