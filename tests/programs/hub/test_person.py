"""Who a person is in their server: git's configuration as git reads it, and variables, by the pod that is asked for."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest

from stacks.settings import Site
from stacks.versions import SITE
from tests.programs.hub.asking import SECRETS, ask, site
from tests.stacks.logins import GITHUB, OIDC

pytestmark = pytest.mark.programs

PERSON: Final = {"name": "Ada {x} Lovelace", "email": "ada@example.org", "id": "7", "login": "Ada"}
GROUPS: Final = {"flock": 1073742825, "staff": 1073742826}
KNOWN: Final = {"confirmed": 0, "account": "https://github.com 7", "uid": 536870919, "groups": GROUPS}


def state(**person: str) -> str:
    """Return what the hub keeps of a login of this person's."""
    return json.dumps({"access_token": "T0P-S3CRET", "henhouse": {**KNOWN, "person": person}})


def started(directory: Path, of: Site, *states: str) -> list[Any]:
    """Return the pods of one person who starts a server after each of these logins."""
    found: list[Any] = ask(directory, "person", "ada", *states, of=of, secrets={**SECRETS, "client-secret": "x"})
    return found


def variables(pod: Any) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def files(pod: Any) -> dict[str, str]:
    """Return by path what a kubelet would put into the pod from its annotations."""
    volumes = {each["name"]: each.get("downwardAPI") for each in pod["spec"]["volumes"]}
    mounts = {each["name"]: each for each in pod["spec"]["containers"][0]["volumeMounts"]}
    if "person" not in volumes:
        assert "person" not in mounts
        return {}
    notes = pod["metadata"]["annotations"]
    found = {}
    for item in volumes["person"]["items"]:
        key = item["fieldRef"]["fieldPath"].removeprefix("metadata.annotations['").removesuffix("']")
        found[f"{mounts['person']['mountPath']}/{item['path']}"] = notes[key]
    return found


def read_by_git(directory: Path, config: str, *, own: str = "", image: str = "") -> dict[str, str]:
    """Return git's settings where `config` is ours, `own` the person's and `image` that of the image."""
    (directory / "of-the-image").write_text(image)
    (directory / "gitconfig").write_text(config.replace("/etc/gitconfig", str(directory / "of-the-image")))
    (directory / ".gitconfig").write_text(own)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "GIT_CONFIG_SYSTEM": str(directory / "gitconfig"),
    }
    done = subprocess.run(
        ["git", "config", "--list", "--null"],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    entries = (each.partition("\n") for each in done.stdout.split("\0") if each)
    return {key: value for key, _, value in entries}


HARD: Final = (
    'Ada "the\\first" Lovelace',
    "Ada # no comment ; neither",
    "Ада {user} Лавлейс",
    "]\\n[alias] x",
    "trailing \\",
    "{}",
    "{unescaped_username!r}",
    "}{",
)


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return those of a person, of the same with each of the hard names, and of one who says little."""
    states = [state(**PERSON), *(state(**{**PERSON, "name": name}) for name in HARD), state(id="7", login="Countess")]
    return started(tmp_path_factory.mktemp("hub"), site(login=GITHUB), *states)


def test_git_knows_the_person_and_their_own_word_wins(tmp_path: Path, pods: list[Any]) -> None:
    pod = pods[0]
    minor = ".".join(SITE["kubernetes"].split(".")[:2])
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, minor, strict=True)
    made = files(pod)
    assert made.keys() == {variables(pod)["GIT_CONFIG_SYSTEM"]}, "no helper where the site wants none"
    (config,) = made.values()
    found = read_by_git(tmp_path, config)
    assert (found["user.name"], found["user.email"]) == (PERSON["name"], PERSON["email"])
    assert "credential" not in config
    own = read_by_git(tmp_path, config, own="[user]\n\temail = ada@home.example\n")
    assert (own["user.name"], own["user.email"]) == (PERSON["name"], "ada@home.example")


def test_image_keeps_its_own_configuration_of_git(tmp_path: Path, pods: list[Any]) -> None:
    (config,) = files(pods[0]).values()
    found = read_by_git(tmp_path, config, image="[core]\n\tpager = cat\n[user]\n\temail = build@image\n")
    assert found["core.pager"] == "cat"
    assert found["user.email"] == PERSON["email"]


@pytest.mark.parametrize("number", range(len(HARD)))
def test_name_is_what_the_person_calls_themselves(tmp_path: Path, pods: list[Any], number: int) -> None:
    pod = pods[1 + number]
    (config,) = files(pod).values()
    found = read_by_git(tmp_path, config)
    assert found["user.name"] == HARD[number]
    assert found.keys() == {"include.path", "user.name", "user.email"}
    assert variables(pod)["GITHUB_NAME"] == HARD[number]


def test_variables_say_who_it_is(pods: list[Any]) -> None:
    found = variables(pods[0])
    assert found["EXTERNAL_UID"] == "100007", "what `id -u` says: the owner of the home"
    assert found["EXTERNAL_GROUPS"] == "flock:1073742825,staff_:1073742826", "what `id` says"
    github = {name: value for name, value in found.items() if name.startswith("GITHUB_")}
    assert github == {
        "GITHUB_ID": "7",
        "GITHUB_LOGIN": "Ada",
        "GITHUB_NAME": PERSON["name"],
        "GITHUB_EMAIL": PERSON["email"],
    }


def test_token_is_in_no_pod(pods: list[Any]) -> None:
    assert "T0P-S3CRET" not in json.dumps(pods)


def test_next_start_knows_nothing_of_who_it_was(tmp_path: Path, pods: list[Any]) -> None:
    pod = pods[-1]
    found = variables(pod)
    assert found["GITHUB_LOGIN"] == "Countess"
    assert not {"GITHUB_NAME", "GITHUB_EMAIL"} & found.keys()
    assert not [each for each in (PERSON["name"], PERSON["email"], *HARD[:3]) if each in json.dumps(pod)]
    assert [each["name"] for each in pod["spec"]["volumes"]].count("person") == 1
    (config,) = files(pod).values()
    assert read_by_git(tmp_path, config).get("user.email") is None
    assert read_by_git(tmp_path, config)["user.name"] == "ada", "what the hub calls them"


def test_what_the_site_sets_wins(tmp_path: Path) -> None:
    of = site(login=GITHUB, singleuser={"extraEnv": {"GITHUB_EMAIL": "all@example.org", "GIT_CONFIG_SYSTEM": "/x"}})
    pod = started(tmp_path, of, state(**PERSON), state(**PERSON))[1]
    assert "secretKeyRef" in variables(pod)["GITHUB_EMAIL"]
    assert "secretKeyRef" in variables(pod)["GIT_CONFIG_SYSTEM"]
    assert variables(pod)["GITHUB_LOGIN"] == "Ada"


@pytest.mark.parametrize("login", ["native", {**GITHUB, "git_identity": False, "identity_variables": False}])
def test_site_may_say_nothing(tmp_path: Path, login: Any) -> None:
    (pod,) = started(tmp_path, site(login=login), state(**PERSON))
    assert files(pod) == {}
    assert not [name for name in variables(pod) if name.startswith(("GIT", "EXTERNAL"))]


def test_login_from_before_this_was_kept_says_what_it_can(tmp_path: Path) -> None:
    (pod,) = started(tmp_path, site(login=OIDC), json.dumps({"henhouse": KNOWN}))
    assert files(pod) == {}
    found = {name: value for name, value in variables(pod).items() if name.startswith(("GIT", "EXTERNAL"))}
    assert found == {"EXTERNAL_UID": "100007", "EXTERNAL_GROUPS": "flock:1073742825,staff_:1073742826"}


def test_helper_alone_says_nothing_of_the_person(tmp_path: Path) -> None:
    of = site(login={**GITHUB, "git_credentials": True, "git_identity": False, "scope": ["public_repo", "read:org"]})
    (tmp_path / "hub").mkdir()
    made = files(started(tmp_path / "hub", of, state(**PERSON))[0])
    assert made.keys() == {"/etc/henhouse/gitconfig", "/etc/henhouse/git-credential"}
    found = read_by_git(tmp_path, made["/etc/henhouse/gitconfig"])
    assert found["credential.https://github.com.helper"] == "/etc/henhouse/git-credential https://github.com"
    assert "user.name" not in found
    assert made["/etc/henhouse/git-credential"].startswith("#!/usr/bin/env -S python3 -I\n")
