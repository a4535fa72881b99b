"""
The HTTP server: uvicorn with uvloop and httptools, held to limits that it does not have by itself.

A request whose headers or body do not arrive within `REQUEST_SECONDS`, or whose headers are larger than
`MOST_HEADER_BYTES`, has its connection closed, so that a sender who trickles or floods holds nothing for long. So has a
sender who does not read its answers, who sends blank lines for ever, or who sends on and on without waiting.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webhooks.app import create_app
from worker.errors import ConfigurationError
from worker.store import schema
from worker.store.engine import is_away, make_engine

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from worker.config import Settings
    from worker.runtime import Publisher

REQUEST_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 65
MOST_HEADER_BYTES: Final = 64 * 1024
MOST_PIPELINED: Final = 100
"""Requests on one connection that wait for the answer to an earlier one; HTTP clients send the next one after it."""
MOST_DROPPED_BYTES: Final = 8 * 1024 * 1024
"""Of a body that nobody reads, since its request is answered: so much may come while the sender takes note."""
UNREAD_SHARE: Final = 6
"""So many times longer than a request may take to arrive, an answer may take to be read: some links are slow."""
BACKLOG: Final = 2_048
GRACE_SECONDS: Final = 10

_FRAMING: Final = 8
"""Bytes on the line for each byte of a body: chunks of a single byte, the least sensible ones, take six."""

_HEAD: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"HTTP/1.1 100"
_HEAD_END: Final = b"\r\n\r\n"
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class OneWrite:
    """
    A transport that sends the head of an answer together with the first piece of its body.

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
            self._head = data
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


class LimitedProtocol(HttpToolsProtocol):
    """
    httptools with an end to patience.

    `since` is when the request that is still arriving began, `unread_since` when the other side stopped reading its
    answers; None where neither is so.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.since: float | None = None
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
        self.since = self.loop.time()

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


class Server(uvicorn.Server):
    """uvicorn's server, which tells its address when it serves, and ends with the process's own status."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[str, int], None], request_seconds: float = REQUEST_SECONDS
    ) -> None:
        super().__init__(config)
        self.on_ready = on_ready
        self.request_seconds = request_seconds

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, without raising the signal again at the end: a stop that was asked for is no failure."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also begins to look after slow senders, and says where it listens."""
        await super().startup(sockets)
        self._patience = asyncio.get_running_loop().create_task(self._end_slow_requests(), name="patience")
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self.on_ready(host, port)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Requests that are complete are answered first."""
        self._patience.cancel()
        for connection in list(self.server_state.connections):
            if isinstance(connection, LimitedProtocol) and connection.since is not None:
                connection.transport.close()
        await super().shutdown(sockets)

    async def _end_slow_requests(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.request_seconds / 5)
            now = loop.time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, LimitedProtocol) and connection.is_too_slow(now, self.request_seconds):
                    connection.transport.abort()


def make_server(
    app: ASGIApp,
    host: str,
    port: int,
    on_ready: Callable[[str, int], None],
    *,
    request_seconds: float = REQUEST_SECONDS,
) -> Server:
    """
    A server for an application; `on_ready` gets the host and the real port, on the server's own loop.

    A request that has not arrived whole after `request_seconds` is cut, and an answer that is not read after
    `UNREAD_SHARE` times that.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=LimitedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, on_ready, request_seconds)


def serve(
    settings: Settings, on_ready: Callable[[str, int], None] | None = None, *, publisher: Publisher | None = None
) -> None:
    """
    Serve until SIGTERM or SIGINT. `on_ready(host, port)` is called once connections are taken.

    ConfigurationError before anything is started when the database's schema is not this release's. A database that
    is away is waited for instead, as `/readyz` says.
    """
    require_schema(settings)
    app = create_app(settings, publisher=publisher)
    server = make_server(app, settings.receiver.host, settings.receiver.port, on_ready or (lambda _host, _port: None))
    server.run()


def require_schema(settings: Settings) -> None:
    """ConfigurationError, naming `contactsync migrate`, unless the schema is right or the database away."""
    if settings.database.url is None:
        raise ConfigurationError("database.url is not set")
    engine = make_engine(settings.database.url, pool_size=1, application_name="receiver-start")
    try:
        with engine.connect() as connection:
            schema.require_current(connection)
    except ConfigurationError:
        raise
    except Exception as error:
        if not is_away(error):
            raise
    finally:
        engine.dispose()
