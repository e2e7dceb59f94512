"""Directories that people share, as a site may write them and as it must not."""

from typing import Any, Final

import pytest

from programs.homes.names import ACCOUNT_UIDS, ORGANIZATION_GIDS
from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings import Site
from stacks.settings.shares import SHARE_GIDS, gid_of
from tests.stacks.logins import GITHUB
from tests.stacks.sites import changed, tree

WRITTEN: Final[dict[str, Any]] = {"access": "read-write"}


def parsed(shares: dict[str, Any], **more: Any) -> Site:
    return parse_settings(changed(tree("dev"), changed({"storage": {"shares": shares}}, more)))


def in_servers(**settings: object) -> dict[str, Any]:
    return {"hub": {"singleuser": settings}}


def mounted(path: str, name: str = "spool", **more: object) -> dict[str, Any]:
    storage = {
        "extraVolumes": [{"name": name, "emptyDir": {}}],
        "extraVolumeMounts": [{"name": name, "mountPath": path, **more}],
    }
    return in_servers(storage=storage)


def of_one_number() -> tuple[str, str]:
    """Return two names from which the same number follows: of some thousand there is such a pair."""
    seen: dict[int, str] = {}
    for number in range(10_000):
        name = f"share-{number}"
        if (gid := gid_of(name)) in seen:
            return seen[gid], name
        seen[gid] = name
    raise AssertionError("no pair")


ONE, OTHER = of_one_number()
MANY: Final = {f"share-{number}": {**WRITTEN, "gid": 2000 + number} for number in range(16)}

REFUSED: Final[list[tuple[dict[str, Any], dict[str, Any], str]]] = [
    *(
        ({name: {}}, {}, f"storage.shares.{name}")
        for name in ("Project", "1st", "-a", "a-", "a_b", "a.b", "a/b", "a b", "é", "", "x" * 41, "a\n")
    ),
    *(
        ({"a": {"mount_path": path}}, {}, "storage.shares.a.mount_path: ")
        for path in (
            "project",
            "/",
            "/a/",
            "//a",
            "/a//b",
            "/a/../b",
            "/a/.",
            "/.a",
            "/a b",
            "/{username}",
            "/a:b",
            "/é",
        )
    ),
    *(
        ({"a": {"mount_path": path}}, {}, f"storage.shares.a.mount_path: {path} ")
        for path in (
            *("/home", "/home/jovyan", "/home/jovyan/shared", "/etc", "/etc/passwd", "/etc/group", "/etc/henhouse"),
            *("/etc/henhouse/x", "/var/run/secrets", "/run", "/opt", "/usr", "/tmp", "/proc/x", "/sys", "/dev"),
        )
    ),
    ({"usr": {}}, {}, "storage.shares.usr.mount_path: /usr would hide what every program needs"),
    ({"homes": {}}, {}, "storage.shares.homes: is the dataset of the homes (storage.homes.dataset)"),
    (
        {"people": {}},
        {"storage": {"homes": {"dataset": "people"}}},
        "storage.shares.people: is the dataset of the homes",
    ),
    ({"a": {"access": "rw"}}, {}, "storage.shares.a.access: 'rw'"),
    ({"a": {"quota": "2TB"}}, {}, "storage.shares.a.quota: '2TB'"),
    ({"a": {"group": ["x"]}}, {}, "storage.shares.a.group: is not a setting"),
    ({"a": {"groups": [""]}}, {}, "storage.shares.a.groups.0"),
    # Whoever empties the list to keep everyone out would let everyone in.
    ({"a": {"groups": []}}, {}, "storage.shares.a.groups"),
    ({"a": {**WRITTEN, "write_groups": []}}, {}, "storage.shares.a.write_groups"),
    *(
        ({"a": {"mount_path": path}}, {}, f"storage.shares.a.mount_path: {path} is in ")
        for path in (
            "/usr/bin",
            "/usr/local/share/x",
            "/opt/conda",
            "/opt/conda/lib",
            "/lib/x86_64-linux-gnu",
            "/dev/shm",
        )
    ),
    ({"a": {"groups": "x"}}, {}, "storage.shares.a.groups"),
    ({"a": {"write_groups": ["x"]}}, {}, "write_groups need access: read-write"),
    ({"a": {"own_files": True}}, {}, "own_files needs access: read-write"),
    ({"a": {"gid": 2000}}, {}, "gid needs access: read-write, or groups"),
    ({"a": {**WRITTEN, "gid": 100}}, {}, "storage.shares.a.gid: 100"),
    ({"a": {**WRITTEN, "gid": 2**31}}, {}, "storage.shares.a.gid"),
    *(
        ({"a": {**WRITTEN, "gid": gid}}, {}, f"storage.shares.a.gid: {gid} may be a person's or the system's")
        for gid in (100000, 100001, 65534, 60000, ACCOUNT_UIDS.start, ACCOUNT_UIDS.stop - 1)
    ),
    (
        {"a": {**WRITTEN, "gid": ORGANIZATION_GIDS.start + 7}},
        {"storage": {"homes": {"first_uid": 2**30 + 1}}},
        "may be a person's or the system's",
    ),
    (
        {"a": {**WRITTEN, "gid": ORGANIZATION_GIDS.start + 7}},
        {"storage": {"homes": {"first_uid": 600_000_000}}},
        "may be a person's or the system's",
    ),
    ({ONE: WRITTEN, OTHER: WRITTEN}, {}, f"storage.shares.{OTHER}.gid: {gid_of(ONE)} follows from the name"),
    ({ONE: {**WRITTEN, "gid": gid_of(ONE)}, OTHER: WRITTEN}, {}, f"storage.shares.{OTHER}.gid: {gid_of(ONE)} follows"),
    (MANY, {}, "storage.shares: 16 groups own them, and NFS carries 15"),
    ({"a": {}, "b": {"mount_path": "/a"}}, {}, "storage.shares.b.mount_path: /a is also that of a"),
    ({"a": {}, "b": {"mount_path": "/a/b"}}, {}, "/a/b is inside /a, where the node can make no directory"),
    ({"a": {"mount_path": "/x/a"}, "x": {}}, {}, "/x/a is inside /x, where the node can make no directory"),
    ({"a": {}}, mounted("/a"), "extraVolumeMounts.0.mountPath: /a is in /a, the directory of storage.shares.a"),
    ({"a": {}}, mounted("/a/b/c"), "extraVolumeMounts.0.mountPath: /a/b/c is in /a"),
    (
        {"a": {"mount_path": "/x/a"}},
        mounted("/x", readOnly=True),
        "extraVolumeMounts.0.mountPath: /x is read-only, and the directory of storage.shares.a, /x/a, is in it",
    ),
    ({"a": {}}, mounted("/srv/x", "share-a"), "extraVolumes.0.name: share-a is the volume of storage.shares.a"),
    (
        {"a": {}},
        in_servers(extraFiles={"x": {"mountPath": "/a/x.txt", "stringData": "x"}}),
        "hub.singleuser.extraFiles.x.mountPath: /a/x.txt is in /a",
    ),
    (
        {"a": {"groups": ["flock:staff"]}},
        {"hub": {"login": GITHUB}},
        "storage.shares.a.groups.0: flock:staff is a team",
    ),
    (
        {"a": {**WRITTEN, "write_groups": ["x", "flock:staff"]}},
        {"hub": {"login": GITHUB}},
        "storage.shares.a.write_groups.1: flock:staff is a team",
    ),
]

ACCEPTED: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    ({}, {}),
    ({"project": WRITTEN, "scratch": {**WRITTEN, "own_files": True}, "datasets": {}, "software": {}}, {}),
    ({"a": {"groups": ["x"], "gid": 1000}, "b": {**WRITTEN, "gid": 1000}}, {}),
    ({"a": {**WRITTEN, "groups": ["x", "y z"], "write_groups": ["é"], "quota": "2Ti"}}, {}),
    *(({"a": {**WRITTEN, "gid": gid}}, {}) for gid in (1000, 59999, 65536, 99999, ORGANIZATION_GIDS.start + 7)),
    *(({"a": {"mount_path": path}}, {}) for path in ("/srv/a", "/mnt", "/home/shared", "/a.b_c-d/E", "/opt/site")),
    ({"a": {"mount_path": "/srv/a"}, "b": {"mount_path": "/srv/ab"}}, {}),
    ({"x" * 40: {}}, {}),
    ({"a": {"groups": ["flock:staff"]}}, {}),
    ({"a": {"mount_path": "/srv/spool/a"}}, mounted("/srv/spool")),
    (dict(list(MANY.items())[:15]), {}),
    ({name: {**share, "gid": 2000} for name, share in MANY.items()}, {}),
]


@pytest.mark.parametrize(("shares", "more", "says"), REFUSED, ids=[says[:70] for _, _, says in REFUSED])
def test_what_would_not_work_is_refused(shares: dict[str, Any], more: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(shares, **more)
    assert says in str(refused.value)


@pytest.mark.parametrize(("shares", "more"), ACCEPTED, ids=repr)
def test_what_a_site_may_share_is_accepted(shares: dict[str, Any], more: dict[str, Any]) -> None:
    parsed(shares, **more)


def test_nothing_is_shared_by_default_and_what_is_shared_is_read() -> None:
    assert parse_settings(tree("dev")).storage.shares == {}
    share = parsed({"datasets": {}}).storage.shares["datasets"]
    assert (share.read_only, share.path("datasets"), share.group("datasets")) == (True, "/datasets", None)


def test_numbers_that_follow_from_names_are_not_given_to_people() -> None:
    """Neither an account's, nor an organization's that the hub takes, nor more than Kubernetes takes."""
    assert ACCOUNT_UIDS.stop <= SHARE_GIDS.start < SHARE_GIDS.stop <= 2**31
    values = parsed({}, hub={"login": GITHUB}).hub.login.values("https://hub.example.org/callback")
    assert values["gids"] == [ORGANIZATION_GIDS.start, SHARE_GIDS.start]
    assert all(gid_of(f"share-{number}") in SHARE_GIDS for number in range(1000))
