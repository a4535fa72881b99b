"""Both embedded servers as one thing, and the way to those that another process of ours runs already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self

import psycopg
import redis

from worker.embedded.errors import EmbeddedError
from worker.embedded.home import HomeLock, lock_is_held, prepare_home, read_state, write_state
from worker.embedded.postgres import EmbeddedPostgres
from worker.embedded.redis import EmbeddedRedis

_STATE: Final = "servers.json"
_LOCK: Final = "servers.lock"
_URLS: Final = ("database", "database_tcp", "redis")


class LocalServers:
    """
    PostgreSQL and Redis of one home, for as long as this process wants them and lives.

    `start` takes a second or so, and a little more the first time. A second process with the same home gets
    HomeInUse from `start`; it can use `connect_existing`.
    """

    def __init__(
        self,
        home: Path,
        *,
        postgres_settings: Mapping[str, str] | None = None,
        redis_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.postgres = EmbeddedPostgres(home, settings=postgres_settings)
        self.redis = EmbeddedRedis(home, settings=redis_settings)
        self._lock: HomeLock | None = None
        self._urls: dict[str, str] = {}

    @property
    def database_url(self) -> str:
        """`postgresql://…`, for clients on this machine: by unix socket where that is possible."""
        return self._url("database")

    @property
    def database_tcp_url(self) -> str:
        """`postgresql://…@127.0.0.1:…`, for programs that cannot use the socket."""
        return self._url("database_tcp")

    @property
    def redis_url(self) -> str:
        """`redis://…@127.0.0.1:…/0`."""
        return self._url("redis")

    @property
    def owned(self) -> bool:
        """Tell whether this object runs the servers; False for those of `connect_existing`."""
        return self._lock is not None

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
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both; harmless when they are not running, or are somebody else's."""
        if self._lock is None:
            return
        (self.home / _STATE).unlink(missing_ok=True)
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda server: server.stop(), (self.postgres, self.redis)))
        self._urls = {}
        self._lock.release()
        self._lock = None

    def running(self) -> bool:
        """Tell whether both answer."""
        return bool(self._urls) and _answer(self._urls)

    def _start_both(self) -> None:
        with ThreadPoolExecutor(2) as both:
            starts = [both.submit(server.start) for server in (self.postgres, self.redis)]
        problems = [error for error in (start.exception() for start in starts) if error is not None]
        if problems:
            raise problems[0]
        self._urls = {
            "database": self.postgres.url,
            "database_tcp": self.postgres.tcp_url,
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
        with psycopg.connect(urls["database"], connect_timeout=5):
            pass
        with redis.Redis.from_url(urls["redis"], socket_timeout=5) as client:
            return bool(client.ping())
    except (psycopg.Error, redis.RedisError):
        return False
