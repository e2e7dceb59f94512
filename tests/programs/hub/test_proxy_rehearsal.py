"""The next proxy is started in its image before the one that people use is stopped."""

import subprocess
from typing import Final

import pytest

from tests.bench.hub.programs import in_the_proxys_image
from tests.certificates import LOOPBACK
from tests.stacks.sites import ROOT
from tests.tools import free_port, listens

pytestmark = pytest.mark.programs

PROGRAM: Final = (ROOT / "programs/hub/rehearse_proxy.js").read_text()


def rehearsed(*command: str, port: int, seconds: int = 60) -> "subprocess.CompletedProcess[str]":
    """Run the program in the proxy's image, as the image's user; return what it says, on both streams."""
    rehearsal = ("node", "-e", PROGRAM, "--", str(port), str(seconds), *command)
    return subprocess.run(
        [*in_the_proxys_image("CONFIGPROXY_AUTH_TOKEN=T0P-S3CRET"), *rehearsal],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def proxy(port: int, *more: str) -> tuple[str, ...]:
    local = (f"--ip={LOOPBACK}", f"--api-ip={LOOPBACK}", f"--port={port}", f"--api-port={free_port()}")
    return ("configurable-http-proxy", *local, "--default-target=http://127.0.0.1:1", *more)


def test_proxy_that_answers_passes_and_is_ended() -> None:
    port = free_port()
    done = rehearsed(*proxy(port), port=port)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "the proxy answers"
    assert "T0P-S3CRET" not in done.stdout
    assert not listens(port)


def test_what_the_proxy_says_is_said() -> None:
    port = free_port()
    done = rehearsed(*proxy(port, "--no-such-option"), port=port)
    assert done.returncode == 1
    assert "unknown option '--no-such-option'" in done.stdout
    assert done.stdout.splitlines()[-1] == "the proxy ended with 1"


def test_image_without_the_proxy_is_told() -> None:
    done = rehearsed("no-such-program", port=free_port())
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "the proxy did not start: spawn no-such-program ENOENT"


def test_proxy_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    port = free_port()
    done = rehearsed(*proxy(port), port=free_port(), seconds=2)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "the proxy has not answered in 2 s"
    assert not listens(port)
