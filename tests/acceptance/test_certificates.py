"""What ends a site in its first year: the cluster's certificates, with a life of 20 minutes instead of a year.

A part of `make chaos`; by itself (an hour and a quarter): `pytest -m chaos tests/acceptance/test_certificates.py -s`.
"""

import mailbox
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from lab.rack import load_rack
from tests.acceptance.site import Clock, drift, edited, inside, kubectl, on, output, pulumi
from tests.stacks.sites import ROOT
from tests.tools import eventually

pytestmark = pytest.mark.chaos

LIFE: Final = 20 * 60
"""Seconds; the shortest that `cluster.certificate_lifetime` accepts."""
RENEWALS: Final = 3
MAIL_PORT: Final = 2525
CAMPUS: Final = str(load_rack("dev").campus.interface.ip)


@contextmanager
def mail_server(directory: Path) -> Iterator[mailbox.Maildir]:
    """Provide the letters that a mail server on the campus takes while the block runs."""
    letters = directory / "letters"
    serve = ("-m", "aiosmtpd", "-n", "-l", f"{CAMPUS}:{MAIL_PORT}", "-c", "aiosmtpd.handlers.Mailbox", str(letters))
    process = subprocess.Popen([sys.executable, "-m", "lab", "exec", "--", sys.executable, *serve], cwd=ROOT)
    try:
        eventually("a mail server", lambda: listens(MAIL_PORT), seconds=60)
        yield mailbox.Maildir(letters)
    finally:
        process.terminate()
        process.wait(20)


def listens(port: int) -> bool:
    return f":{port} " in inside("ss", "-Hltn").stdout


def ends() -> int:
    """Return when the API server's certificate ends, seconds since 1970."""
    return int(
        on(
            "chick0",
            'date --date "$(openssl x509 -noout -enddate </etc/kubernetes/pki/apiserver.crt | cut -d= -f2)" +%s',
        )
    )


def renewed_after(before: int) -> bool:
    """Whether a renewal is through: a later end, nothing under way, and an API server that answers."""
    on("chick0", "! systemctl is-active --quiet henhouse-renewal.service")
    return ends() > before and bool(kubectl("get", "--raw", "/readyz"))


def kubectl_of_the_state() -> str:
    """Return the nodes as the kubeconfig in the stack's state sees them."""
    return on("chick0", f"kubectl --kubeconfig /dev/stdin get nodes <<'END'\n{output('kubeconfig')}\nEND")


def told_of_an_end(letters: mailbox.Maildir) -> bool:
    return any("CertificateNotRenewed" in str(letter) for letter in letters)


def test_short_certificates_renew_themselves_and_an_alert_fires_when_they_do_not(tmp_path: Path, clock: Clock) -> None:
    mail = {"to": ["ops@example.org"], "sender": "hen@example.org", "smarthost": f"{CAMPUS}:{MAIL_PORT}", "tls": "off"}
    short = {
        "cluster": {"certificate_lifetime": f"{LIFE // 60}m"},
        "monitoring": {"receivers": {"mail": {"type": "mail", **mail}}},
    }
    with mail_server(tmp_path) as letters, edited(short):
        for _ in range(RENEWALS):
            before = ends()
            with clock.timing("certificates renewed by the timer"):
                eventually("a renewal", partial(renewed_after, before), seconds=LIFE)
            pulumi("up", "--yes", "--skip-preview")
            assert "chick2 " in kubectl_of_the_state()
        assert not told_of_an_end(letters)

        on("chick0", "systemctl stop henhouse-renewal.timer")
        before = ends()
        with clock.timing("timer stopped → mail"):
            eventually("a mail", lambda: told_of_an_end(letters), seconds=2 * LIFE)
        assert ends() == before
        on("chick0", "systemctl start henhouse-renewal.timer")
        eventually("a renewal", partial(renewed_after, before), seconds=LIFE)
    assert not any(drift().values())
