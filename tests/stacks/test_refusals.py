"""Refusals speak of settings: each says which, what was given and what is accepted, and never speaks of Python."""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from stacks.load import parse_settings
from stacks.problems import Problem, SettingsError
from stacks.settings import Site
from stacks.settings.types import SPELLED
from tests.stacks.sites import changed, tree

WORDS = re.compile(
    r"\b(tuple|dictionary|dict|instance|frozenset|iterable|pydantic|validat\w*|parse|parsing|string|NoneType|Input|"
    r"input|literal|union|discriminator|tag|regex|pattern|bool|boolean|integer|float|\w*Settings|None|True|False|"
    r"field|attributes|extract|object to)\b"
)
"""Of Python and of pydantic. `tag` is one of ours elsewhere: of an image."""
OURS = re.compile(r"\b(tag of the image|a tag without the image|imageTag)\b")
WRONG: Mapping[str, Any] = {
    "a number": 3.5,
    "a large number": -(10**12),
    "true": True,
    "nothing": None,
    "text": "§ \x01",
    "no text": "",
    "a list": ["§ \x01", {"§": 1}],
    "an empty list": [],
    "settings": {"§ \x01": {"§": 1}},
    "no settings": {},
}


def settings_of(model: type[BaseModel], place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each setting of a model and below it. `0` stands for a list's entry, `*` for a name; a pair
    is the type of a union, and is not a part of the path."""
    for name, field in model.model_fields.items():
        if name == "type":
            continue
        here = (*place, field.alias or name)
        yield here
        yield from inside(field.annotation, here)


def inside(annotation: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the places below a setting of this type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from inside(arguments[0], place)
    elif origin in (typing.Union, types.UnionType):
        models = [each for each in arguments if isinstance(each, type) and issubclass(each, BaseModel)]
        for each in arguments:
            typed = (("type", each.model_fields["type"].annotation),) if len(models) > 1 and each in models else ()
            yield from inside(each, (*place, *typed))
    elif origin is tuple:
        yield (*place, 0)
        yield from inside(arguments[0], (*place, 0))
    elif origin is dict:
        yield (*place, "*")
        yield from inside(arguments[1], (*place, "*"))
    elif isinstance(annotation, type) and not origin and issubclass(annotation, BaseModel):
        yield from settings_of(annotation, place)


NAMES = {"hub.login.idps": "urn:mace:example", "hub.extraEnv": "A", "hub.singleuser.extraEnv": "A"}


def written(place: tuple[Any, ...], value: Any) -> tuple[dict[str, Any], str]:
    """Return the settings that have a value at a place, and nothing else, and the path of the place."""
    path: list[str] = []
    for part in place:
        if part == "*":
            path.append(NAMES.get(".".join(path), "a1"))
        elif not isinstance(part, tuple):
            path.append(str(part))
    made, at = value, len(path)
    for part in reversed(place):
        if isinstance(part, tuple):
            (kind,) = get_args(part[1])
            made = {**made, "type": kind}
            continue
        at -= 1
        made = [made] if part == 0 else {path[at]: made}
    return made, ".".join(path)


PLACES = sorted({*settings_of(Site, ())}, key=repr)


def problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with settings, none where they are accepted."""
    try:
        parse_settings(settings)
    except SettingsError as error:
        return [each for each in error.problems if each.says != "is required and not given"]
    return []


def test_every_setting_is_walked() -> None:
    paths = {written(place, 0)[1] for place in PLACES}
    assert {"hosts.a1.interfaces.a1.mtu", "hub.login.idps.urn:mace:example.allow_all", "hub.size.cpu_limit"} <= paths
    assert {"hub.db.password", "monitoring.receivers.a1.to.0", "hub.cull.groups.0.maxAge", "edge.pdb.enabled"} <= paths
    assert len(paths) > 250


@pytest.mark.parametrize("wrong", WRONG)
def test_refusal_of_any_setting_speaks_of_settings(wrong: str) -> None:
    refused = 0
    for place in PLACES:
        settings, path = written(place, WRONG[wrong])
        for problem in problems(settings):
            said = str(problem).replace(problem.path, "", 1)
            lists_names = problem.says == "is not a setting" or "settings of its own: " in problem.accepted
            names = OURS.sub("", problem.says if lists_names else said)
            assert not WORDS.search(names), f"{path}, given {wrong}: {problem}"
            assert not any(pattern in said for pattern in SPELLED if pattern.startswith("^")), str(problem)
            assert problem.accepted or re.search(r"must|needs|write|such as|give|set |is ", said), str(problem)
            refused += problem.path.startswith(path)
    assert refused > 50


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        (
            {"cluster": {"image_maximum_gc_age": "30d"}},
            "image_maximum_gc_age: '30d': cannot be used here\n    accepted: whole hours, such as 720h for 30 days",
        ),
        ({"hub": {"cull": {"every": 5}}}, "hub.cull.every: 5: is too little\n    accepted: a whole number from 30 to"),
        ({"hub": {"resources": 5}}, "hub.resources: 5: cannot be used here\n    accepted: settings of its own: limits"),
        ({"hub": {"administrators": "ada"}}, "hub.administrators: 'ada': cannot be used here\n    accepted: a list"),
        ({"hub": {"keys": ["A B"]}}, "hub.keys.0: 'A B': cannot be used here"),
        (
            {"hub": {"prePuller": {"extraImages": {"a": {"name": "quay.io/a/b:1.0", "tag": "1.0"}}}}},
            "name: 'quay.io/a/b:1.0': must have no tag and no digest: write name: quay.io/a/b, tag: '1.0'",
        ),
        (
            {"hub": {"prePuller": {"extraImages": {"a": {"name": "quay.io/a/b@sha256:" + "0" * 64, "tag": "1"}}}}},
            "must have no tag and no digest: write HOST/PATH as name, and the tag as tag",
        ),
        (
            {"hub": {"prePuller": {"extraImages": {"a": {"name": "quay.io:5000/a/b", "tag": 3.1}}}}},
            "hub.prePuller.extraImages.a.tag: 3.1: cannot be used here\n    accepted: a tag without the image",
        ),
        ({"hub": {"prePuller": {"extraImages": {"a": {"name": "quay.io/a/b", "tag": 3.1}}}}}, "2026-10-05, in quotes"),
        ({"hub": {"db": 5}}, "hub.db: what is given cannot be used here\n    accepted: settings with a type: "),
        ({"hub": {"login": [1]}}, "accepted: settings with a type: native, dummy, github"),
        ({"hosts": {"A_b": None}}, "hosts.A_b: "),
        ({"hub": {"extraEnv": {"1A": "x"}}}, "accepted: the name of a variable: up to 128 letters"),
        (
            {"hub": {"contact": "help"}},
            "accepted: one mail address such as help@example.org, or an https URL, in ASCII",
        ),
        ({"hub": {"announcements": [{"text": "x", "level": "loud"}]}}, "accepted: info or warning or danger"),
        ({"network": {"administrators": ["10.0.0.1/8"], "nat": True}}, "accepted: an IPv4 network without host bits"),
        (
            {"hub": {"pdb": {"enabled": "sometimes"}}},
            "hub.pdb.enabled: 'sometimes': cannot be used here\n    accepted: true",
        ),
        (
            {"cluster": {"max_pods": "many"}},
            "cluster.max_pods: 'many': cannot be used here\n    accepted: a whole number",
        ),
    ],
)
def test_refusal_says_what_was_given_and_what_is_accepted(changes: dict[str, Any], whole: str) -> None:
    settings = changed(tree("dev"), changes)
    if "hosts" in changes:
        settings["hosts"]["A_b"] = settings["hosts"]["hen"]
    with pytest.raises(SettingsError) as refused:
        parse_settings(settings)
    assert whole in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hub": {"administrators": ["A B"]}}, "hub.administrators.0"),
        ({"hosts": {"hen": {"duties": ["storag"]}}}, "hosts.hen.duties.0"),
        ({"hub": {"keys": [5]}}, "hub.keys.0"),
        (
            {"storage": {"pool": {"vdevs": [{"type": "mirror", "disks": ["disk-a", "sda/"]}]}}},
            "storage.pool.vdevs.0.disks.1",
        ),
    ],
)
def test_wrong_entry_is_one_mistake(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert [problem.path for problem in refused.value.problems] == [path]
