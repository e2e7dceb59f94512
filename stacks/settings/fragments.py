"""Configuration of the hub that a site writes itself: Python files that load between henhouse's own."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from programs import hub as hub_program
from stacks.settings.files import KIBIBYTE, Folder, check_folder, read_folder, too_large

LOGIN_FRAGMENT: Final = "21-login.py"
"""What the fragment of the site's way to log in is called in the hub's pod."""
NAME: Final = re.compile(r"[0-9]{2}-[a-z0-9][a-z0-9-]{0,58}\.py")
LARGEST: Final = 512 * KIBIBYTE
"""Half of a ConfigMap, in which henhouse's own fragments are, too."""
OFFERED: Final = ("c", "secret", "site")
"""What a fragment may import from `henhouse_hub`."""
_ALWAYS: Final = frozenset({*dir(builtins), "__file__", "__name__", "__doc__"})


def own_fragments() -> frozenset[str]:
    """Return the names of henhouse's own fragments."""
    found = Path(hub_program.__file__).parent.rglob("[0-9][0-9]-*.py")
    return frozenset({LOGIN_FRAGMENT, *(path.name for path in found)})


def _check(folder: Folder) -> list[str]:
    wrong = too_large({name: len(text) for name, text in folder.files.items()}, LARGEST, "fragments have together")
    for name, content in folder.files.items():
        if not NAME.fullmatch(name):
            wrong.append(f"{name} is not a fragment's name: two digits, -, lower-case words and .py, such as 35-gpu.py")
        elif name in own_fragments():
            wrong.append(f"{name} is henhouse's own: choose another name; henhouse's are {_list(own_fragments())}")
        else:
            wrong += [f"{name}, {problem}" for problem in problems_in(content)]
    return wrong


def problems_in(content: bytes) -> list[str]:
    """Return what is wrong with a fragment, each with its line.

    Only what would certainly stop the hub is found: the file is read as Python, and not run.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return [f"line {content[: error.start].count(10) + 1}: is not UTF-8"]
    if "\0" in text:
        return [f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: has a null byte"]
    try:
        tree = ast.parse(text)
        compile(tree, "fragment", "exec")
    except SyntaxError as error:
        return [f"line {error.lineno or 1}: {error.msg}"]
    return [*_unknown_imports(tree), *_undefined(tree)]


def _unknown_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "henhouse_hub":
            for alias in node.names:
                if alias.name not in (*OFFERED, "*"):
                    yield f"line {node.lineno}: henhouse_hub has no {alias.name}; it has {', '.join(OFFERED)}"


def _undefined(tree: ast.Module) -> Iterator[str]:
    """Yield names that are used and bound nowhere in the file, each once."""
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names) for node in nodes):
        return
    bound = set(_ALWAYS)
    for node in nodes:
        bound.update(_bound_by(node))
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
            bound.add(node.id)
            advice = f"; write: from henhouse_hub import {node.id}" if node.id in OFFERED else ""
            advice = "; write: from henhouse_hub import c" if node.id == "get_config" else advice
            yield f"line {node.lineno}: {node.id} is not defined{advice}"


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            if isinstance(node, ast.ClassDef):
                yield "__class__"
        case ast.arg(arg=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


FragmentsFolder = Annotated[
    Folder,
    PlainValidator(read_folder),
    AfterValidator(check_folder(_check)),
    WithJsonSchema({"type": "string"}),
]
"""A folder with fragments and nothing else."""
