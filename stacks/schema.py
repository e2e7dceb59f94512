"""Writes docs/settings.md and docs/settings.schema.json from the models: `python -m stacks.schema`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from stacks.settings import Site

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
MARKDOWN: Final = DOCS / "settings.md"
SCHEMA: Final = DOCS / "settings.schema.json"

HEADER: Final = """# Settings

Everything that a stack's file may say, under `henhouse:`. This page is made from the docstrings in `stacks/settings` by
`make docs`; editors read [settings.schema.json](settings.schema.json). What has no default must be given.

In the file, `henhouse:hub` and its like are below `config:`, two spaces further in; beside it, nothing would read them,
and they are refused. A date is written in quotes: without them Pulumi makes a point in time of it.
"""


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a stack's file, for editors: the settings are the keys `henhouse:…` of `config`."""
    site = Site.model_json_schema(ref_template="#/$defs/{model}")
    definitions = site.pop("$defs")
    settings = {f"henhouse:{name}": _as_written(value) for name, value in site["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A henhouse stack's file",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": settings,
                "required": [f"henhouse:{name}" for name in site["required"]],
            }
        },
        "$defs": {name: _as_written(value) for name, value in definitions.items()},
    }


def _as_written(node: Any) -> Any:
    """Return the schema of a value as a stack's file has it.

    The engine quotes booleans there and encrypts secrets as {secure: …}.
    """
    if isinstance(node, list):
        return [_as_written(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "boolean":
        return {**node, "type": ["boolean", "string"], "enum": [True, False, "true", "false"]}
    if node.get("format") == "password":
        secure = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
        return {"anyOf": [node, secure]}
    return {key: _as_written(value) for key, value in node.items()}


def schema_text() -> str:
    """Return the text of the schema as it is committed."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


def markdown() -> str:
    """Return the settings as tables, one for each model, in the order in which the tree names them."""
    tree = Site.model_json_schema()
    sections = [HEADER, _section("henhouse", tree, tree)]
    sections += [_section(title, tree["$defs"][model], tree) for title, model in _walk("", tree, tree)]
    return "\n".join(sections)


def _walk(prefix: str, node: Mapping[str, Any], tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in node.get("properties", {}).items():
        models, suffix = _models_of(value)
        path = f"{prefix}{name}{suffix}"
        for model in models:
            kind = f", type {tree['$defs'][model]['properties']['type']['const']}" if len(models) > 1 else ""
            yield f"{path}{kind}", model
            yield from _walk(f"{path}.", tree["$defs"][model], tree)


def _models_of(value: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the models that a field may hold, and how one of them is addressed below the field's name."""
    inner, suffix = value, ""
    if "patternProperties" in value:
        inner, suffix = next(iter(value["patternProperties"].values())), ".<name>"
    elif "items" in value:
        inner, suffix = value["items"], "[]"
    inner, suffix = next(((each["items"], "[]") for each in inner.get("anyOf", []) if "items" in each), (inner, suffix))
    options = [inner, *(each for key in ("anyOf", "oneOf", "allOf") for each in inner.get(key, []))]
    return [option["$ref"].rsplit("/", 1)[1] for option in options if "$ref" in option], suffix


def _section(title: str, node: Mapping[str, Any], tree: Mapping[str, Any]) -> str:
    rows = [
        f"## {title}",
        "",
        _oneline(node.get("description", "")),
        "",
        "| setting | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, value in node.get("properties", {}).items():
        models = _models_of(value)[0]
        meaning = value.get("description") or (tree["$defs"][models[0]].get("description", "") if models else "")
        default = _default(value, required=name in node.get("required", []))
        rows.append(f"| `{name}` | {default} | {_oneline(meaning)}{_accepted(value)} |")
    return "\n".join([*rows, ""])


def _default(value: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "**required**"
    default = value.get("default")
    if isinstance(default, dict) and set(default) == {"type"}:
        return f"`{json.dumps(default['type'])}`"
    if _models_of(value)[0] and isinstance(default, dict):
        return "see below"
    return "none" if default is None else f"`{json.dumps(default)}`"


def _accepted(value: Mapping[str, Any]) -> str:
    choices = value.get("enum") or value.get("items", {}).get("enum")
    if choices:
        return f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    bounds = [
        f"{words} {value[key]}"
        for key, words in (("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"))
        if key in value
    ]
    return f" {', '.join(bounds).capitalize()}." if bounds else ""


def _oneline(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    MARKDOWN.write_text(markdown())
    SCHEMA.write_text(schema_text())
