"""Asks a name server and prints the answer: `asking.py udp|tcp SERVER A|AAAA|PTR NAME` (RFC 1035, 4).

Run inside a network namespace. Standard library only. One word for each record's data, behind the response code: 0 for
no error, 3 for no such name, 5 for refused. Nothing, and exit status 1, when no answer comes.
"""

import secrets
import socket
import struct
import sys

SECONDS = 2
TYPES = {"A": 1, "PTR": 12, "AAAA": 28}


def question(kind: str, name: str) -> bytes:
    """Return the message that asks for a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack("!6H", secrets.randbits(16), 0x0100, 1, 0, 0, 0) + labels + struct.pack("!xHH", TYPES[kind], 1)


def name_at(message: bytes, at: int) -> tuple[str, int]:
    """Return the name at a place, and the place behind it."""
    labels: list[str] = []
    while length := message[at]:
        if length >= 0xC0:
            rest, _ = name_at(message, struct.unpack_from("!H", message, at)[0] & 0x3FFF)
            return ".".join([*labels, rest]), at + 2
        labels.append(message[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


def answer(message: bytes) -> list[str]:
    """Return the response code and the data of the records."""
    _, flags, _, records, _, _ = struct.unpack_from("!6H", message)
    _, at = name_at(message, 12)
    at += 4
    found = [str(flags & 0xF)]
    for _ in range(records):
        _, at = name_at(message, at)
        kind, _, _, length = struct.unpack_from("!HHIH", message, at)
        at += 10
        found.append(name_at(message, at)[0] if kind == TYPES["PTR"] else socket.inet_ntoa(message[at : at + length]))
        at += length
    return found


def ask(protocol: str, server: str, message: bytes) -> bytes:
    """Return the server's answer."""
    if protocol == "tcp":
        with socket.create_connection((server, 53), timeout=SECONDS) as peer:
            peer.sendall(struct.pack("!H", len(message)) + message)
            with peer.makefile("rb") as stream:
                return stream.read(struct.unpack("!H", stream.read(2))[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(SECONDS)
        peer.connect((server, 53))
        peer.send(message)
        return peer.recv(4096)


if __name__ == "__main__":
    protocol, server, kind, name = sys.argv[1:]
    try:
        print(*answer(ask(protocol, server, question(kind, name))))
    except OSError:
        sys.exit(1)
