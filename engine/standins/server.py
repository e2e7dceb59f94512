"""The gRPC service around a table of resource types, and the process that serves it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from engine.standins.protocol import (  # isort: skip  # has to come before anything else of the protocol
    UNLIMITED,
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2 as pb,
    provider_pb2_grpc,
)

import grpc.aio
from google.protobuf import empty_pb2

from engine.standins import mark
from engine.standins.diffs import Diff, differences
from engine.standins.resources import Call, Failed, Invalid, PartlyDone, Resource, hears_cancel
from engine.standins.statuses import Statuses
from engine.standins.values import Props, decode_map, encode_map

Function = Callable[[Call, Props], Awaitable[Props]]

_LOOK_FOR_PARENT_SECONDS: Final = 2


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider plugin. Subclasses say how it is configured and where a type's implementation is."""

    accepts_secrets = False
    """Whether it marks the secrets in its responses itself; else the engine marks what secret inputs make secret."""

    def __init__(
        self,
        name: str,
        version: str,
        resources: Mapping[str, Resource] | None = None,
        functions: Mapping[str, Function] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.config: Props = {}
        self._resources = resources or {}
        self._functions = functions or {}
        self._engine: engine_pb2_grpc.EngineStub | None = None
        self._running: set[asyncio.Task[Any]] = set()

    def find(self, token: str) -> Resource:
        """Return the implementation of a type."""
        if token not in self._resources:
            raise Failed(f"this plugin has no resource type {token}; use the official one")
        return self._resources[token]

    async def configure(self, config: Props) -> None:
        """Take the provider's configuration; unknown values appear only in previews."""
        self.config = config

    def diff_config(self, olds: Props, news: Props) -> Diff:
        """Return what a change of the provider's own configuration means for its resources."""
        return Diff(differences(olds, news))

    def label(self, text: str) -> str:
        """Return the text, with each line marked as the stand-in's."""
        return "\n".join(f"[lab stand-in: {self.name}] {line}" for line in text.split("\n"))

    def connect(self, address: str) -> None:
        """Talk to the engine at `address` from now on."""
        if address:
            self._engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address, options=UNLIMITED))

    async def log(self, urn: str, text: str, ephemeral: bool) -> None:
        """Show text beside the resource; an operation does not fail for want of a listener."""
        if self._engine is None:
            return
        message = engine_pb2.LogRequest(
            severity=engine_pb2.INFO, message=self.label(text), urn=urn, ephemeral=ephemeral
        )
        try:
            await cast(Awaitable[empty_pb2.Empty], self._engine.Log(message))
        except grpc.aio.AioRpcError as error:
            print(self.label(f"the engine does not take the log line {text!r}: {error.details()}"), file=sys.stderr)

    def _call(self, request: Any) -> Call:
        return Call(request.urn, self.log, getattr(request, "timeout", 0) or 0)

    @staticmethod
    def _refuse_unless_lab(urn: str) -> None:
        reason = mark.refusal(mark.stack_of(urn), Path.cwd())
        if reason:
            raise Failed(reason)

    # The protocol (proto/pulumi/provider.proto of pulumi/pulumi).

    async def Handshake(self, request: Any, context: Any) -> pb.ProviderHandshakeResponse:
        self.connect(request.engine_address)
        return pb.ProviderHandshakeResponse(supports_autonaming_configuration=True, accept_secrets=self.accepts_secrets)

    async def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.connect(request.address)
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.version)

    async def GetSchema(self, request: Any, context: Any) -> pb.GetSchemaResponse:
        return pb.GetSchemaResponse(schema="{}")

    async def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        for task in filter(hears_cancel, self._running):
            task.cancel()
        return empty_pb2.Empty()

    async def CheckConfig(self, request: Any, context: Any) -> pb.CheckResponse:
        return pb.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> pb.DiffResponse:
        olds = request.old_inputs if request.old_inputs.fields else request.olds
        return self.diff_config(decode_map(olds), decode_map(request.news)).response()

    async def Configure(self, request: Any, context: Any) -> pb.ConfigureResponse:
        await self.configure(decode_map(request.args))
        return pb.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True, acceptSecrets=self.accepts_secrets
        )

    async def Invoke(self, request: Any, context: Any) -> pb.InvokeResponse:
        if request.tok not in self._functions:
            raise Failed(f"this plugin has no function {request.tok}; use the official one")
        call = Call(f"urn:pulumi:::::{request.tok}::", self.log)
        result = await self._functions[request.tok](call, decode_map(request.args))
        answer = pb.InvokeResponse()
        getattr(answer, "return").CopyFrom(encode_map(result))  # the field's name is a word of the language
        return answer

    async def Check(self, request: Any, context: Any) -> pb.CheckResponse:
        proposed = request.autonaming.proposed_name if request.HasField("autonaming") else ""
        call = Call(request.urn, self.log, seed=request.randomSeed, proposed_name=proposed)
        resource = self.find(call.token)
        try:
            inputs = await resource.check(call, decode_map(request.olds), decode_map(request.news))
        except Invalid as error:
            failures = [pb.CheckFailure(property=name, reason=self.label(why)) for name, why in error.failures]
            return pb.CheckResponse(inputs=request.news, failures=failures)
        return pb.CheckResponse(inputs=encode_map(resource.sealed(inputs, decode_map(request.news, secrets=True))))

    async def Diff(self, request: Any, context: Any) -> pb.DiffResponse:
        call = self._call(request)
        olds, news = decode_map(request.old_inputs), decode_map(request.news)
        found = await self.find(call.token).diff(call, decode_map(request.olds), olds, news)
        return found.ignoring(request.ignoreChanges).response()

    async def Create(self, request: Any, context: Any) -> pb.CreateResponse:
        call, news = self._call(request), decode_map(request.properties)
        resource = self.find(call.token)
        given = decode_map(request.properties, secrets=True)
        if request.preview:
            return pb.CreateResponse(
                properties=encode_map(resource.sealed(await resource.preview_create(call, news), given))
            )
        self._refuse_unless_lab(call.urn)
        async with self._cancellable(), _partly_sealed(resource, given):
            id, state = await resource.create(call, news)
        return pb.CreateResponse(id=id, properties=encode_map(resource.sealed(state, given)))

    async def Update(self, request: Any, context: Any) -> pb.UpdateResponse:
        call, state, news = self._call(request), decode_map(request.olds), decode_map(request.news)
        resource = self.find(call.token)
        given = decode_map(request.news, secrets=True)
        if request.preview:
            planned = await resource.preview_update(call, request.id, state, news)
            return pb.UpdateResponse(properties=encode_map(resource.sealed(planned, given)))
        self._refuse_unless_lab(call.urn)
        async with self._cancellable(), _partly_sealed(resource, given):
            changed = await resource.update(call, request.id, state, news)
        return pb.UpdateResponse(properties=encode_map(resource.sealed(changed, given)))

    async def Read(self, request: Any, context: Any) -> pb.ReadResponse:
        call = self._call(request)
        state, inputs = decode_map(request.properties), decode_map(request.inputs)
        if state or inputs:  # a refresh; without them the program looks something up, which a preview may do too
            self._refuse_unless_lab(call.urn)
        resource = self.find(call.token)
        async with self._cancellable():
            found = await resource.read(call, request.id, state, inputs)
        if found is None:
            return pb.ReadResponse()
        given = decode_map(request.inputs, secrets=True)
        fresh, said = (encode_map(resource.sealed(each, given)) for each in found)
        return pb.ReadResponse(id=request.id, properties=fresh, inputs=said)

    async def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        call = self._call(request)
        self._refuse_unless_lab(call.urn)
        async with self._cancellable():
            await self.find(call.token).delete(call, request.id, decode_map(request.properties))
        return empty_pb2.Empty()

    @asynccontextmanager
    async def _cancellable(self) -> AsyncIterator[None]:
        """Let the engine's Cancel end what runs inside."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)


@asynccontextmanager
async def _partly_sealed(resource: Resource, given: Props) -> AsyncIterator[None]:
    """Mark what is secret in the state of an operation that is only partly done, too."""
    try:
        yield
    except PartlyDone as error:
        error.state, error.inputs = (resource.sealed(each, given) for each in (error.state, error.inputs))
        raise


async def until_orphaned() -> None:
    """Return when the process that started this one has gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(_LOOK_FOR_PARENT_SECONDS)


async def _serve(provider: Provider) -> None:
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    provider.connect(addresses[0] if addresses else "")
    server = grpc.aio.server(options=UNLIMITED, interceptors=[Statuses(provider.label)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)  # how the engine learns where to call
    await until_orphaned()


def serve(provider: Provider) -> None:
    """Run the plugin until the engine ends it, by SIGINT or by its own death."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    main: Coroutine[Any, Any, None] = _serve(provider)
    asyncio.run(main)
