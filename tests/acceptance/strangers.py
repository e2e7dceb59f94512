"""Computers that the site does not know, and what answers them: nmap, inside the rack's network."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Final

from lab.host import install_packages
from lab.network import BRIDGE
from tests.acceptance.site import inside

EVERY_PORT: Final = "1-65535"
_RATE: Final = 6000
"""Probes per second: what the emulated machine still answers."""
_PORTS: Final = re.compile(r"^Host: (\S+) .*\tPorts: ([^\t]*)", re.MULTILINE)
_OPEN: Final = re.compile(r"(\d+)/open/(tcp|udp)/")

Answers = Mapping[str, set[tuple[str, int]]]
"""By address: protocol and port of what answers."""


@contextmanager
def computer_at(address: str, network: str) -> Iterator[None]:
    """Put one more computer's address on a network, such as the machines'."""
    prefix = ip_network(network).prefixlen
    inside("ip", "address", "replace", f"{address}/{prefix}", "dev", BRIDGE)
    try:
        yield
    finally:
        inside("ip", "address", "delete", f"{address}/{prefix}", "dev", BRIDGE)


@contextmanager
def route(network: str, *, through: str) -> Iterator[None]:
    """Send what is for a network by way of a machine's address."""
    inside("ip", "route", "replace", network, "via", through)
    try:
        yield
    finally:
        inside("ip", "route", "delete", network)


def scan(source: str, addresses: Sequence[str], ports: str = EVERY_PORT) -> Answers:
    """Return the TCP ports that accept a connection and the UDP ports that send an answer.

    A UDP port is sent what its usual protocol would answer (nmap's payloads). One that says nothing does not count.
    """
    install_packages(("nmap",))
    quick = ("-n", "-Pn", "-T5", "--min-rate", str(_RATE), "--max-retries", "1", "--defeat-rst-ratelimit")
    command = ("nmap", "-sS", "-sU", "-S", source, "-e", BRIDGE, *quick, "--defeat-icmp-ratelimit", "-p", ports)
    printed = inside(*command, "-oG", "-", *addresses).stdout
    return {**{address: set() for address in addresses}, **answers(printed)}


def answers(printed: str) -> Answers:
    """Return what nmap's greppable output (-oG) says is open."""
    return {
        address: {(protocol, int(port)) for port, protocol in _OPEN.findall(ports)}
        for address, ports in _PORTS.findall(printed)
    }
