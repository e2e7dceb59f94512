"""What a site meets with the official hosts, made by hand on a machine without `mirrors`: waited out, or named."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest

from converge.items import Package
from converge.render import render
from converge.role import Role
from tests.converge.scripts import MACHINE, Answer, RackShell
from tests.official.conftest import AUTHORITY, roles_with
from tests.official.layout import MINOR, SUITE, Official
from tests.official.server import DOCKER, SECURITY

pytestmark = pytest.mark.official

LISTS: Final = "/var/lib/apt/henhouse-lists"


def fetch_again(machine: RackShell, role: Role) -> Answer:
    """Apply the role of the sources to a machine that has no lists yet."""
    machine.run(f"rm -rf {LISTS} /var/lib/apt/lists/*_*")
    return machine.apply(role)


HOLDS: Final = """grep -q ":$(stat --format=%i {lock}) " /proc/locks"""
PERIODIC: Final = 'APT::Periodic::Enable "1"; APT::Periodic::Update-Package-Lists "always";'


def while_it_runs(
    machine: RackShell, role: Role, program: str, *, busy: str, release: Callable[[], object]
) -> tuple[Answer, str]:
    """Apply a role while another program is busy, which ends once the role waits; return what the role said too."""
    machine.run("rm -f /run/said; cat >/run/script", render(role, MACHINE))
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(machine.run, program)
        try:
            until(machine, busy)
            applying = pool.submit(machine.run, "bash /run/script apply 2>/run/said")
            until(machine, "grep -q '^waiting: ' /run/said")
        finally:
            release()
        answer = applying.result()
        assert other.result().status == 0, other.result()
    return answer, machine.run("cat /run/said").stdout


def until(machine: RackShell, condition: str) -> None:
    """Wait for a minute."""
    done = machine.run(f"for try in $(seq 300); do {{ {condition}; }} && exit 0; sleep 0.2; done; exit 1")
    assert done.status == 0, f"{condition}: {machine.run('cat /run/said').stdout}"


def test_unattended_upgrade_is_waited_for(installed: RackShell, official: Official) -> None:
    """It takes the update from a source with the fields of Debian's own security archive, and no other."""
    install = "apt-get install --yes --no-install-recommends unattended-upgrades demo=1.0-1"
    assert installed.run(f"DEBIAN_FRONTEND=noninteractive {install}").status == 0
    answer, said = while_it_runs(
        installed,
        Role("more", (Package("jq"),)),
        "unattended-upgrade",
        busy="test -e /run/upgrading",
        release=lambda: installed.run("touch /run/go"),
    )
    assert answer.status == 0, said
    # dpkg's own words, as something is half installed; and apt's.
    assert re.search(
        r"waiting: (lock was locked by /usr/bin/python3|Could not get lock /var/lib/dpkg/lock-frontend)", said
    )
    assert installed.run("dpkg-query --show --showformat='${Version}' demo").stdout == "1.0-1+deb13u1"
    assert installed.run("dpkg-query --show --showformat='${db:Status-Status}' jq").stdout == "installed"


def test_daily_update_of_the_lists_is_waited_for(
    installed: RackShell, official: Official, roles: Mapping[str, Role]
) -> None:
    official.stall(f"/debian-security/dists/{SUITE}-security/InRelease")
    installed.run(f"echo '{PERIODIC}' >/etc/apt/apt.conf.d/99test; rm -f {LISTS}")
    answer, said = while_it_runs(
        installed,
        roles["sources"],
        "/usr/lib/apt/apt.systemd.daily update",
        busy=HOLDS.format(lock="/var/lib/apt/lists/lock"),
        release=official.stall,
    )
    installed.run("rm /etc/apt/apt.conf.d/99test")
    assert answer.status == 0, said
    assert "waiting: Could not get lock /var/lib/apt/lists/lock" in said


def test_download_of_packages_is_waited_for(installed: RackShell, official: Official) -> None:
    file = installed.run(
        "apt-get install --print-uris --yes tcpdump | grep --only-matching '/debian/pool[^ ]*tcpdump_[^ ]*deb'"
    )
    official.stall(file.stdout.strip())
    answer, said = while_it_runs(
        installed,
        Role("more", (Package("rsync"),)),
        "apt-get install --download-only --yes tcpdump",
        busy=HOLDS.format(lock="/var/cache/apt/archives/lock"),
        release=official.stall,
    )
    assert answer.status == 0, said
    assert "waiting: Could not get lock /var/cache/apt/archives/lock" in said


FAKETIME: Final = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@pytest.fixture
def in_1970(installed: RackShell) -> Iterator[RackShell]:
    """Provide the machine with a clock whose battery is empty: to all of its programs it is 1970."""
    assert installed.run("apt-get install --yes libfaketime").status == 0
    installed.run("echo '@1970-01-01 00:01:00' >/etc/faketimerc")
    installed.run(f"echo {FAKETIME} >/etc/ld.so.preload")
    assert installed.run("date --utc +%Y").stdout == "1970\n"
    yield installed
    installed.run("rm /etc/ld.so.preload")


@pytest.mark.parametrize("prepare", [":", "dpkg --purge --force-depends ca-certificates; rm -rf /etc/ssl/certs"])
def test_clock_of_1970_is_named(in_1970: RackShell, roles: Mapping[str, Role], prepare: str) -> None:
    in_1970.run(prepare)
    answer = fetch_again(in_1970, roles["sources"])
    assert answer.status != 0
    assert "the clock of chick0 is behind: it says 1970-01-01 00:0" in answer.stderr, answer.stderr
    assert "Set it on the machine, for example: date --utc --set '20" in answer.stderr
    in_1970.run("rm /etc/ld.so.preload")
    assert in_1970.apply(roles["sources"]).status == 0


@pytest.mark.parametrize(
    "missing", ["dpkg --purge --force-depends ca-certificates; rm -rf /etc/ssl/certs", "rm -rf /etc/ssl/certs"]
)
def test_missing_authorities_come_before_the_first_secure_source(
    installed: RackShell, roles: Mapping[str, Role], missing: str
) -> None:
    installed.run(missing)
    assert installed.check(roles["sources"]).differences != []
    answer = fetch_again(installed, roles["sources"])
    assert answer.status == 0, answer.stderr


def test_authority_that_the_machine_does_not_know_is_named(installed: RackShell, roles: Mapping[str, Role]) -> None:
    installed.run(f"mv {AUTHORITY} /root/; update-ca-certificates --fresh")
    answer = fetch_again(installed, roles["sources"])
    installed.run(f"mv /root/campus.crt {AUTHORITY}; update-ca-certificates")
    assert answer.status != 0
    assert f"chick0 does not accept the certificate of https://{DOCKER}/" in answer.stderr
    assert installed.apply(roles["sources"]).status == 0


def test_security_archive_that_is_behind_is_named(
    installed: RackShell, official: Official, roles: Mapping[str, Role]
) -> None:
    official.security(valid_for=timedelta(hours=-1))
    answer = fetch_again(installed, roles["sources"])
    official.security()
    assert answer.status != 0
    assert (
        f"the Release of http://{SECURITY}/debian-security/dists/{SUITE}-security/InRelease expired on" in answer.stderr
    )
    assert installed.apply(roles["sources"]).status == 0


def test_key_that_was_not_renewed_here_is_named(
    installed: RackShell, official: Official, roles: Mapping[str, Role]
) -> None:
    answer = fetch_again(installed, roles_with(official.keys.kubernetes_expired)["sources"])
    assert answer.status != 0
    assert "the key that signs https://" in answer.stderr, answer.stderr
    assert "docs/mirrors.md says how" in answer.stderr
    assert installed.apply(roles["sources"]).status == 0


KUBERNETES: Final = ("kubelet", "kubeadm", "kubectl")


def test_newer_kubelet_is_not_downgraded(installed: RackShell, official: Official, roles: Mapping[str, Role]) -> None:
    newer = f"{MINOR}.99-1.1"
    official.kubernetes(versions=dict.fromkeys(KUBERNETES, newer))
    installed.run("apt-get update; apt-get install --yes --allow-change-held-packages kubectl")
    official.kubernetes()
    assert fetch_again(installed, roles["sources"]).status == 0
    answer = installed.apply(roles["kubernetes"])
    assert answer.status != 0
    assert f"kubectl is {newer} on chick0, newer than" in answer.stderr
    installed.run("dpkg --purge --force-all kubectl")
    assert installed.apply(roles["kubernetes"]).status == 0


def test_repository_of_another_minor_is_named(
    installed: RackShell, official: Official, roles: Mapping[str, Role]
) -> None:
    official.kubernetes(versions=dict.fromkeys(KUBERNETES, "1.35.9-1.1"))
    installed.run("dpkg --purge --force-all kubectl")
    assert fetch_again(installed, roles["sources"]).status == 0
    answer = installed.apply(roles["kubernetes"])
    official.kubernetes()
    assert answer.status != 0
    assert f"no candidate for kubectl={MINOR}" in answer.stderr
    assert "the repositories offer 1.35.9-1.1" in answer.stderr
    # The lists of a minute ago are older than the repository.
    assert installed.apply(roles["kubernetes"]).status == 0
