"""Where a drill takes place: a running `contactsync up` with servers of its own, and the sandbox behind it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import redis

from worker.config.servers import postgres_parameters
from worker.drills.parts import Parts
from worker.drills.vendors import Vendors, sandbox_of
from worker.embedded.home import read_state
from worker.embedded.servers import connect_existing
from worker.errors import ConfigurationError, NotReachable

if TYPE_CHECKING:
    from worker.config import Settings


@dataclass(frozen=True)
class Place:
    """Everything that a strike may take hold of. `stop` is set when the person wants the drill to end."""

    settings: Settings
    vendors: Vendors
    parts: Parts
    chance: random.Random
    tell: Callable[[str], None] = lambda _line: None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def home(self) -> Path:
        """The home of the running product."""
        return Path(self.settings.home)

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the drill's own as the tables' owner, each statement a transaction."""
        own = {"connect_timeout": 5, "application_name": "drill"}
        url = self.settings.database.owner_url or ""
        return psycopg.connect(autocommit=True, **{**postgres_parameters(url), **own})

    def redis(self) -> redis.Redis:
        """A client of the drill's own."""
        return redis.Redis.from_url(self.settings.redis.url or "", socket_timeout=5, socket_connect_timeout=2)


def find(settings: Settings, chance: random.Random, tell: Callable[[str], None]) -> Place:
    """
    The place that these settings mean.

    ConfigurationError where a system is no sandbox or a server not ours to break; NotReachable where nothing runs.
    """
    root = sandbox_of(settings)
    if settings.database.url is not None or settings.redis.url is not None:
        raise ConfigurationError(
            "database.url or redis.url is set: a drill kills both servers, so it works on the bundled ones only"
        )
    servers = connect_existing(Path(settings.home))
    state = read_state(Path(settings.home) / "servers.json")
    if servers is None or state is None:
        raise NotReachable(f"nothing runs in {settings.home}: start `contactsync up` first, or use --own")
    complete = settings.with_urls(servers.database_url, servers.redis_url, servers.database_owner_url)
    return Place(complete, Vendors(root), Parts(int(state["pid"]), complete), chance, tell)
