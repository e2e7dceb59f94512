"""The protocol's generated modules, from the installed `pulumi` package, without importing the SDK itself.

A plugin starts at each command of the user, several at a time. The SDK's import costs each of them a third of a
second and gives it nothing; two bare parent packages let the generated modules load on their own.
"""

import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Final

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")


def _register_parents() -> None:
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise SystemExit(f"the pulumi package is not installed for {sys.executable}: run `uv sync`")
    root = Path(spec.origin).parent
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        module = types.ModuleType(name)
        module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module


_register_parents()

from pulumi.runtime.proto import (  # noqa: E402
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

UNLIMITED: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
"""Channel options: the engine sends messages of any size, and gRPC's default limit is 4 MiB."""

__all__ = [
    "UNLIMITED",
    "engine_pb2",
    "engine_pb2_grpc",
    "language_pb2",
    "language_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
]
