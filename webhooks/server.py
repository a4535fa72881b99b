"""
The HTTP server: uvicorn with uvloop and httptools, held to limits that it does not have by itself.

A request whose headers or body do not arrive within `REQUEST_SECONDS`, or whose headers are larger than
`MOST_HEADER_BYTES`, has its connection closed, so that a sender who trickles or floods holds nothing for long. So has a
sender who does not read its answers, who sends blank lines for ever, or who sends on and on without waiting
(`webhooks.protocol`). There are never more connections than open files allow (`webhooks.connections`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from typing_extensions import override

from webhooks.app import Application, create_app
from webhooks.connections import most_connections, raise_file_limit
from webhooks.protocol import LimitedProtocol, State
from webhooks.refusals import Refusals
from worker.errors import ConfigurationError
from worker.store import schema
from worker.store.engine import is_away, make_engine

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from worker.config import Settings
    from worker.config.again import Files
    from worker.runtime import Publisher

REQUEST_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 10
"""How long a connection may stay open without a request, until it has carried a signed event."""
BACKLOG: Final = 2_048
GRACE_SECONDS: Final = 10


class Server(uvicorn.Server):
    """uvicorn's server, which tells its address when it serves, and ends with the process's own status."""

    server_state: State

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[str, int], None],
        refusals: Refusals,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        super().__init__(config)
        self.on_ready = on_ready
        self.request_seconds = request_seconds
        self.server_state = State(refusals, most_connections())

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
        self.server_state.refusals.flush(everything=True)
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
                    self.server_state.refusals.note("slow", connection.address)
                    connection.transport.abort()
            self.server_state.refusals.flush()


def make_server(
    app: ASGIApp,
    host: str,
    port: int,
    on_ready: Callable[[str, int], None],
    *,
    request_seconds: float = REQUEST_SECONDS,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
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
        timeout_keep_alive=keep_alive_seconds,  # type: ignore[arg-type]  # a fraction will do
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    if not isinstance(app, Application):
        return Server(config, on_ready, Refusals(), request_seconds)
    server = Server(config, on_ready, app.refusals, request_seconds)
    app.figures.most_connections = server.server_state.most_connections
    app.figures.connections = server.server_state.connections.__len__
    return server


def serve(
    settings: Settings,
    on_ready: Callable[[str, int], None] | None = None,
    *,
    publisher: Publisher | None = None,
    files: Files | None = None,
    on_renewed: Callable[[Settings], None] = lambda _settings: None,
) -> None:
    """
    Serve until SIGTERM or SIGINT. `on_ready(host, port)` is called once connections are taken.

    ConfigurationError before anything is started when the database's schema is not this release's. A database that
    is away is waited for instead, as `/readyz` says.
    """
    require_schema(settings)
    raise_file_limit()
    app = create_app(settings, publisher=publisher, files=files, on_renewed=on_renewed)
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
