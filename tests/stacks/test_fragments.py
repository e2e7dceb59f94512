"""A site's own fragments: read from a folder, and refused with file and line before anything is touched."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.apps.hub.site_json import config_files
from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings import Site
from stacks.settings.fragments import LOGIN_FRAGMENT, own_fragments
from tests.stacks.sites import changed, tree

GOOD = "from henhouse_hub import c\n\nc.JupyterHub.active_server_limit = 5\n"


def written(directory: Path, files: Mapping[str, str | bytes], name: str = "site/fragments") -> None:
    """Write files below a folder beside the stack's file."""
    (directory / name).mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        path = directory / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def parsed(directory: Path, **hub: object) -> Site:
    return parse_settings(changed(tree("dev"), {"hub": hub}), directory)


def refusal(directory: Path, **hub: object) -> str:
    with pytest.raises(SettingsError) as refused:
        parsed(directory, **hub)
    return str(refused.value)


def test_fragments_are_read_as_they_are(tmp_path: Path) -> None:
    leftovers: dict[str, str | bytes] = {".gitignore": "", "__pycache__/35-x.pyc": b"\0", ".35-limit.py.swp": b"\0"}
    written(tmp_path, {"35-limit.py": GOOD, "99-z.py": "", **leftovers})
    fragments = parsed(tmp_path, fragments="site/fragments").hub.fragments
    assert fragments is not None
    assert fragments.texts() == {"35-limit.py": GOOD, "99-z.py": ""}


def test_own_names_are_those_of_the_pod() -> None:
    menu = {"repository": "quay.io/team/lab"}
    cull = {"groups": [{"groups": ["staff"], "kernels": {"cull_idle_timeout": 3600}}]}
    hub = {"image_menu": menu, "cull": cull}
    site = parse_settings(changed(tree("dev"), {"mirrors": {"registry": None}, "hub": hub}))
    in_the_pod = {name for name in config_files(site.hub) if re.match("[0-9][0-9]-", name)}
    assert in_the_pod == own_fragments()


@pytest.mark.parametrize("name", ["10-hub.py", LOGIN_FRAGMENT, "35-menu.py", "70-site.py"])
def test_name_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path, {name: GOOD})
    assert f"{name} is henhouse's own: choose another name" in refusal(tmp_path, fragments="site/fragments")


@pytest.mark.parametrize(
    "name",
    [
        "gpu.py",
        "3-gpu.py",
        "350-gpu.py",
        "35-GPU.py",
        "35-gpu.PY",
        "35_gpu.py",
        "35-gpu.txt",
        "more/35-gpu.py",
        "35-.py",
    ],
)
def test_name_outside_the_grammar_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path, {name: GOOD})
    assert f"{name} is not a fragment's name" in refusal(tmp_path, fragments="site/fragments")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n\nc.JupyterHub.x = (\n", "line 3: '(' was never closed"),
        ("if True:\nprint()\n", "line 2: expected an indented block"),
        ("\treturn 1\n", "line 1: "),
        ("await x\n", "line 1: "),
        ("from henhouse_hub import c\nx = 1\n\0", "line 3: has a null byte"),
        (b"# caf\xe9\n", "line 1: is not UTF-8"),
        (b"\n\n# caf\xe9\n", "line 3: is not UTF-8"),
        ("\nc.JupyterHub.x = 1\n", "line 2: c is not defined; write: from henhouse_hub import c"),
        ("c = get_config()\n", "line 1: get_config is not defined; write: from henhouse_hub import c"),
        ("from henhouse_hub import c, sites\n", "line 1: henhouse_hub has no sites; it has c, secret, site"),
        ("from henhouse_hub import c\nc.X.y = true\n", "line 2: true is not defined"),
    ],
)
def test_what_would_stop_the_hub_is_said_with_file_and_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    written(tmp_path, {"35-gpu.py": text})
    assert f"35-gpu.py, {says}" in refusal(tmp_path, fragments="site/fragments")


@pytest.mark.parametrize(
    "text",
    [
        "from os.path import *\n\njoin('a')\n",
        "import os.path as p, sys\n\nprint(p, sys, __file__)\n",
        "def f(a, *b, k=1, **d):\n    global g\n    g = [x for x in (a, b, k, d)]\n    return lambda y: y + f\n",
        "class A:\n    def f(self):\n        return super().f(), __class__\n",
        "try:\n    pass\nexcept OSError as e:\n    print(e)\n",
        "match {}:\n    case {'a': a, **rest}:\n        print(a, rest)\n",
        "match []:\n    case [x, *xs] as y:\n        print(x, xs, y)\n",
        "async def hook(spawner):\n    async with spawner as s:\n        await s\n",
        "if (n := 1) > 0:\n    print(n)\n",
    ],
)
def test_sound_python_is_accepted(tmp_path: Path, text: str) -> None:
    written(tmp_path, {"35-gpu.py": text})
    parsed(tmp_path, fragments="site/fragments")


@pytest.mark.parametrize(
    "path", [".", "./", "../x", "/etc", "a/../../b", "~/fragments", "", 5, ["a"], {"35-x.py": "text"}]
)
def test_only_a_folder_beside_the_stacks_file_is_read(tmp_path: Path, path: object) -> None:
    below = tmp_path / "stack"
    written(tmp_path, {"35-x.py": GOOD}, "x")
    below.mkdir()
    assert "hub.fragments: " in refusal(below, fragments=path)


def test_links_are_refused(tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    written(tmp_path, {"35-x.py": GOOD}, "elsewhere")
    written(stack, {})
    (stack / "site/fragments/35-x.py").symlink_to(tmp_path / "elsewhere/35-x.py")
    (stack / "link").symlink_to(tmp_path / "elsewhere")
    assert "35-x.py is a link" in refusal(stack, fragments="site/fragments")
    assert "leads out of the stack's folder" in refusal(stack, fragments="link")


def test_missing_folder_is_said_with_its_place(tmp_path: Path) -> None:
    assert f"is not a folder; there is none at {tmp_path}/site/none" in refusal(tmp_path, fragments="site/none")


@pytest.mark.parametrize("sizes", [(400, 200), (5000,)])
def test_more_than_a_config_map_holds_is_refused(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    written(tmp_path, {f"3{number}-x.py": "#" * size * 1024 for number, size in enumerate(sizes)})
    assert "KiB" in refusal(tmp_path, fragments="site/fragments")


def test_all_mistakes_of_a_folder_are_said_at_once(tmp_path: Path) -> None:
    written(tmp_path, {"10-hub.py": GOOD, "x.py": GOOD, "35-x.py": "(", "36-x.py": "c.A.b = d\n"})
    said = refusal(tmp_path, fragments="site/fragments")
    for each in ("10-hub.py is", "x.py is not a", "35-x.py, line 1", "36-x.py, line 1: c", "36-x.py, line 1: d"):
        assert each in said
