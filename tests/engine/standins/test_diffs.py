"""What differs, in the engine's words."""

from typing import Any

import pytest

from engine.standins.diffs import Change, Diff, differences, top, within
from engine.standins.protocol import provider_pb2 as pb
from engine.standins.values import UNKNOWN


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": "update"}),
        ({"a": 1}, {"b": 1}, {"a": "delete", "b": "add"}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, {"a.b": "update"}),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, {"a[1]": "update", "a[2]": "add"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "delete"}),
        ({"a": {"x/y.z": 1}}, {"a": {"x/y.z": 2}}, {'a["x/y.z"]': "update"}),
        ({"a": {'"': 1}}, {"a": {'"': 2}}, {'a["\\""]': "update"}),
        ({"a": 1}, {"a": UNKNOWN}, {"a": "update"}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": "update"}),
    ],
)
def test_differences(old: Any, new: Any, changes: dict[str, Change]) -> None:
    assert differences(old, new) == changes


@pytest.mark.parametrize(
    ("path", "outer", "inside"),
    [
        ("spec.nfs", "spec.nfs", True),
        ("spec.nfs.path", "spec.nfs", True),
        ("spec.accessModes[0]", "spec.accessModes", True),
        ("spec.nfsOptions", "spec.nfs", False),
        ("spec", "spec.nfs", False),
    ],
)
def test_within(path: str, outer: str, inside: bool) -> None:
    assert within(path, outer) == inside
    assert top(path) == "spec"


def test_detailed_response_tells_replacements_apart() -> None:
    answer = Diff({"spec.a": "update", "spec.b": "add"}, ["spec.b"], delete_before_replace=True).response()
    assert answer.changes == pb.DiffResponse.DIFF_SOME
    assert list(answer.diffs) == ["spec"]
    assert answer.deleteBeforeReplace
    assert answer.detailedDiff["spec.a"].kind == pb.PropertyDiff.UPDATE
    assert answer.detailedDiff["spec.b"].kind == pb.PropertyDiff.ADD_REPLACE


def test_ignored_changes_replace_nothing() -> None:
    diff = Diff({"a.b": "update", "c": "update"}, ["a.b"], delete_before_replace=True).ignoring(["a"])
    assert diff == Diff({"c": "update"})


def test_kubernetes_gives_details_alone() -> None:
    """As the official plugin: the engine takes its reasons from the details, also after something was ignored."""
    diff = Diff({"spec.a": "update", "spec.b": "add"}, ["spec.a"], named=False)
    for answer in (diff.response(), diff.ignoring(["spec.b"]).response()):
        assert list(answer.diffs) == []
        assert list(answer.replaces) == ["spec.a"]
        assert "spec.a" in answer.detailedDiff
