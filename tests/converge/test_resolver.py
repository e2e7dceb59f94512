"""A machine with an init system asks its gateway for names, whoever wrote its resolv.conf."""

from ipaddress import IPv4Address

import pytest

from components.network.names.roles import resolver
from stacks.settings import DnsSettings
from tests.converge.scripts import RackShell

pytestmark = pytest.mark.hosts

ROLE = resolver(IPv4Address("127.0.0.2"), DnsSettings(upstreams=()))
"""Something on the machine itself stands for the gateway."""
BEFORE = "nameserver 192.0.2.1\\n"
LISTENER = """
cat >/etc/systemd/system/gateway.socket <<'UNIT'
[Socket]
ListenStream=127.0.0.2:53
Accept=yes
UNIT
cat >/etc/systemd/system/gateway@.service <<'UNIT'
[Service]
ExecStart=/bin/true
StandardInput=socket
UNIT
systemctl daemon-reload
"""
WRITERS = {
    "a plain file": f"rm -f /etc/resolv.conf; printf '{BEFORE}' >/etc/resolv.conf",
    "a link to a file that is made at boot": (
        f"printf '{BEFORE}' >/run/other-resolv.conf; ln -sf /run/other-resolv.conf /etc/resolv.conf"
    ),
    "nothing": "rm -f /etc/resolv.conf",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_machine_asks_the_gateway_once_it_answers(machine: RackShell, writer: str) -> None:
    assert machine.run(LISTENER + f"systemctl stop gateway.socket\n{WRITERS[writer]}").status == 0
    before = machine.run("cat /etc/resolv.conf").stdout
    refused = machine.apply(ROLE)
    assert refused.status != 0
    assert "keeps its former name servers" in refused.stderr
    assert machine.run("cat /etc/resolv.conf").stdout == before

    machine.run("systemctl start gateway.socket")
    assert machine.check(ROLE).differences
    assert machine.apply(ROLE).status == 0
    assert machine.run("cat /etc/resolv.conf").stdout == "search flock.internal\nnameserver 127.0.0.2\n"
    assert machine.check(ROLE).differences == []
    machine.run(f"printf '{BEFORE}' >>/etc/resolv.conf")
    assert [each["item"] for each in machine.check(ROLE).differences] == ["names come from the gateway"]
