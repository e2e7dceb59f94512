"""Which image is pulled to which node next."""

from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from components.kube.pods import PURPOSE_LABEL
from programs.hub.image_names import canonical
from programs.hub.images.placing import ONLY, Kind, Place, Wanted
from programs.hub.images.prepulling import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STAYED_SECONDS,
    Memory,
    Outcome,
    about_start,
    next_pull,
    outcome,
    pod_for,
    read_status,
    status,
    takes_pods,
    write_status,
)
from stacks.versions import SITE

DIGEST: Final = "sha256:" + "0a" * 32
LAB, OTHER = f"quay.io/team/lab:w202648@{DIGEST}", "quay.io/team/other:1.0"
READY: Final = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]


def node(*images: str, name: str = "chick1", purpose: str = "user", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {PURPOSE_LABEL: purpose}},
        "spec": spec,
        "status": {"conditions": READY, "images": [{"names": [image], "sizeBytes": 1} for image in images]},
    }


def told(nodes: list[dict[str, Any]], images: list[str], memory: Memory, now: float = 0) -> dict[str, Any]:
    """Return the status of nodes that may run every server."""
    return status([Place(each) for each in nodes], [Wanted(image) for image in images], memory, now)


def pod(state: dict[str, Any] | None = None, image_id: str = "", **said: Any) -> dict[str, Any]:
    containers = [] if state is None else [{"state": state, "imageID": image_id}]
    return {"status": {"containerStatuses": containers, **said}}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (LAB, f"quay.io/team/lab@{DIGEST}"),
        (f"quay.io/team/lab@{DIGEST}", f"quay.io/team/lab@{DIGEST}"),
        (OTHER, OTHER),
        ("registry.example.org:5000/lab:1", "registry.example.org:5000/lab:1"),
        (f"registry.example.org:5000/lab@{DIGEST}", f"registry.example.org:5000/lab@{DIGEST}"),
        (f"registry.example.org:5000/lab:1@{DIGEST}", f"registry.example.org:5000/lab@{DIGEST}"),
        # A name that no node lists is pulled again and again, and a new image of it never used.
        ("index.docker.io/team/lab:1", "docker.io/team/lab:1"),
        (f"index.docker.io/lab:1@{DIGEST}", f"docker.io/library/lab@{DIGEST}"),
    ],
)
def test_name_on_a_node(image: str, name: str) -> None:
    assert canonical(image) == name


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        (READY, True),
        ([], False),
        ([{"type": "Ready", "status": "Unknown"}], False),
        ([READY[0], {"type": "DiskPressure", "status": "True"}], False),
        ([READY[0], {"type": "MemoryPressure", "status": "True"}], False),
    ],
)
def test_node_that_is_down_or_full_pulls_nothing(conditions: list[dict[str, str]], wanted: bool) -> None:
    about = node()
    about["status"]["conditions"] = conditions
    assert takes_pods(about) is wanted
    assert next_pull(about, [LAB], Memory(), 0) == (LAB if wanted else None)


@pytest.mark.parametrize(
    ("about", "found"),
    [
        (pod(), Outcome(False)),
        ({}, Outcome(False)),
        (pod({"waiting": {"reason": "ContainerCreating"}}), Outcome(False)),
        (pod({"waiting": {}}), Outcome(False)),
        (pod({"running": {}}), Outcome(True)),
        (pod({"terminated": {"exitCode": 0}}, "sha256:1", phase="Succeeded"), Outcome(True)),
        # There is no `true` in the image: it was pulled all the same.
        (pod({"terminated": {"exitCode": 128, "reason": "StartError"}}, "sha256:1", phase="Failed"), Outcome(True)),
        (pod({"waiting": {"reason": "CreateContainerError"}}), Outcome(True)),
        (pod({"waiting": {"reason": "CreateContainerConfigError"}}), Outcome(True)),
        (pod({"waiting": {"reason": "ErrImagePull", "message": "no\nsuch"}}), Outcome(True, "ErrImagePull: no such")),
        (pod({"waiting": {"reason": "ImagePullBackOff"}}), Outcome(True, "ImagePullBackOff")),
        (pod(phase="Failed", reason="OutOfpods", message="110 of 110"), Outcome(True, "OutOfpods: 110 of 110")),
        (pod(phase="Failed", reason="Evicted"), Outcome(True, "Evicted")),
        (
            pod({"terminated": {"exitCode": 137}}, phase="Failed", reason="DeadlineExceeded"),
            Outcome(True, "DeadlineExceeded"),
        ),
    ],
)
def test_how_a_pull_stands(about: dict[str, Any], found: Outcome) -> None:
    assert outcome(about) == found


def test_node_pulls_what_it_lacks_in_the_menus_order() -> None:
    memory = Memory()
    assert next_pull(node(), [LAB, OTHER], memory, 0) == LAB
    assert next_pull(node(canonical(LAB)), [LAB, OTHER], memory, 0) == OTHER
    assert next_pull(node(canonical(LAB), OTHER), [LAB, OTHER], memory, 0) is None
    # The tag that the digest had is nothing to go by: it moves.
    assert next_pull(node("quay.io/team/lab:w202648"), [LAB], memory, 0) == LAB


def test_image_that_cannot_be_pulled_holds_up_no_other() -> None:
    memory = Memory()
    memory.note("chick1", LAB, "ErrImagePull", 0)
    assert next_pull(node(), [LAB, OTHER], memory, 1) == OTHER
    assert next_pull(node(name="chick2"), [LAB, OTHER], memory, 1) == LAB
    assert next_pull(node(), [LAB, OTHER], memory, FIRST_PAUSE) == LAB


def test_pauses_grow_to_an_end() -> None:
    memory, now, pauses = Memory(), 0.0, []
    for _ in range(40):
        memory.note("chick1", LAB, "ErrImagePull", now)
        following = memory.tried["chick1", LAB].next
        pauses.append(following - now)
        now = following
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_disk_that_is_too_small_is_not_filled_again_and_again() -> None:
    """The kubelet removes an unused image for want of space: to pull it at once would remove another."""
    memory = Memory()
    for now in (0.0, FIRST_PAUSE):
        assert memory.may_pull("chick1", LAB, now)
        memory.note("chick1", LAB, "", now)
        memory.see("chick1", LAB, True, now + 1)
        memory.see("chick1", LAB, False, now + 2)
    assert not memory.may_pull("chick1", LAB, 3 * FIRST_PAUSE - 1)
    assert memory.may_pull("chick1", LAB, 3 * FIRST_PAUSE)


def test_node_that_keeps_quiet_about_small_images_is_believed() -> None:
    """A kubelet tells of its fifty largest images."""
    memory, many = Memory(), [f"quay.io/team/old:{number}" for number in range(50)]
    assert next_pull(node(*many), [LAB], memory, 0) == LAB
    memory.note("chick1", LAB, "ErrImagePull", 0)
    assert told([node(*many)], [LAB], memory)["nodes"]["chick1"]["has"] == []
    memory.note("chick1", LAB, "", 1)
    assert told([node(*many)], [LAB], memory, 1)["nodes"]["chick1"]["has"] == [canonical(LAB)]
    assert next_pull(node(*many), [LAB], memory, LONGEST_PAUSE) is None
    # A node with few images tells of all: it has lost the image.
    assert next_pull(node(*many[:49]), [LAB], memory, LONGEST_PAUSE) == LAB


def test_what_stayed_begins_again() -> None:
    memory = Memory()
    memory.note("chick1", LAB, "ErrImagePull", 0)
    memory.note("chick1", LAB, "", FIRST_PAUSE)
    memory.see("chick1", LAB, True, FIRST_PAUSE)
    memory.see("chick1", LAB, True, FIRST_PAUSE + STAYED_SECONDS + 1)
    assert not memory.tried


def test_what_left_the_menu_is_forgotten() -> None:
    memory = Memory()
    for name, image in (("chick1", LAB), ("chick1", OTHER), ("chick2", LAB)):
        memory.note(name, image, "ErrImagePull", 0)
    memory.keep(["chick1"], [LAB])
    assert set(memory.tried) == {("chick1", LAB)}


def test_pod_fits_its_schema_and_has_no_rights() -> None:
    bears = {"key": "gpu", "operator": "Exists", "effect": "NoExecute"}
    made = pod_for("chick1", LAB, ["image-pull-secret"], [bears])
    kubernetes_validate.validate(made, ".".join(SITE["kubernetes"].split(".")[:2]), strict=True)
    assert made["spec"]["automountServiceAccountToken"] is False
    assert made["spec"]["imagePullSecrets"] == [{"name": "image-pull-secret"}]
    assert made["spec"]["tolerations"] == [bears]
    assert "volumes" not in made["spec"]


def test_status_is_read_as_it_was_written(tmp_path: Path) -> None:
    memory = Memory()
    memory.note("chick2", LAB, "ErrImagePull: no route", 0)
    nodes = [node(canonical(LAB)), node(OTHER, name="chick2")]
    write_status(tmp_path / "status", told(nodes, [LAB, OTHER], memory, 7.0))
    known = read_status(tmp_path / "status")
    assert known
    assert known["seen"] == 7.0
    assert list(known["images"].values()) == [LAB, OTHER]
    assert known["nodes"]["chick1"] == {
        "takes_pods": True,
        "kinds": {ONLY},
        "wants": {canonical(LAB), OTHER},
        "has": {canonical(LAB)},
        "problems": {},
    }
    assert known["nodes"]["chick2"]["problems"] == {canonical(LAB): "ErrImagePull: no route"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "{}", '{"seen": 1, "images": {}, "nodes": 3}', "[" * 100_000],
    ids=["empty", "half", "list", "number", "object", "no nodes", "deep"],
)
def test_file_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "status").write_text(text)
    assert read_status(tmp_path / "status") is None
    assert read_status(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node(canonical(LAB)), node(canonical(LAB), name="chick2")], "on every machine already"),
        ([node(canonical(LAB)), node(name="chick2")], "on 1 of 2 machines already"),
        ([node(), node(name="chick2")], "on no machine yet: the first start takes longer"),
        ([], ""),
    ],
)
def test_people_are_told_where_an_image_is(tmp_path: Path, nodes: list[dict[str, Any]], words: str) -> None:
    write_status(tmp_path / "status", told(nodes, [LAB], Memory(), 7.0))
    known = read_status(tmp_path / "status")
    # By its digest: the recommended alias is told the same.
    assert about_start(f"quay.io/team/lab:recommended@{DIGEST}", known, ONLY) == words
    assert about_start(OTHER, known, ONLY) == ""
    assert about_start(LAB, None, ONLY) == ""


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("lab", "on no machine yet: the first start takes longer"),
        ("gpu", "on every machine already"),
        ("both", "on 1 of 2 machines already"),
        ("none", ""),
    ],
)
def test_machines_on_which_a_server_cannot_run_do_not_count(tmp_path: Path, kind: str, words: str) -> None:
    lab, gpu, both = (Kind(slug) for slug in ("lab", "gpu", "both"))
    here = [Place(node(), [lab, both]), Place(node(canonical(LAB), name="gpu1"), [gpu, both])]
    wanted = [Wanted(LAB, ["lab", "gpu", "both"]), Wanted(OTHER, ["gpu"])]
    write_status(tmp_path / "status", status(here, wanted, Memory(), 7.0))
    known = read_status(tmp_path / "status")
    assert about_start(LAB, known, kind) == words
    assert known
    assert known["nodes"]["chick1"]["wants"] == {canonical(LAB)}
    assert known["nodes"]["gpu1"]["wants"] == {canonical(LAB), OTHER}


def test_file_of_a_hub_before_its_upgrade_is_none(tmp_path: Path) -> None:
    before = told([node()], [LAB], Memory())
    for each in before["nodes"].values():
        del each["wants"], each["kinds"]
    write_status(tmp_path / "status", before)
    assert read_status(tmp_path / "status") is None
