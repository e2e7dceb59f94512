"""Property values, there and back."""

from typing import Any

import pytest
from google.protobuf import struct_pb2

from engine.standins.values import (
    ASSET,
    OUTPUT,
    SECRET,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_TEXT,
    Secret,
    decode,
    decode_map,
    encode,
    encode_map,
    has_unknown,
    plain,
)


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "",
        True,
        False,
        7,
        -1.5,
        [1, "a", [None]],
        {"a": {"b": [True]}},
        {SIGNATURE: ASSET, "text": "content"},
        UNKNOWN,
    ],
)
def test_round_trip(value: Any) -> None:
    decoded = decode(encode(value))
    assert decoded == value
    assert type(decoded) is type(value)


def test_a_property_without_a_value_is_absent() -> None:
    assert decode_map(encode_map({"a": None, "b": 1})) == {"b": 1}


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ({SIGNATURE: SECRET, "value": "word"}, "word"),
        ({SIGNATURE: SECRET, "value": {SIGNATURE: SECRET, "value": [1]}}, [1]),
        ({SIGNATURE: OUTPUT, "value": "known"}, "known"),
        ({SIGNATURE: OUTPUT}, UNKNOWN),
        ({SIGNATURE: SECRET, "value": UNKNOWN_TEXT}, UNKNOWN),
    ],
)
def test_wrapped_values_are_unwrapped(sent: Any, seen: Any) -> None:
    assert decode(encode(sent)) == seen


def test_secret_outputs_are_wrapped() -> None:
    wrapped = encode(Secret("word"))
    assert isinstance(wrapped, struct_pb2.Value)
    assert wrapped.struct_value.fields[SIGNATURE].string_value == SECRET
    assert wrapped.struct_value.fields["value"].string_value == "word"
    assert plain({"a": [Secret({"b": Secret(1)})]}) == {"a": [{"b": 1}]}


def test_has_unknown() -> None:
    assert has_unknown({"a": [1, {"b": UNKNOWN}]})
    assert not has_unknown({"a": [1, {"b": ""}]})
