"""A living site gets directories that a group shares, and has them no more. A part of `make chaos`.

Its datasets, which no program destroys, are destroyed here as a person would, so that the pool is as before.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

import pytest

from stacks.settings.shares import gid_of
from tests.acceptance.site import (
    Clock,
    drift,
    edit,
    edited,
    in_the_pod,
    kubectl,
    on,
    password,
    pulumi,
    state,
)
from tests.acceptance.visitor import Answer, Visitor, visitor
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

FIRST: Final = "ada"
SECOND: Final = "grace"
OUTSIDER: Final = "eve"
GROUP: Final = "astronomers"
NODE: Final = "chick2"
"""The rack's only machine for user servers."""
PROJECT: Final = "/srv/project"
DATASETS: Final = "/datasets"
SHARES: Final[Mapping[str, Any]] = {
    "project": {"access": "read-write", "groups": [GROUP], "mount_path": PROJECT},
    "datasets": {"groups": [GROUP]},
}
CLAIMS: Final = tuple(f"share-{name}" for name in SHARES)
CATALOGUE: Final = "Rigel Deneb"
USERS: Final = 100
"""The group `users`, which every server has."""


def test_group_works_in_a_directory_that_others_do_not_have(clock: Clock) -> None:
    before = file_server()
    assert not [name for name in SHARES if f"nest/{name}" in before], "destroy it by hand: this test destroys its own"
    token = secrets.token_hex(16)
    with ExitStack() as stack:
        people = {name: stack.enter_context(visitor()) for name in (FIRST, SECOND, OUTSIDER)}
        for name, person in people.items():
            assert person.log_in(name, password())
            person.stop(name)
        stack.enter_context(nothing_left())
        with clock.timing("shares: added, used, removed"), edited(settings(token), leaving=partial(let_go, token)):
            make_group(token)
            fill_datasets()
            for name in (FIRST, SECOND, OUTSIDER):
                starts(people[name], name)
            for name in (FIRST, SECOND):
                has_the_directories(name)
                only_reads_datasets(name)
            work_together()
            has_no_directory(OUTSIDER)
            is_kept_out_by_modes(OUTSIDER)
            no_drift()
            removal_is_refused_while_protected()
            for name in (FIRST, SECOND, OUTSIDER):
                people[name].stop(name)
        files_stay_and_are_not_exported()
        starts(people[FIRST], FIRST)
        has_no_directory(FIRST)
        no_drift()
        people[FIRST].stop(FIRST)
    assert file_server() == before


def file_server() -> list[str]:
    """Return the pool's datasets, what is at their mount points, the exports and the units of the file server."""
    looked = (
        "zfs list -H -o name",
        "ls --almost-all /nest",
        "exportfs -s",
        "find /etc/systemd/system /etc/exports.d",
    )
    return sorted(on("hen", "; ".join(looked)).splitlines())


def settings(token: str) -> dict[str, Any]:
    """Return the settings of the shares, and of a service that makes groups: `dummy` lets no administrator in."""
    maker = {
        "services": {"group-maker": {"apiToken": token}},
        "loadRoles": {"group-maker": {"scopes": ["admin:groups"], "services": ["group-maker"]}},
    }
    return {"storage": {"shares": SHARES}, "hub": maker}


def make_group(token: str) -> None:
    """Put two of the people into a group."""
    as_service(token, "DELETE", f"/groups/{GROUP}")  # of a run that was killed
    made = as_service(token, "POST", f"/groups/{GROUP}", {"users": [FIRST, SECOND]})
    assert made.status == 201, made


def as_service(token: str, method: str, path: str, body: Any = None) -> Answer:
    """Call the hub's API with the service's token."""
    options = ("--header", f"Authorization: token {token}", "--request", method, "--data", json.dumps(body or {}))
    with visitor() as program:
        return program.ask(f"/hub/api{path}", *options)


def fill_datasets() -> None:
    """Fill the directory that is only read, as the documentation says."""
    directory, group = "/nest/datasets", gid_of("datasets")
    own = f"chgrp --recursive {group} {directory}; chmod --recursive g+rX {directory}"
    # The last, so that it is not the file's mode that refuses a write.
    on("hen", f"set -e; echo {CATALOGUE} >{directory}/stars; {own}; chmod g+w {directory}/stars")


def starts(person: Visitor, name: str) -> None:
    """Start a person's server, and say why where it does not run."""
    try:
        asked = person.start(name)
        assert asked.status < 400, asked
        assert person.runs(name), f"{name}'s server does not run"
    except AssertionError:
        print(kubectl("--namespace", "users", "get", "events", "--sort-by=.lastTimestamp", check=False))
        raise


def mounts(name: str) -> dict[str, tuple[str, set[str]]]:
    """Return by path the directory of the file server that a server has there, and the options."""
    lines = [line.split() for line in in_the_pod(name, "cat /proc/mounts").splitlines()]
    return {
        path: (source.partition(":")[2], set(options.split(",")))
        for source, path, kind, options, *_ in lines
        if kind == "nfs4"
    }


def has_the_directories(name: str) -> None:
    """See both directories with their options, modes and owners, and the person in their groups."""
    found = mounts(name)
    for share, path, access in (("project", PROJECT, "rw"), ("datasets", DATASETS, "ro")):
        assert path in found, f"{name} has no {path}: {found}"
        source, options = found[path]
        assert source == f"/nest/{share}"
        assert {access, "vers=4.2"} <= options, f"{path}: {options}"
    # runc mounts these again for a pod without its machine's nosuid: there, a program has no use of the bit.
    assert all({"nosuid", "nodev"} <= set(line.split()[3].split(",")) for line in mounted_on_the_worker())
    assert in_the_pod(name, "grep ^NoNewPrivs: /proc/1/status").split() == ["NoNewPrivs:", "1"]
    seen = in_the_pod(name, f"stat --format '%a %u %g %G' {PROJECT} {DATASETS}").splitlines()
    assert seen == [f"2770 0 {gid_of('project')} project", f"750 0 {gid_of('datasets')} datasets"]
    assert names_of_groups(name) == {name, "users", *SHARES}
    # kubectl's shell could have other groups than the server that the kubelet has started.
    own = int(in_the_pod(name, "id --group"))
    _, *groups = in_the_pod(name, "grep ^Groups: /proc/1/status").split()
    assert {own, *map(int, groups)} == {own, USERS, *map(gid_of, SHARES)}


def names_of_groups(name: str) -> set[str]:
    """Return what `id` calls the groups of a person's server; a number where it knows no name."""
    return set(in_the_pod(name, "id --groups --name").split())


def only_reads_datasets(name: str) -> None:
    """Read what the administrators have put there, and change nothing of it."""
    file = f"{DATASETS}/stars"
    assert in_the_pod(name, f"cat {file}").strip() == CATALOGUE
    for attempt in (f"touch {DATASETS}/mine", f"echo mine >>{file}", f"rm --force {file}"):
        refusal = in_the_pod(name, f"({attempt}) 2>&1 || true")
        assert "Read-only file system" in refusal, f"{name}: {attempt}: {refusal or 'done'}"
    assert on("hen", "ls /nest/datasets; cat /nest/datasets/stars").splitlines() == ["stars", CATALOGUE]


def work_together() -> None:
    """Let each of the two change, rename and remove what the other has made, whatever umask the other has."""
    group = gid_of("project")
    make = "umask 077; echo first >letter; mkdir folder; echo first >folder/page; echo first >scrap"
    in_the_pod(FIRST, f"set -e; cd {PROJECT}; {make}")
    made = in_the_pod(FIRST, f"cd {PROJECT}; stat --format '%n %a %g' letter folder folder/page").splitlines()
    assert made == [f"letter 660 {group}", f"folder 2770 {group}", f"folder/page 660 {group}"]
    change = "echo second >>letter; echo second >>folder/page; mv folder/page folder/leaf; rm scrap; echo second >reply"
    assert in_the_pod(SECOND, f"set -e; cd {PROJECT}; cat letter; {change}") == "first\n"
    assert in_the_pod(FIRST, f"set -e; cd {PROJECT}; cat letter folder/leaf") == "first\nsecond\n" * 2
    in_the_pod(FIRST, f"set -e; cd {PROJECT}; echo first >>reply; mv reply folder")
    first, second = (in_the_pod(name, "id --user").strip() for name in (FIRST, SECOND))
    there = on("hen", "cd /nest/project && stat --format '%n %u %g' letter folder/leaf folder/reply; ls").splitlines()
    owners = [f"letter {first} {group}", f"folder/leaf {first} {group}", f"folder/reply {second} {group}"]
    assert there == [*owners, "folder", "letter"]


def has_no_directory(name: str) -> None:
    """See nothing but the home of the file server in a person's server, by whatever path, and no group of a share."""
    found = mounts(name)
    assert found, f"{name} has no home: this looks at the wrong mounts"
    assert not {path: source for path, (source, _) in found.items() if not source.startswith("/nest/homes")}
    ways = (PROJECT, DATASETS, "/project", "/nest", "~/../project", "~/../../nest", "/proc/1/root/nest")
    assert in_the_pod(name, f"for way in {' '.join(ways)}; do test -e $way && echo $way; done; true") == ""
    assert names_of_groups(name) == {name, "users"}


def is_kept_out_by_modes(name: str) -> None:
    """Ask the file server's own kernel, as if the directories were mounted where the person is."""
    uid = in_the_pod(name, "id --user").strip()
    for share in SHARES:
        looks = f"setpriv --reuid {uid} --regid {uid} {{}} ls /nest/{share} 2>&1 || true"
        assert "Permission denied" in on("hen", looks.format("--clear-groups"))
        member = on("hen", looks.format(f"--groups {gid_of(share)}"))
        assert "Permission denied" not in member, "where no one is let in, a refusal shows nothing"


def no_drift() -> None:
    """See machines and cluster as the stack declares them."""
    found = drift()
    assert not any(found.values()), found


def removal_is_refused_while_protected() -> None:
    """Plan the site without its shares."""
    edit({"storage": {"shares": None}})
    refused = pulumi("preview", check=False)
    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert "cannot be deleted" in said
    assert "because it is protected" in said
    assert any(f"homes-share-{name}" in said for name in SHARES)


def let_go(token: str) -> None:
    """End the servers that have the directories, and let the stack forget these; have the group no more."""
    as_service(token, "DELETE", f"/groups/{GROUP}")
    pods = [f"jupyter-{name}" for name in (FIRST, SECOND, OUTSIDER)]
    kubectl("--namespace", "users", "delete", "pods", *pods, "--ignore-not-found", "--timeout=2m")
    # A mount whose export has gone could not be ended.
    eventually("the end of the worker's mounts", lambda: not mounted_on_the_worker(), seconds=120)
    names = tuple(f"::homes-share-{name}-{kind}" for name in SHARES for kind in ("volume", "claim"))
    resources = state()["deployment"]["resources"]
    for urn in [each["urn"] for each in resources if each["urn"].endswith(names) and each.get("protect")]:
        pulumi("state", "unprotect", "--yes", urn)


def mounted_on_the_worker() -> list[str]:
    """Return the lines of shares in the table of mounts of the machine for user servers."""
    lines = on(NODE, "cat /proc/mounts").splitlines()
    return [line for line in lines if any(f":/nest/{name} " in line for name in SHARES)]


def files_stay_and_are_not_exported() -> None:
    """Look at the file server after the removal."""
    exported = on("hen", "exportfs -s")
    assert "/nest/homes" in exported
    assert not [name for name in SHARES if f"/nest/{name}" in exported], exported
    for name in SHARES:
        assert on("hen", f"findmnt --noheadings --output SOURCE,FSTYPE /nest/{name}").split() == [f"nest/{name}", "zfs"]
    assert on("hen", "cat /nest/project/letter /nest/datasets/stars").splitlines() == ["first", "second", CATALOGUE]


@contextmanager
def nothing_left() -> Iterator[None]:
    """Remove at the end what the stack has only forgotten, from the cluster and from the pool."""
    try:
        yield
    finally:
        gone = ("--ignore-not-found", "--timeout=2m")
        kubectl("--namespace", "users", "delete", "persistentvolumeclaims", *CLAIMS, *gone)
        kubectl("delete", "persistentvolumes", *CLAIMS, *gone)
        for name in SHARES:
            eventually(f"the end of nest/{name}", partial(destroyed, name), seconds=120)
        on("hen", "rm --force /etc/systemd/system/nfs-server.service.d/shares.conf; systemctl daemon-reload")


def destroyed(name: str) -> bool:
    """Unmount and destroy the dataset of a share; say whether there is nothing of it. Parts of it may be there."""
    unit, directory = f"nest-{name}.mount", f"/nest/{name}"
    steps = (
        f"systemctl disable --now {unit} 2>/dev/null || true",
        f"if mountpoint --quiet {directory}; then exit 1; fi",
        f"rm --force /etc/systemd/system/{unit}",
        f"if zfs list nest/{name} >/dev/null 2>&1; then zfs destroy nest/{name}; fi",
        f"if test -d {directory}; then rmdir {directory}; fi",
        "echo destroyed",
    )
    return on("hen", f"set -e; {'; '.join(steps)}").strip() == "destroyed"
