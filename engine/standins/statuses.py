"""From a provider's exceptions to the statuses of its protocol."""

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

from engine.standins.protocol import provider_pb2 as pb, status_pb2  # isort: skip  # before the rest of the protocol

import grpc
import grpc.aio

from engine.standins.resources import Failed, PartlyDone
from engine.standins.values import encode_map


class Statuses(grpc.aio.ServerInterceptor):
    """Turns exceptions into the statuses that the engine shows well."""

    def __init__(self, label: Callable[[str], str]) -> None:
        self._label = label

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or not handler.unary_unary:
            return handler

        async def guarded(request: Any, context: Any) -> Any:
            try:
                return await handler.unary_unary(request, context)
            except asyncio.CancelledError:
                await context.abort(grpc.StatusCode.CANCELLED, self._label("the operation was cancelled"))
            except PartlyDone as error:
                await self._abort_partly(error, context)
            except Failed as error:
                await context.abort(grpc.StatusCode.UNKNOWN, self._label_first(error))
            except grpc.aio.AbortError:
                raise
            except Exception:  # whatever it is, the engine has to hear of it
                await context.abort(grpc.StatusCode.INTERNAL, self._label(traceback.format_exc()))

        return grpc.unary_unary_rpc_method_handler(guarded, handler.request_deserializer, handler.response_serializer)

    def _label_first(self, error: Exception) -> str:
        """Only the first line: what follows may be a command's own output."""
        first, *rest = str(error).split("\n")
        return "\n".join([self._label(first), *rest])

    async def _abort_partly(self, error: PartlyDone, context: Any) -> None:
        detail = pb.ErrorResourceInitFailed(
            id=error.id,
            properties=encode_map(error.state),
            inputs=encode_map(error.inputs),
            reasons=[self._label(reason) for reason in error.reasons],
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=self._label_first(error))
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        await context.abort(grpc.StatusCode.UNKNOWN, self._label_first(error))
