"""Property values as the engine sends them, to plain Python values and back.

Secrets are unwrapped: most plugins decline them, so that the engine itself carries secretness from each input to the
output of the same name; one that accepts them marks the secrets in its responses itself (`annotated`). A value that is
secret by nature is returned as `Secret(value)`.
The signatures are those of sdk/go/common/resource/plugin/rpc.go and sig/sig.go of pulumi/pulumi.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Props = dict[str, Any]


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final[Any] = _Unknown()
"""Stands for a value that the engine cannot know yet; only previews have any."""


@dataclass(frozen=True)
class Secret:
    """An output that the engine must encrypt."""

    value: Any


def decode(value: struct_pb2.Value, secrets: bool = False) -> Any:
    """One value; assets and archives stay as objects with their signature. With `secrets`, a secret is a `Secret`."""
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [decode(item, secrets) for item in value.list_value.values]
        case "struct_value":
            return _decode_object(value.struct_value, secrets)
    return None


def _decode_object(struct: struct_pb2.Struct, secrets: bool) -> Any:
    signature = struct.fields[SIGNATURE].string_value if SIGNATURE in struct.fields else ""
    if signature not in (SECRET, OUTPUT):
        return decode_map(struct, secrets)
    inner = decode(struct.fields["value"], secrets) if "value" in struct.fields else UNKNOWN
    hidden = signature == SECRET or ("secret" in struct.fields and struct.fields["secret"].bool_value)
    return Secret(inner) if secrets and hidden else inner


def decode_map(struct: struct_pb2.Struct, secrets: bool = False) -> Props:
    """Return an object's properties as Python values: plain ones or, with `secrets`, each secret as a `Secret`."""
    return {key: decode(item, secrets) for key, item in struct.fields.items()}


def encode(value: Any) -> struct_pb2.Value:
    """One value, `UNKNOWN` and `Secret` included."""
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_TEXT)
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case Secret():
            return encode({SIGNATURE: SECRET, "value": value.value})
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case Mapping():
            return struct_pb2.Value(struct_value=encode_map(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[encode(item) for item in value]))


def encode_map(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Encode an object's properties. One without a value is dropped: to the engine, null and missing differ."""
    return struct_pb2.Struct(fields={key: encode(value) for key, value in values.items() if value is not None})


def has_unknown(value: Any) -> bool:
    """Whether anything inside is not known yet."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)


def without_nulls(values: Props) -> Props:
    """Return the properties that have a value: to the SDK, `None` and not given are the same."""
    return {key: value for key, value in values.items() if value is not None}


def plain(value: Any) -> Any:
    """Return the value without its secrecy, at any depth."""
    match value:
        case Secret():
            return plain(value.value)
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def _contains_secrets(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(_contains_secrets(item) for item in items)


def annotated(outputs: Props, inputs: Props) -> Props:
    """Return the outputs, with each that has a secret input of its name made secret, as deep as objects go.

    A list with a secret in it is secret as a whole: its order may have changed.
    """
    return {key: _annotated(value, inputs.get(key)) for key, value in outputs.items()}


def _annotated(value: Any, given: Any) -> Any:
    if isinstance(value, dict) and isinstance(given, dict):
        return annotated(value, given)
    return Secret(plain(value)) if _contains_secrets(given) else value
