"""An OpenSSH server on the loopback, in a bare Debian of its own that the test may write to only below ``/tmp``."""

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

_CONFIGURATION: Final = """\
Port {port}
ListenAddress 127.0.0.1
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
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/run" && mkdir "$1/run/sshd"
mount --bind "$2" "$1/tmp"
exec chroot "$1" /usr/sbin/sshd -D -e -f /tmp/sshd_config
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    files: Path
    """What its users see as ``/tmp``: the keys ``host`` and ``client`` too."""

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
def server(directory: Path) -> Iterator[Server]:
    """Run a server while the block runs; its files are below `directory`."""
    files = directory / "sshd"
    files.mkdir()
    for name in ("host", "client", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", files / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (files / "sshd_config").write_text(_CONFIGURATION.format(port=port))
    command: list[str | Path] = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-euc",
        _ENTER,
        "sh",
        base_root(),
        files,
    ]
    with open(files / "sshd.log", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(port, process, files / "sshd.log")
        yield Server(port, files)
    finally:
        process.kill()  # unshare's child dies with it, and all of the child's PID namespace too
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
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
        while not path.exists():
            assert time.monotonic() < deadline, "ssh-agent did not start"
            time.sleep(0.05)
        subprocess.run(["ssh-add", "-q", key], env={"SSH_AUTH_SOCK": str(path)}, check=True)
        yield str(path)
    finally:
        process.terminate()
        process.wait(10)
