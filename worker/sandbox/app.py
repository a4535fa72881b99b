"""
From a socket to a simulator and back: `/robaws/api/v2/…` is `/api/v2/…` of the simulated Robaws, and so on.

A delay is slept without holding up other requests; a dropped answer closes the connection without a byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.vendors.simulation import SimRequest, SimResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from worker.sandbox.world import World
    from worker.vendors.simulation import Simulator

TRANSPORT = "sandbox.transport"


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which hands the application its connection, so that it can be closed on purpose."""

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # one more key than uvicorn's own type has
        scope[TRANSPORT] = self.transport


class SandboxApp:
    """The whole of the sandbox as one ASGI application: simulators by the first segment of the path, else `control`."""

    def __init__(self, world: World, control: ASGIApp) -> None:
        self._world = world
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "http":
            system, _, rest = scope["path"][1:].partition("/")
            simulator = self._world.simulators.get(system)
            if simulator is not None:
                await _simulate(simulator, f"/{rest}", scope, receive, send)
                return
        await self._control(scope, receive, send)


async def _simulate(simulator: Simulator, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # A header that comes twice is one list (RFC 9110, 5.3): two content types are seen as such.
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    body = await _body(receive)
    if body is None:
        return
    query = scope["query_string"].decode("latin-1")
    response = simulator.handle(SimRequest(scope["method"], path, query, headers, body))
    if response.delay_seconds and not await _still_there_after(response.delay_seconds, receive):
        return
    if response.dropped:
        await _drop(scope, receive)
    else:
        await _answer(response, send)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None where the caller went away before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _still_there_after(seconds: float, receive: Receive) -> bool:
    """Wait, unless the caller goes away first."""
    try:
        async with asyncio.timeout(seconds):
            await _gone(receive)
    except TimeoutError:
        return True
    return False


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drop(scope: Scope, receive: Receive) -> None:
    scope[TRANSPORT].close()
    # Returning before the connection is gone would make uvicorn answer with a 500.
    await _gone(receive)


async def _answer(response: SimResponse, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status not in {204, 304}:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
