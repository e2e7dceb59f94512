"""An OpenSSH server on the loopback, in a bare Debian of its own that the test may write to only below ``/tmp``."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.machines.debian import base_root
from tests.tools import free_port

_CONFIGURATION: Final = """\
Port {port}
ListenAddress {address}
HostKey /tmp/host
AuthorizedKeysFile /tmp/client.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM no
MaxStartups 100:30:200
AcceptEnv ACCEPTED
"""

# A mount namespace of its own: nothing of this is seen outside, and all of it goes with its last process.
_ENTER: Final = """
root=$1 files=$2
shift 2
if [ -n "${PREPARE-}" ]; then
  mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root
  mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
  root=/mnt/root
  sh -euc "$PREPARE" sh "$root"
else
  mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
fi
mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/sshd"
mount --bind "$files" "$root/tmp"
exec chroot "$root" /usr/sbin/sshd "$@" -e -f /tmp/sshd_config
"""

# A network of its own, in which nothing is but a loopback with this address too.
_ALONE: Final = 'ip link set lo up && ip address add "$1/32" dev lo && shift && exec "$@"'


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    files: Path
    """What its users see as ``/tmp``: the keys ``host`` and ``client`` too."""
    address: str = "127.0.0.1"
    pid: int = 0
    """A process in its network."""

    @property
    def host_key(self) -> str:
        """The public host key, without a comment."""
        return self._public("host")

    @property
    def other_key(self) -> str:
        """A public key that it does not have."""
        return self._public("other")

    def _public(self, name: str) -> str:
        return " ".join((self.files / f"{name}.pub").read_text().split()[:2])

    @property
    def private_key(self) -> str:
        """The key that may log in."""
        return (self.files / "client").read_text()

    def said(self) -> str:
        """Return the server's log."""
        return (self.files / "sshd.log").read_text()


@contextmanager
def server(directory: Path, *, alone: str | None = None, prepare: str = "") -> Iterator[Server]:
    """Run a server while the block runs; its files are below `directory`.

    With an address as `alone` it is in a network of its own, which only a jump reaches. With `prepare`, a shell script
    that gets the root directory as an argument, all of its Debian may be written to.
    """
    files, port = _files(directory, "sshd", alone or "127.0.0.1")
    begin = ["unshare", "--net", "sh", "-euc", _ALONE, "sh", alone] if alone else []
    with open(files / "sshd.log", "wb") as log:
        process = subprocess.Popen(
            [*begin, *_entering(files, "-D")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PREPARE": prepare},
        )
    try:
        _wait_for(process, files / "sshd.log")
        yield Server(port, files, alone or "127.0.0.1", process.pid)
    finally:
        process.kill()  # unshare's child dies with it, and all of the child's PID namespace too
        process.wait(10)


@contextmanager
def jump(directory: Path, behind: Server) -> Iterator[Server]:
    """Run a server on the loopback whose sessions are in the network of the one `behind` it, and that takes its key.

    A listening socket keeps the network that it was made in: systemd-socket-activate(1) makes it here.
    """
    files, port = _files(directory, "jump", "127.0.0.1")
    (files / "client.pub").write_text((behind.files / "client.pub").read_text())
    inside = ["nsenter", f"--net=/proc/{behind.pid}/ns/net"]
    listen = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--accept", "--inetd"]
    with open(files / "sshd.log", "wb") as log:
        process = subprocess.Popen(
            [*listen, *inside, *_entering(files, "-i")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_for(process, files / "sshd.log", "Listening on")
        yield Server(port, files, pid=process.pid)
    finally:
        process.kill()
        process.wait(10)


def _files(directory: Path, name: str, address: str) -> tuple[Path, int]:
    files = directory / name
    files.mkdir()
    for key in ("host", "client", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", files / key], check=True)
    port = free_port()
    (files / "sshd_config").write_text(_CONFIGURATION.format(port=port, address=address))
    return files, port


def _entering(files: Path, mode: str) -> list[str]:
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _ENTER, "sh"]
    return [*enter, str(base_root()), str(files), mode]


def _wait_for(process: "subprocess.Popen[bytes]", log: Path, words: str = "Server listening") -> None:
    deadline = time.monotonic() + 60
    while words not in log.read_text():
        assert process.poll() is None, f"sshd ended: {log.read_text()}"
        assert time.monotonic() < deadline, f"sshd does not listen: {log.read_text()}"
        time.sleep(0.05)


@contextmanager
def agent(key: Path) -> Iterator[str]:
    """Run an ssh-agent that holds the key while the block runs, and yield its socket."""
    path = key.parent / "agent"
    program = shutil.which("ssh-agent")
    assert program is not None
    process = subprocess.Popen([program, "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not _accepts(path):
            assert time.monotonic() < deadline, "ssh-agent did not start"
            time.sleep(0.05)
        subprocess.run(["ssh-add", "-q", key], env={"SSH_AUTH_SOCK": str(path)}, check=True)
        yield str(path)
    finally:
        process.terminate()
        process.wait(10)


def _accepts(path: Path) -> bool:
    """Whether a program listens there; the socket is in its place a moment earlier."""
    with socket.socket(socket.AF_UNIX) as end:
        return end.connect_ex(str(path)) == 0
