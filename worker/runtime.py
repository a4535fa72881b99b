"""
What a process needs to run flows: database, budget, clients, clock. Made once a process, after fork, and passed down.

Everything that flows take from the outside comes through here, so that a test or a simulation can hand in its own
clock, randomness, transport and publisher. Boundaries of I/O carry names (`Runtime.hook`): before and after each
commit, each send and each answer.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import redis
import structlog

from worker.config import TARGETS
from worker.config.again import with_credentials
from worker.config.checks import lacking
from worker.core.fuse import FusePolicy
from worker.core.retry import RetryPolicy
from worker.errors import ConfigurationError
from worker.store import attempts, clock, systems
from worker.store.budget import Limits, RedisBudget
from worker.store.engine import make_engine
from worker.vendors import contract
from worker.vendors.recent_reads import ReadMemory
from worker.vendors.transport import Budget, Lane, Lease, Session, make_client

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    from sqlalchemy import Connection, Engine

    from worker.config import Settings
    from worker.core.mapping import Owner

log = structlog.get_logger()

SOURCE = "robaws"
BACKGROUND = 1
"""Links and fetches of at least this priority wait for live traffic."""


class Publisher(Protocol):
    """The way to announce that rows are due. A nudge may be lost: the sweep announces again."""

    def intake(self) -> None:
        """New events wait in the inbox."""

    def fetch(self, contact_id: int) -> None:
        """A contact is owed a fetch."""

    def deliver(self, system: str, link_id: int) -> None:
        """A link is due (0: whichever is)."""

    def crowded(self, lane: str, /) -> bool:
        """Whether enough nudges wait in a lane (`fetch` or a system) already."""
        ...


class Silent:
    """A publisher that says nothing; the sweep finds what is due."""

    def intake(self) -> None:
        """Nothing."""

    def fetch(self, contact_id: int) -> None:
        """Nothing."""

    def deliver(self, system: str, link_id: int) -> None:
        """Nothing."""

    def crowded(self, _lane: str) -> bool:
        """There is always room for nothing."""
        return False


def _no_hook(_name: str) -> None:
    """In production nobody listens at the boundaries."""


def _no_files() -> None:
    """The settings came from no file that could be read again."""


def _nobody(_settings: Settings) -> None:
    """Nobody wants to know of other credentials."""


class Runtime:
    """
    One process's means. `transports` replaces the network by system (tests), `publisher` the broker.

    `now` is the time that rows carry: the database's, whatever this machine's clock says. `elapsed` counts seconds,
    also those that the machine sleeps through, and is never set. `read_again` gives the settings as their files say
    them now, None where these cannot be read; `on_renewed` is told the settings with other credentials.

    Thread-safe: the engine, the httpx clients and the budget are shared by all threads of the process.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine | None = None,
        budget: Budget | None = None,
        publisher: Publisher | None = None,
        transports: Mapping[str, httpx.BaseTransport] | None = None,
        now: Callable[[], datetime] | None = None,
        elapsed: Callable[[], float] = clock.elapsed,
        draw: Callable[[], float] = random.random,
        hook: Callable[[str], None] = _no_hook,
        patience_seconds: float | None = None,
        read_again: Callable[[], Settings | None] = _no_files,
        on_renewed: Callable[[Settings], None] = _nobody,
    ) -> None:
        self.settings = settings
        self.engine = engine or make_engine(_url(settings), pool_size=_pool_size(settings), application_name="worker")
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        owner_url = settings.database.owner_url
        self.owner_engine = self.engine if owner_url is None else _owner_engine(owner_url)
        self.budget: Budget = budget or self._redis_budget()
        self.publisher: Publisher = publisher or Silent()
        self.now = now or clock.DatabaseClock(self.engine).now
        self.elapsed = elapsed
        self.draw = draw
        self.hook = hook
        self.patience_seconds = patience_seconds
        self._transports = dict(transports or {})
        self._http: dict[str, httpx.Client] = {}
        self._clients: dict[str, Any] = {}
        self._read_again = read_again
        self._on_renewed = on_renewed
        self._renewing = threading.Lock()
        self._renewals: Counter[str] = Counter()
        ladder = tuple(float(wait) for wait in settings.retry.ladder_seconds)
        self.policy = RetryPolicy(
            ladder,
            float(settings.retry.jitter),
            doubtful_retries=int(settings.systems.workspace.repeat_400),
            doubtful_wait_seconds=min(300.0, max(ladder)),
        )
        self.fuse = FusePolicy(
            int(settings.fuse.returns),
            float(settings.fuse.within_seconds),
            tuple(float(rest) for rest in settings.fuse.rest_seconds),
        )
        self.stopping = threading.Event()

    @property
    def targets(self) -> tuple[str, ...]:
        """The systems that contacts are delivered to."""
        return tuple(name for name in TARGETS if self.settings.system(name).enabled)

    def client(self, system: str) -> Any:
        """The vendor's client (`contract.Source` or `contract.Target`)."""
        if system not in self._clients:
            require_credentials(self.settings, system)
            region = self.settings.systems.robaws.phone_region
            sync = self.settings.sync
            options: dict[str, Any] = {"private_status": sync.private_status, "person_kinds": sync.person_kinds}
            options["public_url"] = self.settings.receiver.public_url
            options = options if system == SOURCE else {}
            self._clients[system] = contract.build(system, self.settings.system(system), region, **options)
        return self._clients[system]

    def renew(self, system: str) -> bool:
        """Read the credentials of a system again; whether they are others than before. A call under way goes on."""
        with self._renewing:
            newer = self._read_again()
            if newer is None:
                return False
            renewed = with_credentials(self.settings, newer, system)
            if renewed is self.settings:
                return False
            self.settings = renewed
            self._clients.pop(system, None)
            self._renewals[system] += 1
            self._on_renewed(renewed)
        log.info("credentials.renewed", system=system)
        return True

    def has_newer(self, session: Session) -> bool:
        """Whether a system's credentials are others by now than when this session began, by the files if need be."""
        return self._renewals[session.system] != session.renewals or self.renew(session.system)

    def owners(self, system: str) -> dict[str, Owner]:
        """Who owns each field in a system, by vendor path."""
        owners: dict[str, Owner] = self.client(system).mapping.owners(self.settings.system(system).fields)
        return owners

    def session(
        self, system: str, lane: Lane = "live", lease: Lease | None = None, memory: ReadMemory | None = None
    ) -> Session:
        """A way to one system, for one delivery, as long as its lease stands."""
        settings = self.settings.system(system)
        if system not in self._http:
            self._http[system] = make_client(settings.base_url, self._transports.get(system))
        rate = float(settings.rate_per_second or 0) or float(settings.rate_per_minute or 0) / 60
        patience = self.patience_seconds if self.patience_seconds is not None else max(1.5, 2 / rate if rate else 0)
        return Session(
            system,
            self._http[system],
            self.budget,
            lane=lane,
            timeout_seconds=float(settings.timeout_seconds),
            patience_seconds=min(patience, 10.0),
            patience_begun_seconds=min(30.0, float(self.settings.worker.lease_seconds) / 4),
            hook=lambda name: self.hook(f"{system}.{name}"),
            clock=lambda: self.now().timestamp(),
            lease=lease,
            memory=memory,
            idempotency_headers=settings.idempotency_headers,
            renewals=self._renewals[system],
        )

    @contextmanager
    def transaction(self, name: str, *, as_owner: bool = False) -> Iterator[Connection]:
        """One short transaction; its commit is a named boundary. `as_owner`: as the user who owns the tables."""
        with (self.owner_engine if as_owner else self.engine).begin() as connection:
            yield connection
            self.hook(f"{name}.before_commit")
        self.hook(f"{name}.after_commit")

    @contextmanager
    def statement(self, name: str) -> Iterator[Connection]:
        """
        For one statement that is a transaction by itself, without a way to the database to begin and to end it.

        Its boundaries are named like a transaction's: a crash before its commit is one before the statement.
        """
        self.hook(f"{name}.before_commit")
        with self.autocommit.connect() as connection:
            yield connection
        self.hook(f"{name}.after_commit")

    def announce(self, links: list[tuple[int, str]]) -> None:
        """Nudge the workers for links that are due."""
        for link_id, system in links:
            self.publisher.deliver(system, link_id)

    def wait(self, seconds: float) -> None:
        """Do nothing for so long, or until this process is told to stop."""
        self.stopping.wait(seconds)

    def close(self) -> None:
        """Give connections back."""
        for client in self._http.values():
            client.close()
        self.owner_engine.dispose()
        self.engine.dispose()

    def _redis_budget(self) -> RedisBudget:
        url = self.settings.redis.url
        assert url is not None, "settings carry urls once a process starts"  # noqa: S101
        client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30)
        return RedisBudget(client, limits(self.settings), self._calls_within, learned_rate=self._learned_rate)

    def _learned_rate(self, system: str) -> float | None:
        with self.engine.connect() as connection:
            return systems.view(connection, system).rate

    def _calls_within(self, system: str, seconds: float) -> int:
        with self.engine.connect() as connection:
            return attempts.calls_since(connection, system, self.now() - timedelta(seconds=seconds))


def require_credentials(settings: Settings, system: str) -> None:
    """ConfigurationError where this process was not given what calls to a system need, as a receiver may not be."""
    missing = [f"{'.'.join(path)} {sentence}" for path, sentence in lacking(system, settings.system(system))]
    if missing:
        raise ConfigurationError(missing)


def limits(settings: Settings) -> dict[str, Limits]:
    """What each system's credential may do, from the settings."""
    found: dict[str, Limits] = {}
    for name in settings.enabled_systems():
        system = settings.system(name)
        daily = int(system.daily_requests or 0)
        found[name] = Limits(system.calls_per_second or 0.0, system.burst, daily)
        if name == "routix":
            found["routix:token"] = Limits(0.5, 5)
    return found


def slots(settings: Settings, system: str) -> int:
    """
    How many deliveries one process makes to a system at once.

    A vendor without room for more than a call a second gets one or two at a time (their sheets ask for it); a faster
    one at most an equal share of the threads, so that a slow vendor never holds the threads of the others.
    """
    threads = concurrency(settings)
    share = max(1, threads // (len(settings.enabled_systems()) or 1))
    rate = settings.system(system).rate_per_second
    return share if rate is None else max(1, min(share, -(-int(float(rate) * 1000) // 1000)))


def concurrency(settings: Settings) -> int:
    """Tasks at once in one worker process."""
    if settings.worker.concurrency is not None:
        return int(settings.worker.concurrency)
    return max(8, min(32, 8 * (os.cpu_count() or 1)))


def _url(settings: Settings) -> str:
    url = settings.database.url
    assert url is not None, "settings carry urls once a process starts"  # noqa: S101
    return url


def _owner_engine(url: str) -> Engine:
    """Connects when it is used first, which only the leading scheduler does."""
    return make_engine(url, pool_size=1, application_name="scheduler-months")


def _pool_size(settings: Settings) -> int:
    return int(settings.database.pool_size or concurrency(settings) + 4)
