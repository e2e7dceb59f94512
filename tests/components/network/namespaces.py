"""Computers that are network namespaces, with a gateway between two networks. Needs root and ip(8)."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.tools import command

GATEWAY: Final = "198.18.0.2"
"""Of the dev stack, whose machines' network is 198.18.0.0/19."""
MACHINE: Final = "198.18.0.200"
STRANGER: Final = "198.18.0.77"
"""Of no machine."""
POD: Final = "198.18.64.5"
PUBLIC: Final = "198.19.0.1"
"""The gateway's outside."""
OUTSIDE: Final = "198.19.0.9"

_SERVER: Final = """
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "tcp":
    server = socket.create_server((address, port))
    print("ready", flush=True)
    while True:
        peer, (host, _) = server.accept()
        peer.sendall(host.encode())
        peer.close()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, port))
print("ready", flush=True)
while True:
    data, (host, _) = server.recvfrom(512)
    print(data.decode(), host, flush=True)
"""
_CONNECT: Final = """
import socket, sys
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2, source_address=(sys.argv[3], 0))
print(peer.recv(64).decode())
"""
_SEND: Final = """
import socket, sys
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind((sys.argv[3], 0))
peer.sendto(sys.argv[4].encode(), (sys.argv[1], int(sys.argv[2])))
"""


@dataclass
class Network:
    """A machine `inside`, the `gateway`, and a computer `outside` that has a route to the machines."""

    prefix: str
    running: ExitStack = field(default_factory=ExitStack)

    def run(self, where: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on one of the three."""
        return subprocess.run(self._on(where, words), capture_output=True, text=True, check=check)

    def nft(self, where: str, rules: Path) -> None:
        """Load rules there."""
        done = self.run(where, *command("nft"), "--file", str(rules), check=False)
        assert done.returncode == 0, done.stderr

    def start(self, where: str, *words: str) -> subprocess.Popen[str]:
        """Start a program there that ends with the network."""
        process = subprocess.Popen(self._on(where, words), stdout=subprocess.PIPE, text=True)
        self.running.callback(process.wait)
        self.running.callback(process.kill)
        return process

    def serve(self, where: str, kind: str, address: str, port: int) -> Iterator[str]:
        """Start a server there: one of TCP tells a peer its address, one of UDP yields what came and the sender."""
        process = self.start(where, sys.executable, "-c", _SERVER, kind, address, str(port))
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return (line.strip() for line in process.stdout)

    def seen_as(self, where: str, address: str, port: int, source: str = "0.0.0.0") -> str | None:
        """Return the address that a TCP server sees when `where` connects; None when nothing answers."""
        done = self.run(where, sys.executable, "-c", _CONNECT, address, str(port), source, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def send(self, where: str, address: str, port: int, source: str, text: str) -> None:
        """Send one datagram."""
        self.run(where, sys.executable, "-c", _SEND, address, str(port), source, text)

    def _on(self, where: str, words: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", f"{self.prefix}-{where}", *words]


@contextmanager
def network() -> Iterator[Network]:
    """Make the three computers, and take them away."""
    made = Network(f"gw{os.getpid()}")
    with made.running:
        for name in ("inside", "gateway", "outside"):
            _ip("netns", "add", f"{made.prefix}-{name}")
            made.running.callback(_ip, "netns", "delete", f"{made.prefix}-{name}")
            made.run(name, "ip", "link", "set", "lo", "up")
        for name, address, far in (("inside", MACHINE, f"{GATEWAY}/19"), ("outside", OUTSIDE, f"{PUBLIC}/24")):
            _cable(made, name, f"{address}/{far.partition('/')[2]}", far)
        made.run("gateway", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        # Strict filters of a distribution would hide whether ours work.
        made.run("gateway", "sh", "-c", "for each in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$each; done")
        made.run("inside", "ip", "address", "add", f"{POD}/32", "dev", "lo")
        made.run("inside", "ip", "route", "add", "default", "via", GATEWAY)
        made.run("gateway", "ip", "route", "add", f"{POD}/32", "via", MACHINE)
        made.run("outside", "ip", "route", "add", "198.18.0.0/16", "via", PUBLIC)
        yield made


def _cable(made: Network, name: str, address: str, far: str) -> None:
    """Lay one from a computer, which has `address` on it, to the gateway, which has `far`."""
    ends = {"peer": f"{made.prefix}-gateway", "own": f"{made.prefix}-{name}"}
    _ip("link", "add", "eth0", "netns", ends["own"], "type", "veth", "peer", "name", name, "netns", ends["peer"])
    for where, link, own in ((name, "eth0", address), ("gateway", name, far)):
        made.run(where, "ip", "address", "add", own, "dev", link)
        made.run(where, "ip", "link", "set", link, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
