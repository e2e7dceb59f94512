"""Shared directories in the pods of people who are, and are not, in the groups of the settings."""

import json
from typing import Any, Final

import kubernetes_validate
import pytest

from programs.homes.names import ACCOUNT_UIDS, ORGANIZATION_GIDS
from programs.hub.sharing import MOST_GROUPS, SHARED, numbers, own_group
from stacks.settings.shares import SHARE_GIDS, gid_of
from stacks.versions import SITE
from tests.programs.hub.asking import SECRETS, ask, site
from tests.programs.hub.provisioner import running_provisioner
from tests.stacks.logins import GITHUB
from tests.test_pods import broken

SHARES: Final[dict[str, dict[str, Any]]] = {
    "datasets": {},
    "project": {"access": "read-write", "groups": ["Astronomy"], "mount_path": "/srv/project"},
    "scratch": {"access": "read-write"},
    "software": {"access": "read-write", "write_groups": ["maintainers"]},
    "fold": {"access": "read-write", "groups": ["barn:staff"]},
    "exam": {"groups": ["teachers"], "gid": 2000},
    "games": {"access": "read-write", "groups": ["pupils"], "write_groups": ["teachers"], "gid": 2001},
}


OTHER: Final = {
    "extraVolumes": [{"name": "share-other", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "share-other", "mountPath": "/srv/other"}],
}
WANTED: Final = {
    "groups": ["teachers"],
    "volumes": [{"name": "share-exam", "persistentVolumeClaim": {"claimName": "share-exam"}}],
    "volume_mounts": [{"name": "share-exam", "mountPath": "/exam"}],
    "kubespawner_override": {"supplemental_gids": [2000]},
}
"""What a person may say who asks for a server by the API."""


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return those of one person: in no group, in some, as a member of an organization, in no group again, in a
    team."""
    starts: list[dict[str, Any]] = [
        {},
        {"groups": ["maintainers", "Astronomy"]},
        {"groups": ["pupils"], "organizations": {"astronomy": 1073742825, "games": 1073742826}},
        {"groups": ["teachers"]},
        {"groups": ["astronomy", "Teachers", "maintainers "]},
        {"options": WANTED},
        {"groups": ["barn:staff"], "organizations": {"barn": 1073742827}},
    ]
    directory, asked = tmp_path_factory.mktemp("hub"), [json.dumps(start) for start in starts]
    login = {**GITHUB, "organization_groups": True}
    of = site(shares=SHARES, singleuser={"storage": OTHER}, login=login)
    with running_provisioner(tmp_path_factory.mktemp("provisioner")) as provisioner:
        secrets = {**SECRETS, **provisioner.secrets, "client-secret": "x"}
        found: list[Any] = ask(directory, "shared", "ada", *asked, of=of, provisioner=provisioner.url, secrets=secrets)
    return found


def mounts(pod: Any) -> dict[str, str]:
    """Return by path whether a shared directory is read or written there, and see to it that its volume fits."""
    volumes = {each["name"]: each.get("persistentVolumeClaim") for each in pod["spec"]["volumes"]}
    ours = {f"share-{name}" for name in SHARES}
    shared = [each for each in pod["spec"]["containers"][0]["volumeMounts"] if each["name"] in ours]
    assert {each["name"] for each in shared} == ours & volumes.keys()
    for each in shared:
        assert volumes[each["name"]]["claimName"] == each["name"]
        only_read = SHARES[each["name"].removeprefix("share-")].get("access", "read-only") == "read-only"
        assert volumes[each["name"]].get("readOnly", False) is only_read
    return {each["mountPath"]: "ro" if each.get("readOnly") else "rw" for each in shared}


def groups(pod: Any) -> dict[str, int]:
    """Return the person's groups by name beside their own and `users`, and see to it that the pod has their numbers."""
    lines = [line.split(":") for line in pod["metadata"]["annotations"]["henhouse.internal/group"].splitlines()]
    found = {name: int(number) for name, _, number, members in lines if members == "ada" and name != "users"}
    assert set(pod["spec"]["securityContext"]["supplementalGroups"]) == {100, *found.values()}
    assert len({line[0] for line in lines}) == len(lines)
    return found


FOR_ALL: Final = {"/datasets": "ro", "/scratch": "rw", "/software": "ro"}
SCRATCH: Final = {"scratch": gid_of("scratch")}


@pytest.mark.programs
def test_who_is_in_no_group_has_what_is_for_everyone(pods: list[Any]) -> None:
    assert mounts(pods[0]) == FOR_ALL
    assert groups(pods[0]) == SCRATCH


@pytest.mark.programs
def test_who_is_in_a_group_has_its_directory_and_its_number(pods: list[Any]) -> None:
    assert mounts(pods[1]) == {**FOR_ALL, "/srv/project": "rw", "/software": "rw"}
    assert groups(pods[1]) == {**SCRATCH, "project": gid_of("project"), "software": gid_of("software")}


@pytest.mark.programs
def test_organizations_of_a_login_are_groups_too(pods: list[Any]) -> None:
    assert mounts(pods[2]) == {**FOR_ALL, "/srv/project": "rw", "/games": "ro"}
    of_login = {"astronomy": 1073742825, "games_": 1073742826}
    assert groups(pods[2]) == {**SCRATCH, "project": gid_of("project"), **of_login}, "who only reads has no number"


@pytest.mark.programs
def test_team_has_its_directory_and_no_number_of_its_own(pods: list[Any]) -> None:
    """A colon in the name of a group would break the server's /etc/group."""
    assert mounts(pods[6]) == {**FOR_ALL, "/fold": "rw"}
    assert groups(pods[6]) == {**SCRATCH, "fold": gid_of("fold"), "barn": 1073742827}


@pytest.mark.programs
def test_who_writes_has_the_directory_without_being_named_twice(pods: list[Any]) -> None:
    assert mounts(pods[3]) == {**FOR_ALL, "/exam": "ro", "/games": "rw"}
    assert groups(pods[3]) == {**SCRATCH, "exam": 2000, "games_": 2001}


@pytest.mark.programs
def test_who_lost_a_group_has_lost_its_directory_at_the_next_start(pods: list[Any]) -> None:
    """The names of groups are compared letter by letter, but for those of organizations."""
    assert mounts(pods[4]) == FOR_ALL
    assert groups(pods[4]) == SCRATCH


@pytest.mark.programs
def test_variable_names_the_groups_that_id_names(pods: list[Any]) -> None:
    for pod in pods:
        told = {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}
        named = [f"{name}:{number}" for name, number in groups(pod).items()]
        assert sorted(told["EXTERNAL_GROUPS"].split(",")) == sorted(named)


@pytest.mark.programs
def test_pods_are_valid_and_restricted_and_have_no_groups_of_their_image(pods: list[Any]) -> None:
    minor = ".".join(SITE["kubernetes"].split(".")[:2])
    for pod in pods:
        assert pod["spec"]["securityContext"]["supplementalGroupsPolicy"] == "Strict", "no groups of the image"
        kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, minor, strict=True)
        assert broken(pod["spec"]) == [], "the API server would refuse it"
        (home,) = (each for each in pod["spec"]["containers"][0]["volumeMounts"] if each["name"] == "home")
        assert home["subPath"] == "home-of-ada"


@pytest.mark.programs
def test_what_the_site_adds_itself_stays(pods: list[Any]) -> None:
    for pod in pods:
        assert {"name": "share-other", "emptyDir": {}} in pod["spec"]["volumes"]


@pytest.mark.programs
def test_options_of_a_server_open_no_directory(pods: list[Any]) -> None:
    """The hub looks at groups, and not at what was asked for."""
    assert mounts(pods[5]) == FOR_ALL
    assert groups(pods[5]) == SCRATCH


def numbered(**gids: int) -> list[dict[str, Any]]:
    return [{"name": name, "gid": gid} for name, gid in gids.items()]


ORGANIZATIONS: Final = {f"org-{number}": 2**30 + number for number in range(MOST_GROUPS)}


@pytest.mark.parametrize(
    ("shares", "organizations", "found"),
    [
        ({}, {"flock": 5}, {"flock": 5}),
        ({"project": 7}, {}, {"project": 7}),
        ({"project": 7, "scratch": 7}, {}, {"project": 7}),
        ({"project": 5}, {"flock": 5}, {"flock": 5}),
        ({"flock": 7}, {"flock": 5}, {"flock_share": 7, "flock": 5}),
        ({"project": 7}, ORGANIZATIONS, {"project": 7, **dict(list(ORGANIZATIONS.items())[: MOST_GROUPS - 1])}),
        ({"a": 2**30 + MOST_GROUPS - 1}, ORGANIZATIONS, ORGANIZATIONS),
    ],
)
def test_numbers_of_shares_come_first_and_are_as_many_as_nfs_carries(
    shares: dict[str, int], organizations: dict[str, int], found: dict[str, int]
) -> None:
    assert numbers(numbered(**shares), organizations) == found


@pytest.mark.parametrize(
    ("gid", "group"),
    [
        (100007, 100007),
        (100, 100),
        (5000, 5000),
        (2000, 100007),
        (gid_of("project"), 100007),
        (gid_of("removed"), 100007),
        (ORGANIZATION_GIDS.start + 42, 100007),
    ],
)
def test_group_of_the_home_makes_no_member_of_what_is_shared(gid: int, group: int) -> None:
    """Its owner can give it to any group that they are in, and are in no more."""
    assert own_group(100007, gid, numbered(exam=2000, project=gid_of("project"))) == group


def test_numbers_of_what_is_shared_are_told_from_those_of_people() -> None:
    for ids in (SHARE_GIDS, ORGANIZATION_GIDS):
        assert ids.start in SHARED
        assert ids[-1] in SHARED
    assert ACCOUNT_UIDS[-1] not in SHARED
