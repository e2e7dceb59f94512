"""Takes no value of a setting for one of another kind.

By itself, pydantic takes true for 1, 1 and "yes" for true, and 10 for the address 0.0.0.10: a slip of the keyboard
would become a setting that was never written.
"""

import json
import re
from typing import Any, Final, cast

from pydantic_core import CoreSchema, core_schema

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_BOOLEANS: Final = {"true": True, "false": False}
_OUTSIDE: Final = ("metadata", "serialization", "cls", "default")
"""What a schema has beside the schemas that it is made of."""


def exact(schema: CoreSchema) -> CoreSchema:
    """Return the schema of a model with each number, boolean and address in it exact.

    A number and a boolean may be text all the same, as the engine passes a setting of its own, and as
    `pulumi config set --path` writes 0.5; but in one spelling, which is JSON's.
    """
    return cast(CoreSchema, _exact(schema))


def _exact(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return type(node)(_exact(each) for each in node)
    if not isinstance(node, dict):
        return node
    match node.get("type"):
        case "bool":
            return core_schema.no_info_before_validator_function(
                _as_boolean, cast(CoreSchema, {**node, "strict": True})
            )
        case "int" | "float":
            return core_schema.no_info_before_validator_function(_as_number, cast(CoreSchema, {**node, "strict": True}))
        case "model-fields":  # by the names of the fields, which may be any
            return {**node, "fields": {name: _exact(field) for name, field in node["fields"].items()}}
        case "lax-or-strict" if _is_of_addresses(node):
            return core_schema.no_info_before_validator_function(_no_number, cast(CoreSchema, node))
    return {name: value if name in _OUTSIDE else _exact(value) for name, value in node.items()}


def _is_of_addresses(node: dict[str, Any]) -> bool:
    """Return whether a schema is one of `ipaddress`'s: Python's classes take a number for an address."""
    return "ip_v4" in repr(node["lax_schema"])


def _as_boolean(value: Any) -> Any:
    return _BOOLEANS.get(value, value) if isinstance(value, str) else value


def _as_number(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _no_number(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError("must be text, such as 192.0.2.10: a number would be another address")
    return value
