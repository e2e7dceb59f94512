"""What nmap prints is read right: a scan that finds nothing looks like a site without a hole."""

from tests.acceptance.strangers import answers

PRINTED = """\
# Nmap 7.93 scan initiated
Host: 198.18.0.2 ()\tStatus: Up
Host: 198.18.0.2 ()\tPorts: 22/open/tcp//ssh///, 53/open/udp//domain///, 68/open|filtered/udp//dhcpc///, \
443/open/tcp//https///, 500/closed/udp//isakmp///\tIgnored State: closed (131065)
Host: 198.18.0.100 ()\tStatus: Up
Host: 198.18.0.100 ()\tPorts: 22/filtered/tcp//ssh///
# Nmap done
"""


def test_only_what_answers_counts() -> None:
    assert answers(PRINTED) == {
        "198.18.0.2": {("tcp", 22), ("udp", 53), ("tcp", 443)},
        "198.18.0.100": set(),
    }
