"""Files that the hub's programs keep are replaced as a whole, in one way."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.apps.hub.site_json import MODULES
from programs.hub import keeping
from programs.hub.keeping import write_whole

HUB = Path(keeping.__file__).parent
OTHER_WAYS = ("os.replace(", "os.rename(", ".rename(", ".replace(self._", "mkstemp(", ".write_text(", ".write_bytes(")


def test_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    write_whole(file, {"when": 1})
    write_whole(file, {"when": 2})
    assert json.loads(file.read_text()) == {"when": 2}
    assert os.listdir(tmp_path) == ["kept.json"]


def test_reader_who_has_the_old_file_open_reads_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    write_whole(file, ["old"] * 1000)
    with file.open() as opened:
        write_whole(file, ["new"])
        assert json.loads(opened.read()) == ["old"] * 1000


def test_old_file_stays_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    write_whole(file, "old")
    with pytest.raises(TypeError):
        write_whole(file, {"when": object()})
    assert json.loads(file.read_text()) == "old"
    assert os.listdir(tmp_path) == ["kept.json"]


def test_old_file_stays_where_the_disk_takes_no_more(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    write_whole(file, "old")
    program = (
        "import sys; from pathlib import Path; from keeping import write_whole; "
        "write_whole(Path(sys.argv[1]), 'x' * 9000)"
    )

    def at_most_a_page() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=HUB,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=at_most_a_page,
    )
    assert done.returncode == 1
    assert "OSError" in done.stderr
    assert json.loads(file.read_text()) == "old"
    assert os.listdir(tmp_path) == ["kept.json"]


def test_content_is_on_the_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut there would be a file of the right name with nothing in it."""
    order: list[str] = []

    def noted(name: str) -> Callable[..., None]:
        real = getattr(os, name)

        def call(*given: Any) -> None:
            order.append(name)
            real(*given)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name))
    write_whole(tmp_path / "kept.json", 1)
    assert order == ["fsync", "replace"]


def test_there_is_one_way() -> None:
    assert "keeping.py" in MODULES
    others = [path for path in HUB.rglob("*.py") if path.name != "keeping.py"]
    assert [path.name for path in others if any(way in path.read_text() for way in OTHER_WAYS)] == []
