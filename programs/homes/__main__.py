"""Runs the home provisioner: `henhouse-homes --root DIR --first-uid N --listen ADDRESS:PORT --client NAME`.

Certificate, key and the client's authority are the files `certificate`, `key` and `ca` of `$CREDENTIALS_DIRECTORY`
(systemd.exec(5), LoadCredential=).
"""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from .server import Provisioner, tls_context
from .store import Homes


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="henhouse-homes")
    parser.add_argument("--root", required=True, help="directory with the homes")
    parser.add_argument("--first-uid", required=True, type=int, help="the first id that a home may get")
    parser.add_argument("--listen", required=True, help="ADDRESS:PORT")
    parser.add_argument("--client", required=True, help="common name of the only client that is accepted")
    parser.add_argument("--credentials", default=os.environ.get("CREDENTIALS_DIRECTORY"), help="directory of the keys")
    return parser.parse_args(words)


def tell_systemd(state: str) -> None:
    """Tell systemd a state of this service, where systemd asked for it (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.sendall(state.encode())


def main() -> int:
    """Serve until the program is told to stop."""
    given = arguments()
    if not given.credentials:
        print("henhouse-homes: no --credentials and no $CREDENTIALS_DIRECTORY", file=sys.stderr)
        return 2
    homes = Homes(given.root, given.first_uid)
    homes.tidy()
    host, _, port = given.listen.rpartition(":")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    with Provisioner((host, int(port)), tls_context(Path(given.credentials)), given.client, homes) as provisioner:
        tell_systemd("READY=1")
        print(f"listening on {given.listen}, homes in {given.root}", file=sys.stderr, flush=True)
        provisioner.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
