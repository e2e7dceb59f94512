"""The real proxy: what people read where it finds neither a server nor the hub, and what the hub hears of requests."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Final

import pytest
import requests

from components.apps.hub.proxy import proxy_command
from tests.bench.hub.programs import in_the_proxys_image
from tests.programs.hub.provided import SOON
from tests.stacks.sites import ROOT
from tests.tools import eventually, free_port, listens

pytestmark = pytest.mark.programs

PROGRAM: Final = (ROOT / "programs/hub/error_pages.js").read_text()
HERE: Final = "127.0.0.1"


@contextmanager
def running(*command: str) -> Iterator[None]:
    """Run a program of the proxy's image, as the image's user, until it is asked to end."""
    process = subprocess.Popen([*in_the_proxys_image("CONFIGPROXY_AUTH_TOKEN=t"), *command])
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=SOON)


@contextmanager
def proxy_of(hub: str) -> Iterator[str]:
    """Run the proxy of a hub at this address, and beside it what it asks for pages; yield the proxy's address."""
    pages, port = free_port(), free_port()
    local = (f"--ip={HERE}", f"--api-ip={HERE}", f"--port={port}", f"--api-port={free_port()}")
    sites = [each for each in proxy_command(hub) if isinstance(each, str) and "=" not in each]
    with (
        running("node", "-e", PROGRAM, "--", str(pages), f"{hub}/hub/error"),
        running(*sites, *local, f"--default-target={hub}", f"--error-target=http://{HERE}:{pages}"),
    ):
        eventually("both", lambda: listens(pages) and listens(port), seconds=SOON)
        yield f"http://{HERE}:{port}"


class Hub(BaseHTTPRequestHandler):
    """A hub that has a page for each error, says which headers came, and answers nothing else."""

    status = 200
    silent: Event | None = None

    def do_GET(self) -> None:
        if self.path == "/hub/headers":
            page = json.dumps(self.headers.items()).encode()
        elif not self.path.startswith("/hub/error/503?url="):
            return  # ends the connection
        elif self.silent:
            self.silent.wait()
            return
        else:
            page = f"hub's page of {self.path} é".encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def hub(status: int = 200, silent: Event | None = None) -> Iterator[str]:
    handler = type("Handler", (Hub,), {"status": status, "silent": silent})
    with ThreadingHTTPServer((HERE, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{HERE}:{server.server_port}"
        finally:
            if silent:
                silent.set()
            server.shutdown()


def says_that_the_hub_is_away(answer: requests.Response) -> bool:
    """Whether it is our page. JupyterLab asks again for a kernel for this status (see the edge)."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    return "Back in a moment" in answer.text and "What you have saved is safe" in answer.text


def test_hub_that_is_away_is_told_in_words() -> None:
    with proxy_of(f"http://{HERE}:{free_port()}") as address:
        for path in ("/", "/hub/home", "/user/ada/lab?a=%2F..&b", "//x/../y", "/hub/api"):
            assert says_that_the_hub_is_away(requests.get(f"{address}{path}", timeout=SOON)), path
        assert says_that_the_hub_is_away(requests.post(f"{address}/hub/login", data={"a": "b"}, timeout=SOON))


def test_page_of_the_hub_is_shown_where_it_has_one() -> None:
    with hub() as url, proxy_of(url) as address:
        answer = requests.get(f"{address}/user/ada/lab?a=1", timeout=SOON)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert answer.content.decode() == "hub's page of /hub/error/503?url=%2Fuser%2Fada%2Flab%3Fa%3D1 é"


def test_hub_hears_that_people_come_by_https() -> None:
    """As Tornado takes it: the last value of X-Forwarded-Proto is the proxy's own."""
    edge = {"X-Forwarded-Proto": "https", "X-Scheme": "https"}
    with hub() as url, proxy_of(url) as address:
        came = {name.lower(): value for name, value in requests.get(f"{address}/hub/headers", headers=edge).json()}
    assert came.get("x-scheme", came["x-forwarded-proto"]).split(",")[-1].strip() == "https"


def test_hub_that_cannot_make_its_page_is_away() -> None:
    """As while its database is down."""
    with hub(500) as url, proxy_of(url) as address:
        assert says_that_the_hub_is_away(requests.get(f"{address}/hub/home", timeout=SOON))


def test_hub_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with hub(silent=Event()) as url, proxy_of(url) as address:
        assert says_that_the_hub_is_away(requests.get(f"{address}/hub/home", timeout=SOON))
