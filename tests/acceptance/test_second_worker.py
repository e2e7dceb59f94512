"""A living site gets a second machine for user servers; one is drained, the other loses its power and is taken away.

A part of `make chaos`. The machine is there for these tests alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from lab.keys import public_key
from lab.machines import machines
from lab.rack import RACKS, load_rack
from tests.acceptance.site import (
    STACK,
    Clock,
    drained,
    drift,
    edited,
    in_the_pod,
    kubectl,
    on,
    password,
)
from tests.browser.session import LAB_SECONDS, SPAWN_SECONDS, Notebook, open_notebook
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

USER: Final = "ada"
FIRST: Final = "chick2"
SECOND: Final = "chick3"
ADDRESS: Final = "198.18.0.103"
FILE: Final = "written-before-the-drain.txt"
MACHINE: Final = f"""
[machines.{SECOND}]
kind = "uml"
address = "{ADDRESS}"
memory = "3G"
cpus = 2
"""
HOST: Final = {
    "address": ADDRESS,
    "duties": ["worker"],
    "purpose": "user",
    "host_key": public_key(SECOND),
}


def test_person_of_a_drained_machine_works_on_with_their_files_on_another(clock: Clock) -> None:
    with second_machine(clock):
        assert not any(drift().values())
        kubectl("cordon", SECOND)  # so that the first start is on the machine that is drained
        with open_notebook(USER, password()) as notebook:
            notebook.run(f"open('{FILE}', 'w').write('kept'); print('written')")
            notebook.expect_output("written")
            assert machine_of_the_server() == FIRST
            kubectl("uncordon", SECOND)
            with clock.timing("node drained → a notebook on the other machine has the file"), drained(FIRST):
                reads_why_and_starts_again(notebook.page, clock)
                works_with_the_file(notebook)
                assert machine_of_the_server() == SECOND
                in_the_pod(USER, f"echo ' on {SECOND}' >> {FILE}")
        written = f"/nest/homes/{USER}/{FILE}"
        assert on("hen", f"cat {written}; stat --format %u:%g {written} /nest/homes/{USER}").split() == [
            "kept",
            "on",
            SECOND,
            *[on("hen", f"stat --format %u:%g /nest/homes/{USER}").strip()] * 2,
        ]
    assert ADDRESS not in on("hen", "exportfs -s")
    assert not any(drift().values())


def reads_why_and_starts_again(page: Page, clock: Clock) -> None:
    """Look at what JupyterLab says, and at the page of the server that ended with its machine; press its button."""
    eventually("JupyterLab's word on the end", lambda: says_so_in_lab(page), seconds=SPAWN_SECONDS)
    eventually("the hub's page", lambda: says_that_it_ended(page), seconds=SPAWN_SECONDS)
    expect(page.get_by_text("its machine is being serviced")).to_be_visible()
    expect(page.get_by_text("Your files are safe")).to_be_visible()
    with clock.timing("start on the other machine"):
        page.get_by_role("button", name="Launch Server").click()
        page.wait_for_url(f"**/user/{USER}/lab**", timeout=SPAWN_SECONDS * 1000, wait_until="commit")


def says_so_in_lab(page: Page) -> bool:
    """Whether JupyterLab asks about a new start. Before that, it may have found that it can save nothing any more."""
    not_saved = page.get_by_role("dialog").filter(has_text="File Save Error")
    if not_saved.is_visible():
        expect(not_saved).to_contain_text(f"Restart the server at {origin(page)}/hub/spawn/{USER}")
        not_saved.get_by_role("button", name="Close").click()
    asks = page.get_by_role("dialog").filter(has_text=f"Your server at /user/{USER}/ is not running")
    return asks.is_visible() and asks.get_by_text("Would you like to restart it?").is_visible()


def says_that_it_ended(page: Page) -> bool:
    """Whether the server's address leads to the hub's page about a server that does not run."""
    with suppress(PlaywrightTimeout):  # the proxy waits for an answer from the machine
        page.goto(f"{origin(page)}/user/{USER}/lab", wait_until="commit", timeout=5_000)
    return page.get_by_text("is not running").first.is_visible()


def works_with_the_file(notebook: Notebook) -> None:
    """Read in a new notebook what was written before the drain."""
    page = notebook.page
    page.goto(f"{origin(page)}/user/{USER}/lab?reset", timeout=LAB_SECONDS * 1000, wait_until="commit")
    notebook.open()
    notebook.run(f"print(open('{FILE}').read())")
    notebook.expect_output("kept")


def origin(page: Page) -> str:
    """Return the hub's address, up to the first slash of the path."""
    return "/".join(page.url.split("/")[:3])


def machine_of_the_server() -> str:
    """Return the name of the node of the person's pod."""
    return kubectl("--namespace", "users", "get", "pod", f"jupyter-{USER}", "--output", "jsonpath={.spec.nodeName}")


@contextmanager
def second_machine(clock: Clock) -> Iterator[None]:
    """Have one more machine in the rack and in the settings; at the end it is gone before the settings forget it."""
    file = RACKS / f"{STACK}.toml"
    kept = file.read_text()
    file.write_text(kept + MACHINE)
    (machine,) = machines(load_rack(STACK), (SECOND,))
    try:
        with clock.timing("a second worker: added, worked on, taken away"), edited({"hosts": {SECOND: HOST}}):
            try:
                yield
            finally:
                file.write_text(kept)
                machine.destroy()
    finally:
        file.write_text(kept)
        machine.destroy()
        kubectl("delete", "node", SECOND, "--ignore-not-found")
