"""What the machine's own apt does with sources and packages that a site meets: each fault is waited out, or said in
words that a person can act on."""

import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from components.machines.roles.sources import CONTRIB, deb822, package_sources
from converge.items import File, Package, PackageLists, Script
from converge.render import render
from converge.role import Role
from stacks.settings import AptRepositorySettings, MirrorsSettings
from tests.certificates import Authority
from tests.converge.repositories import FUTURE, PAST, Key, debian, flat
from tests.converge.scripts import MACHINE, Answer, LoopbackShell
from tests.engine.sshd import Server

SOURCE: Final = "/etc/apt/sources.list.d/test.sources"
WRITABLE: Final = ("/etc/apt", "/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt", "/var/log")
EXPIRED: Final = {"Date": "Sun, 01 Nov 2020 00:00:00 UTC", "Valid-Until": "Sun, 08 Nov 2020 09:30:00 UTC"}
AHEAD: Final = {"Date": "Tue, 01 Dec 2099 12:00:00 UTC"}

HOLDER: Final = r"""
open my $lock, '>>', $ARGV[0] or die;
my $whole = pack 's s x4 q q l x4', 1, 0, 0, 0, 0;  # F_WRLCK from SEEK_SET, 0, to the end
fcntl $lock, 6, $whole or die;  # F_SETLK
open my $held, '>', '/tmp/x/held'; close $held;
select undef, undef, undef, 0.1 until $ARGV[1] ne 'forever' && system('grep -q waiting /tmp/x/said') == 0;
"""


@pytest.fixture(scope="module")
def repositories(ssh_server: Server) -> Iterator[dict[str, str]]:
    """Provide the repositories below the machine's /tmp/apt, and the key of each."""
    root = ssh_server.files / "apt"
    with tempfile.TemporaryDirectory(prefix="gpg-") as short:
        key = Key.make(Path(short) / "k")
        other = Key.make(Path(short) / "o")
        old = Key.make(Path(short) / "e", "--faked-system-time", PAST, expire="30d")
        flat(root / "sound", key, versions="1.0-1 1.1-1")
        flat(root / "expired", key, fields=EXPIRED)
        flat(root / "ahead", key, fields=AHEAD)
        flat(root / "signed-ahead", key, "--faked-system-time", FUTURE, fields=AHEAD)
        flat(root / "other-key", other)
        copy = old.public
        old.gpg("--quick-set-expire", old.fingerprint, "0")
        flat(root / "old-key", old)
        debian(root / "debian", key)
        yield {
            **dict.fromkeys(("sound", "expired", "ahead", "signed-ahead", "other-key", "debian"), key.public),
            "old-key": copy,
        }
        for home in (key.home, other.home, old.home):
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
    shutil.rmtree(root)


@pytest.fixture
def machine(shell: LoopbackShell, repositories: dict[str, str]) -> Iterator[LoopbackShell]:
    """Provide a machine on which apt and dpkg may write, and that has no source."""
    mounted = " ".join(WRITABLE)
    done = shell.run(
        f"set -e; for each in {mounted}; do mkdir -p /tmp/x/copy$each; cp -a $each/. /tmp/x/copy$each; "
        "mount -t tmpfs none $each; cp -a /tmp/x/copy$each/. $each; done; "
        "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/henhouse-lists; "
        "rm -rf /var/lib/apt/lists; "
        "mkdir -p /etc/apt/keyrings /var/lib/apt/lists/partial /var/cache/apt/archives/partial; "
        # The user _apt may not enter the test's own directories.
        "echo 'APT::Sandbox::User \"root\";' >/etc/apt/apt.conf.d/99test"
    )
    assert done.status == 0, done.stderr
    yield shell
    shell.run(f"umount {mounted}")


def sources(name: str, key: str, *, check_valid_until: bool = True) -> Role:
    """Return the role with one of the repositories."""
    repository = AptRepositorySettings(url="http://unused.example.org", suite="./", check_valid_until=check_valid_until)
    text = re.sub("URIs: .*", f"URIs: file:/tmp/apt/{name}", deb822(repository, "/etc/apt/keyrings/test.asc"))
    keyring = "/etc/apt/keyrings/test.asc"
    return Role("sources", (File(keyring, key), File(SOURCE, text), PackageLists((keyring, SOURCE))))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "expired",
            r"the Release of file:/tmp/apt/expired/\./InRelease expired on 2020-11-08 09:30 UTC, "
            r"and the clock of chick0 says 2\d\d\d-.*check_valid_until: false",
        ),
        (
            "ahead",
            r"the clock of chick0 is behind: it says 2\d\d\d-.* and the Release of file:/tmp/apt/ahead/\./InRelease "
            r"is of 2099-12-01 1[12]:\d\d UTC\. Set it on the machine, .* date --utc --set '2099-12-01",
        ),
        (
            "signed-ahead",
            r"the clock of chick0 is behind: .* the signature of file:/tmp/apt/signed-ahead is of 2099-12-01 11:30 UTC",
        ),
        ("other-key", r"file:/tmp/apt/other-key is signed by the key [0-9A-F]{40}, which is not in its signed_by"),
        ("old-key", r"the key that signs file:/tmp/apt/old-key has expired.*docs/mirrors\.md"),
    ],
)
def test_source_that_apt_refuses_is_explained(
    machine: LoopbackShell, repositories: dict[str, str], name: str, said: str
) -> None:
    role = sources(name, repositories.get(name, repositories["sound"]))
    for _ in range(2):
        answer = machine.apply(role)
        assert answer.status != 0
        assert re.search(said, answer.stderr), answer.stderr
        assert "package lists of these sources: failed" in answer.stderr


def test_certificate_that_is_not_accepted_leads_to_the_clock(
    machine: LoopbackShell, repositories: dict[str, str], tmp_path: Path
) -> None:
    certificate, key = Authority().issue("apt.example.org")
    (tmp_path / "pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        keyring, source, lists = sources("sound", repositories["sound"]).items
        assert isinstance(source, File)
        elsewhere = File(SOURCE, (source.content or "").replace("file:/tmp/apt/sound", url))
        answer = machine.apply(Role("sources", (keyring, elsewhere, lists)))
        server.shutdown()
    assert answer.status != 0
    assert f"chick0 does not accept the certificate of {url}/" in answer.stderr
    assert re.search(r"Its clock says 2\d\d\d-\d\d-\d\d \d\d:\d\d UTC: is that right", answer.stderr)


def test_expired_source_is_taken_where_the_settings_say_so(
    machine: LoopbackShell, repositories: dict[str, str]
) -> None:
    role = sources("expired", repositories["expired"], check_valid_until=False)
    assert machine.apply(role).status == 0
    assert machine.check(role).differences == []


def test_lists_are_fetched_again_when_their_source_is_newer(
    machine: LoopbackShell, repositories: dict[str, str]
) -> None:
    role = sources("sound", repositories["sound"])
    assert machine.check(role).found["package lists of these sources"] == "never fetched"
    machine.apply(role)
    assert machine.check(role).differences == []
    machine.run(f"touch {SOURCE}")
    assert machine.check(role).found == {"package lists of these sources": f"older than {SOURCE}"}
    machine.apply(role)
    assert machine.check(role).differences == []


def while_held(machine: LoopbackShell, server: Server, lock: str, role: Role, *, minutes: str | None = None) -> Answer:
    """Apply a role while another program has a lock of apt, which lets go once the role waits for it.

    With `minutes` it never does, and the role's patience is only so long.
    """
    script = render(role, MACHINE)
    if minutes is not None:
        assert "apt_patience=600" in script
        script = script.replace("apt_patience=600", f"apt_patience={minutes}")
    (server.files / "x/script").write_text(script)
    (server.files / "x/holder").write_text(HOLDER)
    until = "forever" if minutes else "waiting"
    return machine.run(
        f"rm -f /tmp/x/held /tmp/x/said; perl /tmp/x/holder {lock} {until} & holder=$!\n"
        "until [ -e /tmp/x/held ]; do kill -0 $holder || exit 99; sleep 0.1; done\n"
        "bash /tmp/x/script apply 2>/tmp/x/said; status=$?; kill $holder 2>/dev/null; wait\n"
        "cat /tmp/x/said >&2; exit $status"
    )


LOCKS: Final = (
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_that_another_program_has_is_waited_for(
    machine: LoopbackShell, ssh_server: Server, repositories: dict[str, str], lock: str
) -> None:
    lists = sources("sound", repositories["sound"])
    assert lock == LOCKS[0] or machine.apply(lists).status == 0
    role = Role("demo", (*lists.items, Package("demo", "1.0-*", held=True)))
    answer = while_held(machine, ssh_server, lock, role)
    assert answer.status == 0, answer.stderr
    assert re.search(rf"waiting: .*{lock.rsplit('/', 1)[1]}|waiting: .*lock was locked", answer.stderr), answer.stderr
    assert machine.check(role).differences == []


@pytest.mark.parametrize("lock", LOCKS[2:])
def test_lock_that_dpkg_itself_meets_is_waited_for(
    machine: LoopbackShell, ssh_server: Server, repositories: dict[str, str], lock: str
) -> None:
    """Where something is half installed dpkg goes first, which has words of its own for it."""
    lists = sources("sound", repositories["sound"])
    assert machine.apply(lists).status == 0
    machine.run("mkdir -p /var/lib/dpkg/updates; touch /var/lib/dpkg/updates/0000")
    answer = while_held(machine, ssh_server, lock, Role("demo", (Package("demo", "1.0-*"),)))
    assert answer.status == 0, answer.stderr
    assert re.search(r"waiting: lock was locked by \S+ process with pid \d+", answer.stderr), answer.stderr


def test_lock_that_is_never_let_go_is_named(
    machine: LoopbackShell, ssh_server: Server, repositories: dict[str, str]
) -> None:
    role = sources("sound", repositories["sound"])
    answer = while_held(machine, ssh_server, LOCKS[0], role, minutes="1")
    assert answer.status != 0
    assert re.search(r"It is held by process \d+ \(perl\): chick0 waited", answer.stderr), answer.stderr


def test_newer_package_is_never_downgraded_unasked(machine: LoopbackShell, repositories: dict[str, str]) -> None:
    items = sources("sound", repositories["sound"]).items
    assert machine.apply(Role("demo", (*items, Package("demo", "1.1-1")))).status == 0
    for version in ("1.0-*", "1.0-1", "1.0*"):
        older = Role("demo", (*items, Package("demo", version, held=True)))
        answer = machine.apply(older)
        assert answer.status != 0
        assert f"demo is 1.1-1 on chick0, newer than {version}, and is not downgraded unasked" in answer.stderr
        assert machine.check(older).found == {"package demo": "1.1-1"}
    (command,) = set(re.findall(r"apt-get install --allow.*'demo=1\.0\*'", answer.stderr))
    assert machine.run(f"DEBIAN_FRONTEND=noninteractive {command} --yes").status == 0
    assert machine.apply(older).status == 0


@pytest.mark.parametrize(
    ("package", "said"),
    [
        (Package("demo", "1.2-*"), "no candidate for demo=1.2-*: the repositories offer 1.1-1, 1.0-1"),
        (Package("demo", "1.0"), "no candidate for demo=1.0: the repositories offer 1.1-1, 1.0-1"),
        (Package("kubelet", "1.36.3-*"), "no candidate for kubelet=1.36.3-*: no repository of chick0 has kubelet"),
        (Package("kubelet"), "no candidate for kubelet: no repository of chick0 has kubelet"),
    ],
)
def test_version_that_no_repository_has_is_named(
    machine: LoopbackShell, repositories: dict[str, str], package: Package, said: str
) -> None:
    items = sources("sound", repositories["sound"]).items
    answer = machine.apply(Role("demo", (*items, package)))
    assert answer.status != 0
    assert said in answer.stderr


CHOSEN: Final = "URIs: file:/tmp/apt/debian\nSuites: trixie\n"
ONE_LINE: Final = "deb [arch=amd64 signed-by=/etc/apt/keyrings/debian.asc] file:/tmp/apt/debian trixie main\n"
STANZA: Final = f"# the installer's\nTypes: deb\n{CHOSEN}Components: main non-free-firmware\n"
SIGNED: Final = "Signed-By: /etc/apt/keyrings/debian.asc\n"
OTHER: Final = "Types: deb\nURIs: file:/tmp/apt/sound\nSuites: ./\nTrusted: yes\n"
OURS: Final = f"Types: deb\n{CHOSEN.replace('debian', 'debian/')}Components: contrib\n{SIGNED}"


def contrib() -> Role:
    """Return the part of the official sources' role that is about the machine's own mirror."""
    items = package_sources(MirrorsSettings(), "1.36.3").items
    return Role("sources", (*(item for item in items if isinstance(item, Script)), PackageLists((CONTRIB,))))


@pytest.mark.parametrize(
    ("chosen", "ours"),
    [
        ({"sources.list": ONE_LINE}, OURS),
        ({"sources.list": f"# deb cdrom:[Debian]/ trixie main\n\n{ONE_LINE}"}, OURS),
        ({"sources.list": f"deb cdrom:[Debian GNU/Linux 13 _Trixie_]/ trixie main\n{ONE_LINE}"}, OURS),
        ({"sources.list.d/debian.sources": STANZA + SIGNED}, OURS),
        (
            {"sources.list.d/debian.sources": f"{OTHER}\n{STANZA}{SIGNED}"},
            OURS,
        ),
        ({"sources.list": ONE_LINE.replace("main", "main contrib")}, None),
        ({"sources.list": ONE_LINE, "sources.list.d/more.list": ONE_LINE.replace("main", "contrib")}, None),
        ({"sources.list.disabled": ONE_LINE}, OURS),
        ({"sources.list.d/debian.sources.disabled": STANZA + SIGNED}, OURS),
    ],
)
def test_contrib_comes_from_the_mirror_that_the_machine_has(
    machine: LoopbackShell, repositories: dict[str, str], chosen: dict[str, str], ours: str | None
) -> None:
    for name, text in {**chosen, "keyrings/debian.asc": repositories["debian"]}.items():
        machine.run(f"cat >/etc/apt/{name}", text)
    role = contrib()
    answer = machine.apply(role)
    assert answer.status == 0, answer.stderr
    assert machine.check(role).differences == []
    assert machine.run(f"cat {CONTRIB}").stdout.strip() == (ours or "").strip()
    assert machine.apply(Role("demo", (Package("only-main"), Package("only-contrib")))).status == 0


def test_contrib_follows_the_mirror(machine: LoopbackShell, repositories: dict[str, str]) -> None:
    machine.run("cat >/etc/apt/keyrings/debian.asc", repositories["debian"])
    machine.run("cat >/etc/apt/sources.list", ONE_LINE)
    machine.apply(contrib())
    machine.run("cat >/etc/apt/sources.list", ONE_LINE.replace("main", "main contrib"))
    assert "contrib of the machine's Debian mirror" in machine.check(contrib()).found
    machine.apply(contrib())
    assert machine.run(f"test -e {CONTRIB}").status == 1


@pytest.mark.parametrize(
    "text", ["", "deb cdrom:[Debian]/ trixie main\n", "deb http://deb.debian.org/debian forky main\n"]
)
def test_machine_without_a_mirror_of_its_debian_is_named(machine: LoopbackShell, text: str) -> None:
    machine.run("cat >/etc/apt/sources.list", text)
    answer = machine.apply(contrib())
    assert answer.status != 0
    assert "no package source of this machine has Debian's trixie" in answer.stderr
    assert "mirrors.apt" in answer.stderr
