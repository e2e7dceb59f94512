"""Other programs want the last word at the next boot of every machine. A part of `make chaos`.

The machines keep the intruders (docs/boot.md says what is to become of each), and work on with them.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.site import HOSTS, Clock, drift, kubectl, lab, make, on, password
from tests.browser.session import login_page, open_notebook
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

INTRUDERS: Final = Path(__file__).with_name("intruders.sh")
USER: Final = "lovelace"
READY: Final = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}'


def test_machines_are_as_they_were_after_a_reboot_with_intruders(clock: Clock) -> None:
    for host in HOSTS:
        on(host, INTRUDERS.read_text())
    lab("power", "cut")
    with clock.timing("power back, with intruders → login page"):
        lab("power", "on")
        eventually("the login page", login_page, seconds=900)
    eventually("every node", lambda: set(kubectl("get", "nodes", "--output", READY).split()) == {"True"}, seconds=300)
    for node in kubectl("get", "nodes", "--output", "jsonpath={.items[*].metadata.name}").split():
        assert on(node, "swapon --noheadings --show") == ""
    assert not any(drift().values())
    make("drift")
    with open_notebook(USER, password()) as page:
        page.run("print(6 * 7)")
        page.expect_output("42")
