"""
One connection of the HTTP server: uvicorn's httptools protocol, held to limits that it does not have by itself.

A sender who trickles, floods or does not read is ended by a count of bytes here, or by the clock in `webhooks.server`.
Every answer leaves with the security headers, also those that no application made.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from webhooks.connections import Activity, Sender, to_close
from webhooks.headers import secured
from webhooks.problems import PROBLEM_TYPE, problem_body
from webhooks.receive import SENDER
from webhooks.refusals import Refusals

SIGNED_KEEP_ALIVE_SECONDS: Final = 65
"""
How long a connection that has carried a signed event may stay open without a request: longer than proxies keep theirs,
so that none is reopened. Any other is closed sooner (`webhooks.server`).
"""
MOST_HEADER_BYTES: Final = 64 * 1024
MOST_PIPELINED: Final = 100
"""Requests on one connection that wait for the answer to an earlier one; HTTP clients send the next one after it."""
MOST_DROPPED_BYTES: Final = 8 * 1024 * 1024
"""Of a body that nobody reads, since its request is answered: so much may come while the sender takes note."""
UNREAD_SHARE: Final = 6
"""So many times longer than a request may take to arrive, an answer may take to be read: some links are slow."""

_FRAMING: Final = 8
"""Bytes on the line for each byte of a body: chunks of a single byte, the least sensible ones, take six."""

_HEAD: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"HTTP/1.1 100"
_HEAD_END: Final = b"\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_NOT_HTTP: Final = problem_body(400, "this is not an HTTP request")
_NOT_HTTP_HEAD: Final = (
    f"HTTP/1.1 400 Bad Request\r\ncontent-type: {PROBLEM_TYPE}\r\ncontent-length: {len(_NOT_HTTP)}\r\n"
    "connection: close\r\n\r\n"
).encode()

_QUIET: Final = logging.getLogger("webhooks.http")
# uvicorn writes a line for each request that it cannot read: anyone could fill the disk. They are counted instead.
_QUIET.setLevel(logging.ERROR)


class OneWrite:
    """
    A transport that sends the head of an answer together with the first piece of its body, and adds to it the headers
    that every answer has.

    uvicorn writes them one after the other and uvloop makes a system call of each: a sixth of what an event costs
    here. A transport that has been closed swallows what is written, as the sender is gone.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        """Keep a head back; send anything else with what was kept."""
        if data.startswith(_HEAD) and data.endswith(_HEAD_END) and not data.startswith(_CONTINUE):
            self.flush()
            self._head = secured(data)
        elif not self._transport.is_closing():
            self._transport.write(self._head + data if self._head else data)
            self._head = b""

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""

    def close(self) -> None:
        """Send what is left and end the connection."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class TooManyWaiting(Exception):
    """More requests wait on one connection than an honest sender sends at once; uvicorn makes it a 400 and an end."""


class State(ServerState):
    """What the connections of one server share."""

    def __init__(self, refusals: Refusals, most_connections: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.most_connections = most_connections

    def make_room(self) -> None:
        """Close connections where there are too many, the least useful first."""
        held = [one for one in self.connections if isinstance(one, LimitedProtocol) and not one.transport.is_closing()]
        if len(held) <= self.most_connections:
            return
        for connection in to_close(held, self.most_connections):
            self.refusals.crowd(connection.address, self.most_connections)
            connection.transport.abort()


class LimitedProtocol(HttpToolsProtocol):
    """
    httptools with an end to patience.

    `since` is when the request that is still arriving began, `unread_since` when the other side stopped reading its
    answers; None where neither is so.
    """

    server_state: State

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.logger = _QUIET
        self.sender = Sender()
        self.app_state = {**self.app_state, SENDER: self.sender}  # uvicorn hands each request a copy
        self.since: float | None = None
        self.idle_since = 0.0
        self.unread_since: float | None = None
        self.other_bytes = 0
        self.dropped_bytes = 0
        self.in_headers = True
        self._began = False
        self._body_bytes = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = OneWrite(transport)  # type: ignore[assignment]
        self.since = self.idle_since = self.loop.time()
        if len(self.connections) > self.server_state.most_connections:
            self.server_state.make_room()

    @property
    def address(self) -> str:
        """Whose connection it is; of a proxy, all are."""
        return self.client[0] if self.client else ""

    @property
    def activity(self) -> Activity:
        """What it does now."""
        if self.since is not None:
            return Activity.ARRIVING
        return Activity.IDLE if self.cycle.response_complete and not self.pipeline else Activity.ANSWERING

    @property
    def active_since(self) -> float:
        """Since when it has been idle, or its request has been arriving."""
        return self.idle_since if self.since is None else self.since

    @override
    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP."""
        self.server_state.refusals.note("not_http", self.address)
        self.transport.write(_NOT_HTTP_HEAD)
        self.transport.write(_NOT_HTTP)
        self.transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        self._began, self._body_bytes = False, 0
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.since is None and self.cycle.response_complete:
            # Blank lines, or what follows an upgrade: uvicorn no longer looks after a connection that says anything.
            self.since = self.loop.time()
        if not self._began:
            # What is no body: headers that go on, chunks' extensions, trailers. Where a request begins in the middle of
            # what was read, this piece does not count; it is 256 kB at most, and the next ones do.
            self.other_bytes += max(0, len(data) - _FRAMING * self._body_bytes)
        if self.since is None:
            return
        if self.other_bytes > MOST_HEADER_BYTES:
            self.server_state.refusals.note("headers", self.address)
            if self.in_headers:
                self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self.dropped_bytes > MOST_DROPPED_BYTES:
            self.transport.close()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread_since = self.loop.time()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread_since = None

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.since = self.loop.time()
        self.other_bytes = self.dropped_bytes = 0
        self.in_headers = self._began = True

    @override
    def on_headers_complete(self) -> None:
        self.in_headers = False
        if len(self.pipeline) >= MOST_PIPELINED:
            raise TooManyWaiting
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self.cycle.response_complete:
            self.dropped_bytes += len(body)
        super().on_body(body)

    @override
    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]
        self.idle_since = self.loop.time()
        if self.sender.signed:
            self.timeout_keep_alive = SIGNED_KEEP_ALIVE_SECONDS
        super().on_response_complete()
        if self.pipeline:
            # uvicorn reads on after each answer, and so takes in more requests than it answers.
            self.flow.pause_reading()

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.since = None

    def is_too_slow(self, now: float, request_seconds: float) -> bool:
        """Whether its request takes longer than that to arrive, or its answers much longer to be read."""
        begun, unread = self.since, self.unread_since
        return (begun is not None and now - begun > request_seconds) or (
            unread is not None and now - unread > UNREAD_SHARE * request_seconds
        )
