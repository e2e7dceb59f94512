"""What a setting accepts, in words, from the schema of the settings; and how a value that was given is shown."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stacks.settings.types import SPELLED

Node = Mapping[str, Any]
"""A node of a JSON schema."""
FORMATS: Final = {
    "ipv4": "an IPv4 address, such as 192.0.2.10",
    "ipv4network": "an IPv4 network without host bits, such as 192.0.2.0/24",
    "ipv4interface": "an IPv4 address with the length of its network's prefix, such as 192.0.2.10/24",
    "uri": "an address that begins with https:// or http://, such as https://www.example.org/",
}
"""By the schema's `format`."""
SHOWN: Final = 300
"""Characters of a given text that are shown."""


def accepted(node: Node, resolved: Callable[[Node], Node]) -> str:
    """Return what is accepted at a node; `resolved` puts the models that a node refers to in its place."""
    options = [each for each in (node.get("anyOf") or node.get("oneOf") or (node,)) if each.get("type") != "null"]
    return " or ".join(dict.fromkeys(_one(each, resolved) for each in options))


def _one(node: Node, resolved: Callable[[Node], Node]) -> str:
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return " or ".join(map(str, node["enum"]))
    if "anyOf" in node or "oneOf" in node:
        return accepted(node, resolved)
    whole = resolved(node)
    match whole.get("type"):
        case "integer":
            return " ".join(["a whole number", *_bounds(whole)])
        case "number":
            return " ".join(["a number", *_bounds(whole)])
        case "boolean":
            return "true or false"
        case "string":
            return _text(whole)
        case "array":
            return _list(whole, resolved)
        case "object":
            return _mapping(whole)
    return "another value (docs/settings.md)"


def _bounds(node: Node) -> Iterator[str]:
    least, most, above = node.get("minimum"), node.get("maximum"), node.get("exclusiveMinimum")
    if least is not None and most is not None:
        yield f"from {least} to {most}"
    elif least is not None:
        yield f"of {least} or more"
    elif above is not None:
        yield f"of more than {above}" + (f", and at most {most}" if most is not None else "")
    elif most is not None:
        yield f"of at most {most}"


def _text(node: Node) -> str:
    if node.get("pattern") in SPELLED:
        return SPELLED[node["pattern"]]
    if node.get("format") in FORMATS:
        return FORMATS[node["format"]]
    least, most = node.get("minLength"), node.get("maxLength")
    if least and most:
        return f"text of {least} to {most} characters"
    if most:
        return f"text of at most {most} characters"
    return f"text of at least {least} character{'s' if least > 1 else ''}" if least else "text"


def _list(node: Node, resolved: Callable[[Node], Node]) -> str:
    least, most = node.get("minItems"), node.get("maxItems")
    many = [f"at least {least}"] if least else []
    many += [f"at most {most}"] if most else []
    what = accepted(node.get("items") or {}, resolved)
    return f"a list{' of ' + ' and '.join(many) if many else ''}; each entry: {what}"


def _mapping(node: Node) -> str:
    if names := node.get("properties"):
        return f"settings of its own: {', '.join(sorted(names))}"
    return "names with a value each" + (", at least one" if node.get("minProperties") else "")


def shown(value: object) -> str:
    """Return a given value as a stack's file has it, and what kind it is where it is more than one value."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
        case int() | float():
            return str(value)
        case Mapping():
            return "settings by name" if value else "{}"
        case _:
            return "a list" if value else "[]"
