"""The way in, with real servers: a target that only a jump reaches, and a login that has to use sudo."""

import asyncio
import base64
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pydantic import SecretStr

from components.cluster.calico.kubeconfig import reachable
from components.contracts.machines import SshTarget
from converge import probe, tunnel
from converge.connection import JumpError
from converge.items import File, Script
from converge.probe import ProbeResult
from converge.render import CHECK, render, standard_input
from converge.role import Fact, Role
from converge.state import AppliedRole
from converge.sudo import by_sudo
from engine.standins.kubernetes.api import Cluster
from engine.standins.kubernetes.kubeconfig import Access
from lab.mirror.build import DEBIAN_ARCHIVE
from stacks.load import parse_settings
from stacks.outputs.ssh import known_hosts, ssh_config
from tests.certificates import Authority
from tests.engine import sshd
from tests.stacks.sites import changed, tree
from tests.tools import free_port

pytestmark = pytest.mark.programs

TARGET: Final = "198.18.31.10"
SECRETS: Final = {"key": "hunter2-hunter2"}
FILE: Final = Role("file", (File("/srv/f", "x\n"), Script("who", "[[ $(id -u) == 0 && $HOME == /root ]]", "false")))
KEY: Final = Role("key", (File("/srv/k", secret="key", mode="0600"),))
SUDOERS: Final = "/etc/sudoers.d/henhouse"
PREPARE: Final = """
dpkg-deb --extract {package} "$1"
for name in ada bob; do useradd --root "$1" --create-home --shell /bin/{shell} --password '*' $name; done
echo 'ada ALL=(ALL:ALL) NOPASSWD: ALL' >"$1{sudoers}"
echo 'Defaults logfile=/tmp/sudo.log' >>"$1{sudoers}"
chmod 440 "$1{sudoers}"
echo "127.0.0.1 localhost $(hostname)" >"$1/etc/hosts"
"""


def package() -> Path:
    """Return Debian's sudo."""
    (found,) = (DEBIAN_ARCHIVE.make() / "pool/main/s/sudo").glob("sudo_*.deb")
    return found


@contextmanager
def target_server(directory: Path, shell: str) -> Iterator[sshd.Server]:
    """Run a server that only a jump reaches, on which ada may use sudo and bob may not."""
    prepare = PREPARE.format(package=package(), shell=shell, sudoers=SUDOERS)
    with sshd.server(directory, alone=TARGET, prepare=prepare) as running:
        yield running


@pytest.fixture(scope="module", params=["bash", "dash"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    """Provide the server, for each kind of login shell."""
    with target_server(tmp_path_factory.mktemp("target"), request.param) as running:
        yield running


@pytest.fixture(scope="module")
def jump(server: sshd.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with sshd.jump(tmp_path_factory.mktemp("jump"), server) as running:
        yield running


@pytest.fixture
def connection(server: sshd.Server, jump: sshd.Server) -> dict[str, Any]:
    """Provide a connection as the state holds it, as ada."""
    common = {"user": "ada", "privateKey": server.private_key}
    return {
        **common,
        "host": TARGET,
        "port": server.port,
        "hostKey": server.host_key,
        "proxy": {**common, "user": "root", "host": "127.0.0.1", "port": jump.port, "hostKey": jump.host_key},
    }


def applied(connection: dict[str, Any], role: Role = FILE, secrets: dict[str, str] | None = None) -> AppliedRole:
    user = connection["user"]
    script = by_sudo(render(role, "chick0", secrets or {}), "chick0", user, secrets=bool(secrets))
    stdin = standard_input(secrets or {})
    return AppliedRole(f"chick0-{role.name}-command", "chick0", role.name, script, stdin, connection, ": probe none")


def look(*roles: AppliedRole) -> ProbeResult:
    return asyncio.run(probe.probe(roles))


def inside(
    server: sshd.Server, command: str, *, user: str = "root", stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command on the target with the real ssh, in its network."""
    options = ["-F", "none", "-i", str(server.files / "client"), "-o", "StrictHostKeyChecking=no"]
    options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-p", str(server.port)]
    enter = ["nsenter", f"--net=/proc/{server.pid}/ns/net"]
    return subprocess.run(
        [*enter, "ssh", *options, f"{user}@{TARGET}", command], input=stdin, capture_output=True, text=True, check=False
    )


def apply(server: sshd.Server, role: AppliedRole, user: str = "ada") -> "subprocess.CompletedProcess[str]":
    return inside(server, role.script, user=user, stdin=role.stdin)


def reasons(seen: ProbeResult) -> list[str]:
    return [each.reason for each in seen.not_checked]


def test_login_without_root_applies_a_role_by_sudo(server: sshd.Server, connection: dict[str, Any]) -> None:
    inside(server, "rm -rf /srv/*")
    done = apply(server, applied(connection))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{}\n"
    assert inside(server, "stat --format='%U %a' /srv/f").stdout == "root 644\n"
    assert apply(server, applied(connection)).stderr == ""
    check = replace(applied(connection), script=CHECK + applied(connection).script)
    assert apply(server, check).stdout == ""


def test_secret_comes_by_standard_input_and_is_in_no_log(server: sshd.Server, connection: dict[str, Any]) -> None:
    inside(server, "rm -f /srv/k /tmp/sudo.log")
    role = applied(connection, KEY, SECRETS)
    done = apply(server, role)
    assert done.returncode == 0, done.stderr
    assert inside(server, "cat /srv/k; stat --format='%U %a' /srv/k").stdout == "hunter2-hunter2root 600\n"
    log = (server.files / "sudo.log").read_text()
    assert "COMMAND=/usr/bin/bash -c" in log.replace("\n    ", " ")
    assert not [word for word in ("hunter2", "differs", "base64", *SECRETS) if word in log]


def test_long_script_is_not_an_argument(server: sshd.Server, connection: dict[str, Any]) -> None:
    """The whole of what a login shell takes, and every byte of it arrives."""
    long = Role("long", (File("/srv/long", "üx\n" * 15_000),))
    done = apply(server, applied(connection, long))
    assert done.returncode == 0, done.stderr
    assert (
        inside(server, "sha256sum </srv/long").stdout.split()[0]
        == hashlib.sha256(("üx\n" * 15_000).encode()).hexdigest()
    )


def test_role_knows_by_which_port_it_came(server: sshd.Server, connection: dict[str, Any]) -> None:
    role = Role("port", (), facts=(Fact("port", "echo ${SSH_CONNECTION##* }"),))
    assert apply(server, applied(connection, role)).stdout == f'{{"port": "{server.port}"}}\n'


def test_status_of_a_role_that_fails_is_its_own(server: sshd.Server, connection: dict[str, Any]) -> None:
    done = apply(server, applied(connection, Role("bad", (Script("bad", "false", "exit 7"),))))
    assert done.returncode == 7
    assert "henhouse: chick0: bad: bad: failed with exit status 7" in done.stderr


@pytest.mark.parametrize(
    ("user", "defaults", "words"),
    [
        ("bob", "", "sudo asks for a password, or bob is not in sudoers; write into /etc/sudoers.d/henhouse: bob ALL="),
        ("ada", "Defaults:ada requiretty", "sudo wants a terminal (requiretty)"),
        ("ada", "Defaults log_input", "sudo records what it is given on standard input"),
        ("ada", "Defaults:ada log_stdin", "sudo records what it is given on standard input"),
    ],
)
def test_sudo_that_refuses_is_said_in_a_sentence(
    server: sshd.Server, connection: dict[str, Any], user: str, defaults: str, words: str
) -> None:
    inside(server, f"rm -f /srv/k; cp {SUDOERS} /tmp/kept; echo '{defaults}' >>{SUDOERS}")
    try:
        role = applied({**connection, "user": user}, KEY, SECRETS)
        done = apply(server, role, user)
        assert done.returncode == 1
        assert f"henhouse: chick0: {user} cannot become root: " in done.stderr
        assert words in done.stderr
        assert "hunter2" not in done.stderr
        assert inside(server, "test ! -e /srv/k").returncode == 0
        assert [words in each for each in reasons(look(role))] == [True]
    finally:
        inside(server, f"cat /tmp/kept >{SUDOERS}")


@pytest.mark.parametrize("defaults", ["Defaults:ada !log_input, !log_stdin", "Defaults log_output"])
def test_sudo_that_does_not_record_its_input_is_used(
    server: sshd.Server, connection: dict[str, Any], defaults: str
) -> None:
    inside(server, f"cp {SUDOERS} /tmp/kept; echo '{defaults}' >>{SUDOERS}")
    try:
        done = apply(server, applied(connection, KEY, SECRETS))
        assert done.returncode == 0, done.stderr
    finally:
        inside(server, f"cat /tmp/kept >{SUDOERS}")


def test_probe_looks_through_the_jump_over_one_connection(
    server: sshd.Server, jump: sshd.Server, connection: dict[str, Any]
) -> None:
    apply(server, applied(connection))
    inside(server, "echo y >>/srv/f")
    before = (jump.files / "sshd.log").read_text().count("Accepted publickey")
    others = [replace(applied(connection), machine=f"chick{at}") for at in range(1, 4)]
    seen = look(applied(connection), *others)
    assert reasons(seen) == []
    assert {(each.machine, each.item, each.found) for each in seen.differences} == {
        (f"chick{at}", "file /srv/f", "line 2: y") for at in range(4)
    }
    assert (jump.files / "sshd.log").read_text().count("Accepted publickey") == before + 1


def test_target_is_not_reached_without_the_jump(connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("converge.connection.CONNECT_SECONDS", 1)
    (reason,) = reasons(look(applied({key: value for key, value in connection.items() if key != "proxy"})))
    assert reason.startswith(f"{TARGET} port {connection['port']}: ")


def changed_jump(connection: dict[str, Any], **changes: object) -> AppliedRole:
    return applied({**connection, "proxy": {**connection["proxy"], **changes}})


def test_what_is_wrong_with_the_jump_names_the_jump(jump: sshd.Server, connection: dict[str, Any]) -> None:
    where = f"the jump 127.0.0.1 port {jump.port}: "
    seen = look(changed_jump(connection, hostKey=jump.other_key))
    assert reasons(seen) == [f"{where}its host key differs from the one in the settings (access.jump)"]
    other = (jump.files / "other").read_text()
    assert reasons(look(changed_jump(connection, privateKey=other))) == [f"{where}it accepts none of the keys offered"]


@pytest.mark.parametrize("key", ["no key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_key_that_is_none_is_named_and_not_shown(jump: sshd.Server, connection: dict[str, Any], key: str) -> None:
    for applied_role in (changed_jump(connection, privateKey=key), applied({**connection, "privateKey": key})):
        (reason,) = reasons(look(applied_role))
        assert "access.private_key is not a private key of SSH without a passphrase" in reason
        assert key not in reason


def test_what_is_wrong_behind_the_jump_does_not_name_it_as_the_fault(
    jump: sshd.Server, connection: dict[str, Any]
) -> None:
    where = f"{TARGET} port {connection['port']}, through 127.0.0.1 port {jump.port}: "
    seen = look(applied({**connection, "hostKey": jump.other_key}))
    assert reasons(seen) == [f"{where}its host key differs from the one in the settings"]
    (reason,) = reasons(look(applied({**connection, "port": 1})))
    assert reason.startswith(f"{TARGET} port 1, through 127.0.0.1 port {jump.port}: ")
    assert "refused" in reason.lower()


@pytest.fixture
def target(server: sshd.Server, jump: sshd.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SshTarget:
    """Provide the jump as the settings describe it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return SshTarget("jump", "127.0.0.1", jump.host_key, port=jump.port, private_key=SecretStr(server.private_key))


API: Final = """
import http.server, ssl, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"major": "1", "minor": "36", "gitVersion": "v1.36.3"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer((sys.argv[1], 6443), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def authority(server: sshd.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Provide the authority of an API server (of which only the version is asked) in the target's network."""
    directory = tmp_path_factory.mktemp("api")
    issuer = Authority()
    (directory / "ca.pem").write_text(issuer.pem)
    (directory / "server.pem").write_text("".join(issuer.issue("api", address=IPv4Address(TARGET))))
    enter = ["nsenter", f"--net=/proc/{server.pid}/ns/net", sys.executable, "-c", API, TARGET]
    process = subprocess.Popen([*enter, directory / "server.pem"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield directory / "ca.pem"
    finally:
        process.kill()
        process.wait(10)


async def version(port: int, authority: Path) -> str:
    """Return what the API server says to curl through the tunnel; nothing without a tunnel."""
    curl = [
        "curl",
        "--silent",
        "--max-time",
        "10",
        "--proxy",
        f"socks5h://127.0.0.1:{port}",
        "--cacert",
        str(authority),
    ]
    process = await asyncio.create_subprocess_exec(*curl, f"https://{TARGET}:6443/version", stdout=subprocess.PIPE)
    return (await process.communicate())[0].decode()


def test_tunnel_leads_behind_the_jump_and_a_second_process_uses_it(authority: Path, target: SshTarget) -> None:
    said: list[str] = []

    async def use() -> tuple[str, str, str]:
        port = free_port()
        first = tunnel.opened(target, port, say=said.append)
        await first.__aenter__()
        alone = await version(port, authority)
        async with tunnel.opened(target, port, say=said.append):
            both = await version(port, authority)
            await first.__aexit__(None, None, None)
            deadline = time.monotonic() + 20
            while not (after := await version(port, authority)):
                assert time.monotonic() < deadline, said
        return alone, both, after

    for line in asyncio.run(use()):
        assert "v1.36.3" in line


def test_tunnel_of_another_site_is_not_used(target: SshTarget) -> None:
    async def use() -> None:
        port = free_port()
        async with tunnel.opened(target, port, say=print):
            with pytest.raises(tunnel.TunnelError, match=r"the tunnel of another site, through root@127\.0\.0\.1"):
                async with tunnel.opened(replace(target, user="ada"), port, say=print):
                    pass

    asyncio.run(use())


def test_port_of_another_program_is_not_taken(target: SshTarget) -> None:
    async def use() -> None:
        other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(tunnel.TunnelError, match=f"port {port} of 127.0.0.1 is taken by another program"):
            async with tunnel.opened(target, port, say=print):
                pass
        other.close()

    asyncio.run(use())


def test_jump_that_shows_another_key_opens_no_tunnel(jump: sshd.Server, target: SshTarget) -> None:
    async def use() -> None:
        with pytest.raises(JumpError, match=f"the jump 127.0.0.1 port {jump.port}: its host key differs"):
            async with tunnel.opened(replace(target, host_key=jump.other_key), free_port(), say=print):
                pass

    asyncio.run(use())


def test_connection_to_the_jump_that_is_lost_is_made_again(
    authority: Path, jump: sshd.Server, target: SshTarget
) -> None:
    said: list[str] = []

    async def use() -> str:
        port = free_port()
        async with tunnel.opened(target, port, say=said.append):
            assert await version(port, authority)
            subprocess.run(["ss", "--kill", "dst", "127.0.0.1", "dport", "=", str(jump.port)], check=True)
            deadline = time.monotonic() + 20
            while not any("open again" in each for each in said):
                assert time.monotonic() < deadline, said
                await asyncio.sleep(0.05)
            return await version(port, authority)

    assert "v1.36.3" in asyncio.run(use())


def kubeconfig(port: int, authority: Path) -> str:
    """Return the administrator's kubeconfig as the program makes it of kubeadm's."""
    data = base64.b64encode(authority.read_bytes()).decode()
    cluster = {"certificate-authority-data": data, "server": "https://api.flock.internal:6443"}
    admin_conf = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "flock", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": "word"}}],
        "contexts": [{"name": "admin", "context": {"cluster": "flock", "user": "admin"}}],
        "current-context": "admin",
    }
    return reachable(yaml.safe_dump(admin_conf), f"https://{TARGET}:6443", f"socks5://127.0.0.1:{port}")


def test_kubectl_and_our_own_plugin_take_the_tunnel_of_the_kubeconfig(
    authority: Path, target: SshTarget, tmp_path: Path
) -> None:
    port = free_port()
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(port, authority))

    async def use() -> tuple[str, dict[str, Any], bool]:
        cluster = Cluster(Access.parse(file.read_text()))
        async with tunnel.opened(target, port, say=print):
            process = await asyncio.create_subprocess_exec(
                *("kubectl", "--kubeconfig", file, "get", "--raw", "/version"), stdout=subprocess.PIPE
            )
            said = (await process.communicate())[0].decode()
            answer = await cluster.ask("GET", "/version")
        return said, answer, await Cluster(Access.parse(file.read_text())).answers()

    by_kubectl, by_plugin, without = asyncio.run(use())
    assert "v1.36.3" in by_kubectl
    assert by_plugin["gitVersion"] == "v1.36.3"
    assert not without, "it went past the tunnel"


def site_behind(server: sshd.Server, jump: sshd.Server) -> dict[str, Any]:
    """Return the settings of a site whose chick0 is the target."""
    way = {"host": "127.0.0.1", "port": jump.port, "user": "root", "host_key": jump.host_key}
    access = {"user": "ada", "port": server.port, "jump": way}
    hosts = {"chick0": {"address": TARGET, "host_key": server.host_key}}
    return changed(tree("dev"), {"access": access, "hosts": hosts})


def by_ssh_config(site: dict[str, Any], key: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """Log in to chick0 with the real ssh and the stack's two outputs, as docs/access.md says."""
    parsed = parse_settings(site)
    (tmp_path / "known_hosts").write_text(known_hosts(parsed))
    # As the first of its values counts, this is the file that a person has at home.
    own = f"Host *\n  UserKnownHostsFile {tmp_path}/known_hosts\n  IdentityFile {key}\n  BatchMode yes\n"
    (tmp_path / "config").write_text(own + ssh_config(parsed))
    command = ["ssh", "-F", str(tmp_path / "config"), "chick0", "sudo -n id --user --name; hostname"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})


def test_ssh_takes_the_jump_of_the_ssh_config(server: sshd.Server, jump: sshd.Server, tmp_path: Path) -> None:
    done = by_ssh_config(site_behind(server, jump), server.files / "client", tmp_path)
    assert done.stdout.splitlines()[:1] == ["root"], done.stderr


@pytest.mark.parametrize("whose", ["jump", "target"])
def test_ssh_refuses_another_host_key(server: sshd.Server, jump: sshd.Server, tmp_path: Path, whose: str) -> None:
    other = {"access": {"jump": {"host_key": jump.other_key}}} if whose == "jump" else None
    changes = other or {"hosts": {"chick0": {"host_key": jump.other_key}}}
    done = by_ssh_config(changed(site_behind(server, jump), changes), server.files / "client", tmp_path)
    assert done.returncode == 255
    name = "127.0.0.1" if whose == "jump" else "chick0"
    assert f"Host key for {name} has changed" in done.stderr
