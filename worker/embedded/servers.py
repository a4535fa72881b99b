"""Both embedded servers as one thing, and the way to those that another process of ours runs already."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
import redis

from worker.config.servers import postgres_parameters
from worker.embedded.errors import EmbeddedError
from worker.embedded.home import HomeLock, lock_is_held, prepare_home, read_state, write_state
from worker.embedded.postgres import EmbeddedPostgres
from worker.embedded.redis import EmbeddedRedis

if TYPE_CHECKING:
    from worker.embedded.server import EmbeddedServer

_STATE: Final = "servers.json"
_LOCK: Final = "servers.lock"
_LOOK_SECONDS: Final = 0.25
_REST_SECONDS: Final = 5.0
_URLS: Final = ("database", "database_tcp", "redis")

_log = logging.getLogger(__name__)


class LocalServers:
    """
    PostgreSQL and Redis of one home, for as long as this process wants them and lives.

    `start` takes a second or so, and a little more the first time. A second process with the same home gets
    HomeInUse from `start`; it can use `connect_existing`. With `keep_alive`, a server that dies is started again at
    once, on the same port with the same password, so that the urls stay good for as long as this object runs.
    """

    def __init__(
        self,
        home: Path,
        *,
        postgres_settings: Mapping[str, str] | None = None,
        redis_settings: Mapping[str, str] | None = None,
        keep_alive: bool = True,
    ) -> None:
        self.home = home
        self.postgres = EmbeddedPostgres(home, settings=postgres_settings)
        self.redis = EmbeddedRedis(home, settings=redis_settings)
        self._keep_alive = keep_alive
        self._keeper: _Keeper | None = None
        self._lock: HomeLock | None = None
        self._urls: dict[str, str] = {}

    @property
    def database_url(self) -> str:
        """`postgresql://…` of the application: by unix socket where that is possible."""
        return self._url("database")

    @property
    def database_owner_url(self) -> str:
        """`postgresql://…@127.0.0.1:…` of the tables' owner, for migrations, months, and programs such as pg_dump."""
        return self._url("database_tcp")

    @property
    def database_admin_url(self) -> str:
        """The superuser's; only where this object runs the servers."""
        return self.postgres.admin_url

    @property
    def redis_url(self) -> str:
        """`redis://…@127.0.0.1:…/0`."""
        return self._url("redis")

    @property
    def owned(self) -> bool:
        """Tell whether this object runs the servers; False for those of `connect_existing`."""
        return self._lock is not None and self._lock.held

    def start(self) -> Self:
        """Start both at the same time. EmbeddedError when one of them cannot be; then none is left running."""
        if self.owned:
            return self
        self.home = prepare_home(self.home)
        lock = HomeLock(self.home / _LOCK)
        lock.acquire()
        self._lock = lock
        try:
            self._start_both()
            write_state(self.home / _STATE, {"pid": os.getpid(), **self._urls})
            if self._keep_alive:
                self._keeper = _Keeper(self._both)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both; harmless when they are not running, or are somebody else's."""
        if self._lock is None or not self._lock.held:
            return
        (self.home / _STATE).unlink(missing_ok=True)
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda server: server.stop(), self._both))
        self._urls = {}
        self._lock.release()
        self._lock = None

    def running(self) -> bool:
        """Tell whether both answer."""
        return bool(self._urls) and _answer(self._urls)

    @property
    def _both(self) -> tuple[EmbeddedServer, EmbeddedServer]:
        return self.postgres, self.redis

    def _start_both(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            starts = [pool.submit(server.start) for server in self._both]
            try:
                wait(starts)
            except BaseException:  # Ctrl-C while they start
                for server in self._both:
                    server.cancel()
                raise
        problems = [error for error in (start.exception() for start in starts) if error is not None]
        if problems:
            raise problems[0]
        self._urls = {
            "database": self.postgres.url,
            "database_tcp": self.postgres.owner_url,
            "redis": self.redis.url,
        }

    def _url(self, name: str) -> str:
        if name not in self._urls:
            raise EmbeddedError("The embedded servers are not running.", "Call start() first.")
        return self._urls[name]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()


class _Keeper:
    """A thread that looks after servers and starts again which one has died."""

    def __init__(self, servers: Sequence[EmbeddedServer]) -> None:
        self._servers = servers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="embedded-servers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look after them no longer; a start that is under way gives up."""
        self._over.set()
        for server in self._servers:
            server.cancel()
        self._thread.join()

    def _watch(self) -> None:
        rest = _LOOK_SECONDS
        while not self._over.wait(rest):
            rest = _LOOK_SECONDS
            for server in self._servers:
                try:
                    server.revive()
                except EmbeddedError as error:
                    rest = _REST_SECONDS
                    _log.error("embedded server could not be started again: %s", error)


def connect_existing(home: Path) -> LocalServers | None:
    """
    The servers that another process runs for this home, seen to answer; None when there are none.

    Stopping what it gives leaves them running. Nothing is written, so it is safe at any moment.
    """
    home = home.expanduser().resolve()
    state = read_state(home / _STATE)
    if state is None or not lock_is_held(home / _LOCK):
        return None
    urls = _urls_in(state)
    if urls is None or not _answer(urls):
        return None
    servers = LocalServers(home)
    servers._urls = urls
    return servers


def _urls_in(state: Mapping[str, Any]) -> dict[str, str] | None:
    urls = {name: url for name in _URLS if isinstance(url := state.get(name), str)}
    return urls if len(urls) == len(_URLS) else None


def _answer(urls: Mapping[str, str]) -> bool:
    """The passwords are random: who accepts them is the server that the state speaks of."""
    try:
        with psycopg.connect(**postgres_parameters(urls["database"]), connect_timeout=5):
            pass
        with redis.Redis.from_url(urls["redis"], socket_timeout=5) as client:
            return bool(client.ping())
    except (psycopg.Error, redis.RedisError):
        return False
