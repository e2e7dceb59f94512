"""The two servers, started for real in a rack's network namespace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import network
from lab.mirror.serve import Mirror, MirrorStatus, mirror_status, start_mirror, stop_mirror
from lab.processes import run
from lab.rack import Rack, RackError, parse_rack
from tests.lab.test_one_machine import RACK

pytestmark = pytest.mark.hosts


@pytest.fixture
def rack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rack]:
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path / "s"))
    rack = parse_rack("mirrortest", RACK)
    network.create(rack)
    yield rack
    stop_mirror(rack)
    network.remove(rack)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    root, registry = tmp_path / "root", tmp_path / "registry"
    root.mkdir()
    registry.mkdir()
    (root / "greeting").write_text("hello\n")
    return Mirror(root=root, registry=registry, keyring=root / "greeting")


def _curl(rack: Rack, *arguments: str) -> str:
    return run(network.inside(rack, ["curl", "--silent", "--max-time", "10", *arguments])).stdout.decode()


def test_serves_files_and_images_on_the_campus_address(rack: Rack, mirror: Mirror) -> None:
    start_mirror(rack, mirror)
    assert mirror_status(rack) == MirrorStatus(http=True, registry=True)
    assert _curl(rack, "http://198.18.0.1/greeting") == "hello\n"
    assert _curl(rack, "--write-out", "%{http_code}", "http://198.18.0.1:5000/v2/") == "{}200"


def test_registry_refuses_a_push(rack: Rack, mirror: Mirror) -> None:
    start_mirror(rack, mirror)
    answer = ["--output", "/dev/null", "--write-out", "%{http_code}", "--request", "POST"]
    assert _curl(rack, *answer, "http://198.18.0.1:5000/v2/x/blobs/uploads/") == "405"


def test_second_start_leaves_running_servers_alone(rack: Rack, mirror: Mirror) -> None:
    start_mirror(rack, mirror)
    before = network.dwellers(rack)
    start_mirror(rack, mirror)
    assert network.dwellers(rack) == before
    assert len(before) == 2


def test_stop_leaves_nothing_and_may_be_repeated(rack: Rack, mirror: Mirror) -> None:
    start_mirror(rack, mirror)
    stop_mirror(rack)
    stop_mirror(rack)
    assert mirror_status(rack) == MirrorStatus(http=False, registry=False)
    assert network.dwellers(rack) == set()


def test_server_that_does_not_come_up_is_reported_with_its_own_words(rack: Rack, mirror: Mirror) -> None:
    run(["ip", "-n", rack.namespace, "address", "flush", "dev", network.BRIDGE])
    with pytest.raises(RackError, match=r"(?s)mirror-http ended before it was ready.*Cannot assign requested address"):
        start_mirror(rack, mirror)
