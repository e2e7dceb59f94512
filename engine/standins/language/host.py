"""`pulumi-language-python`: the engine's language runtime service for Python projects."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from engine.standins.protocol import (  # isort: skip  # has to come before anything else of the protocol
    UNLIMITED,
    language_pb2 as pb,
    language_pb2_grpc,
    plugin_pb2,
)

import grpc
import grpc.aio
from google.protobuf import empty_pb2

from engine.standins import mark
from engine.standins.language.executor import ALREADY_REPORTED
from engine.standins.language.toolchain import Toolchain, ToolchainError, resolve
from engine.standins.server import until_orphaned
from lab.versions import PULUMI

_EXECUTOR: Final = Path(__file__).with_name("executor.py")

_LIST_PACKAGES: Final = """
import importlib.metadata as metadata, json
print(json.dumps(sorted((each.metadata["Name"], each.version) for each in metadata.distributions())))
"""


def _label(text: str) -> str:
    return f"[lab stand-in: python] {text}"


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs one program at a time."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._program: asyncio.subprocess.Process | None = None

    async def Handshake(self, request: Any, context: Any) -> pb.LanguageHandshakeResponse:
        self._engine = request.engine_address
        return pb.LanguageHandshakeResponse()

    async def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=PULUMI)

    async def GetRequiredPlugins(self, request: Any, context: Any) -> pb.GetRequiredPluginsResponse:
        return pb.GetRequiredPluginsResponse()

    async def GetRequiredPackages(self, request: Any, context: Any) -> pb.GetRequiredPackagesResponse:
        """None: else the engine starts a plugin for each SDK installed. The program's requests name what they need.

        The official host asks the toolchain what is installed; what keeps it from that is an error here too.
        """
        await _require_list(_toolchain_of(request.info))
        return pb.GetRequiredPackagesResponse()

    async def GetProgramDependencies(self, request: Any, context: Any) -> pb.GetProgramDependenciesResponse:
        toolchain = _toolchain_of(request.info)
        await _require_list(toolchain)
        found = json.loads(await _ask(toolchain.python, "-c", _LIST_PACKAGES))
        return pb.GetProgramDependenciesResponse(
            dependencies=[pb.DependencyInfo(name=name, version=version) for name, version in found]
        )

    async def About(self, request: Any, context: Any) -> pb.AboutResponse:
        python = _toolchain_of(request.info).python
        version = await _ask(python, "--version")
        return pb.AboutResponse(executable=str(python), version=version.split()[-1])

    async def InstallDependencies(self, request: Any, context: Any) -> AsyncIterator[pb.InstallDependenciesResponse]:
        yield pb.InstallDependenciesResponse(stdout=_label("run `uv sync` to install the dependencies\n").encode())

    async def Run(self, request: Any, context: Any) -> pb.RunResponse:
        if not request.dryRun and (reason := self._refusal(request)):
            return pb.RunResponse(error=_label(reason))
        try:
            code = await self._run(request)
        except (OSError, ToolchainError) as error:
            return pb.RunResponse(error=_label(str(error)))
        if code == ALREADY_REPORTED:
            return pb.RunResponse(bail=True)
        return pb.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    async def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        if self._program and self._program.returncode is None:
            self._program.send_signal(signal.SIGINT)
        return empty_pb2.Empty()

    @staticmethod
    def _refusal(request: Any) -> str | None:
        """Return why the program must not change the stack; None when it may.

        The stack's file and what the engine made of it must agree: `--config-file` may have named another file.
        """
        reason = mark.refusal(request.stack, Path(request.info.root_directory))
        if reason is None and not mark.is_true(request.config.get(mark.KEY)):
            return f"refusing to change stack {request.stack!r}: the configuration in use lacks {mark.KEY}"
        return reason

    async def _run(self, request: Any) -> int:
        settings = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        # What the program prints goes the way of this process's own output: to the engine, which shows it.
        self._program = await asyncio.create_subprocess_exec(
            _toolchain_of(request.info).python,
            _EXECUTOR,
            json.dumps(settings),
            request.pwd or ".",
            request.info.entry_point,
            *request.args,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
        )
        return await self._program.wait()


def _toolchain_of(info: Any) -> Toolchain:
    return resolve(Path(info.root_directory), Path(info.program_directory), dict(info.options.items()))


async def _require_list(toolchain: Toolchain) -> None:
    """Fail where the official host could not list the packages (`ListPackages`, sdk/python/toolchain/pip.go)."""
    if not toolchain.lists_with_pip:
        return
    process = await asyncio.create_subprocess_exec(
        toolchain.python, "-c", "import pip", stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise ToolchainError(f"calling `{toolchain.python} -m pip list --format json`: exit status 1")


async def _ask(python: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        python, *arguments, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    answer, _ = await process.communicate()
    return answer.decode()


class Explained(grpc.aio.ServerInterceptor):
    """Gives the engine the words of a ToolchainError; without it, it would say only that an exception came out."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or not handler.unary_unary:
            return handler

        async def answer(request: Any, context: Any) -> Any:
            try:
                return await handler.unary_unary(request, context)
            except ToolchainError as error:
                await context.abort(grpc.StatusCode.UNKNOWN, _label(str(error)))

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)


async def _serve() -> None:
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    server = grpc.aio.server(options=UNLIMITED, interceptors=[Explained()])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(addresses[-1] if addresses else ""), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await until_orphaned()


def main() -> None:
    """Serve the engine until it ends this process."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    asyncio.run(_serve())
