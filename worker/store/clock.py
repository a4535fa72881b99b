"""
The database's clock, as every process reads it: what rows carry and are compared with.

Machines need not agree on the time. Each measures PostgreSQL's `clock_timestamp()` every few seconds and counts on
from there with a counter that nobody sets. Setting a machine's own clock therefore changes nothing; a process that was
stopped, or whose machine slept, sees at once how late it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MEASURE_SECONDS: Final = 5.0
"""How often the database is asked, by whoever wants the time then."""
STALE_SECONDS: Final = 60.0
"""A measurement this old is not used while another thread measures anew."""
RETRY_SECONDS: Final = 1.0
JUMP_SECONDS: Final = 0.5
"""A machine's own clock that moved so far against its counter may have slept where the counter did not run."""
COARSE_SECONDS: Final = 0.1
"""A reading known no better than this is taken again, a few times."""
READINGS: Final = 3
HOLD_SECONDS: Final = 1.0
"""A correction backwards that is no longer than this is waited out instead."""
BACK_SECONDS: Final = 5.0
"""More than the clocks of two processes differ: the database's clock was set back."""

_COUNTER: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds of a counter that goes on while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(_COUNTER)


@dataclass(frozen=True)
class Reading:
    """The database's time in Unix seconds, and the counter just before the question and after the answer."""

    at: float
    begun: float
    ended: float

    @property
    def error(self) -> float:
        """How far the time at the middle may be off: half of the way there and back."""
        return (self.ended - self.begun) / 2


class DatabaseClock:
    """
    `now()` by the database's clock; safe to share between threads.

    A measurement moves the time by no more than it proves wrong, so that a slow answer makes it no worse; one that
    fails keeps what was known. The first one has to succeed: until then `now` raises what the driver raised.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        read: Callable[[], Reading] | None = None,
        counter: Callable[[], float] = elapsed,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._read = read or self._ask
        self._counter = counter
        self._wall = wall
        self._measuring = threading.Lock()
        self._telling = threading.Lock()
        self._ahead: float | None = None
        self._shift = 0.0
        self._next = 0.0
        self._last = 0.0

    def now(self) -> datetime:
        """The time."""
        if self.due:
            self._measure()
        with self._telling:
            assert self._ahead is not None  # noqa: S101 - the first measurement raises where it fails
            at = self._counter() + self._ahead
            if 0 < self._last - at < HOLD_SECONDS:
                at = self._last
            self._last = at
        return datetime.fromtimestamp(at, UTC)

    @property
    def due(self) -> bool:
        """Whether `now` would ask the database."""
        counted = self._counter()
        return self._ahead is None or counted >= self._next or self._jumped(counted)

    def _jumped(self, counted: float) -> bool:
        return abs(self._wall() - counted - self._shift) > JUMP_SECONDS

    def _measure(self) -> None:
        counted = self._counter()
        old = self._ahead is None or counted >= self._next + STALE_SECONDS or self._jumped(counted)
        if not self._measuring.acquire(blocking=old):
            return
        try:
            if self.due:
                self._look()
        finally:
            self._measuring.release()

    def _look(self) -> None:
        try:
            reading = self._read()
            for _ in range(READINGS - 1):
                if reading.error <= COARSE_SECONDS:
                    break
                reading = min(reading, self._read(), key=lambda one: one.error)
        except SQLAlchemyError:
            if self._ahead is None:
                raise
            self._plan(RETRY_SECONDS)
            return
        ahead = reading.at - (reading.begun + reading.ended) / 2
        if self._ahead is not None:
            ahead = min(max(self._ahead, ahead - reading.error), ahead + reading.error)
        self._ahead = ahead
        self._plan(MEASURE_SECONDS)

    def _plan(self, seconds: float) -> None:
        counted = self._counter()
        self._next, self._shift = counted + seconds, self._wall() - counted

    def _ask(self) -> Reading:
        assert self._engine is not None  # noqa: S101 - given, unless the readings are
        with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            begun = self._counter()
            at = connection.execute(_TIME).scalar_one()
            return Reading(float(at), begun, self._counter())


_TIME: Final = text("SELECT extract(epoch FROM clock_timestamp())")


def database_time(connection: Connection) -> datetime:
    """The database's time now, for what asks it once and not often."""
    return datetime.fromtimestamp(float(connection.execute(_TIME).scalar_one()), UTC)


_SEEN: Final = text("SELECT at FROM checkpoint WHERE system = '' AND name = 'clock' FOR UPDATE")

_KEEP: Final = text(
    """
    INSERT INTO checkpoint (system, name, cursor, at) VALUES ('', 'clock', '{}', :now)
    ON CONFLICT (system, name) DO UPDATE SET at = excluded.at
    """
)

_SYSTEMS: Final = text(
    """
    UPDATE system_state SET
        probe_at = CASE WHEN probe_at > :now THEN GREATEST(:now, probe_at - :back) ELSE probe_at END,
        throttled_until = CASE WHEN throttled_until > :now THEN GREATEST(:now, throttled_until - :back)
            ELSE throttled_until END,
        creates_paused_until = CASE WHEN creates_paused_until > :now THEN GREATEST(:now, creates_paused_until - :back)
            ELSE creates_paused_until END,
        paused_at = LEAST(paused_at, :now)
    WHERE system IN (SELECT system FROM system_state ORDER BY system FOR UPDATE)
    """
)

_CONTACTS: Final = text(
    """
    UPDATE contact SET fetch_since = LEAST(fetch_since, :now), fetch_next_attempt_at = CASE
        WHEN fetch_state = 'working' THEN LEAST(fetch_next_attempt_at, :lease_end)
        ELSE GREATEST(:now, fetch_next_attempt_at - :back) END
    WHERE id IN (
        SELECT id FROM contact WHERE fetch_state IN ('due', 'working', 'waiting') AND fetch_next_attempt_at > :now
        ORDER BY source, source_id FOR NO KEY UPDATE)
    """
)

# The time at which a create was sent moves with the wait for it, so that it is left alone as long as it has to be.
_LINKS: Final = text(
    """
    UPDATE link SET since = LEAST(since, :now), next_attempt_at = CASE
        WHEN state = 'working' THEN LEAST(next_attempt_at, :lease_end)
        ELSE GREATEST(:now, next_attempt_at - :back) END,
        settles_at = CASE WHEN settles_at > :now THEN GREATEST(:now, settles_at - :back) ELSE settles_at END,
        intent = CASE WHEN CAST(intent ->> 'sent_at' AS double precision) > extract(epoch FROM :now) THEN
            jsonb_set(intent, '{sent_at}', to_jsonb(LEAST(CAST(extract(epoch FROM :now) AS double precision),
                CAST(intent ->> 'sent_at' AS double precision) - extract(epoch FROM :back)))) ELSE intent END
    WHERE id IN (
        SELECT id FROM link WHERE state IN ('due', 'working', 'waiting', 'unknown') AND next_attempt_at > :now
        ORDER BY contact_id, system FOR NO KEY UPDATE)
    """
)


def notice_set_back(connection: Connection, now: datetime, lease_seconds: float) -> float:
    """
    Remember the time, and put right what was written under a clock that has been set back since; returns by how far.

    What waits until a time of the wrong clock waits as long as it was meant to, and not until that time comes. What
    waited from before tries earlier than it would have, once.
    """
    seen: datetime | None = connection.execute(_SEEN).scalar()
    connection.execute(_KEEP, {"now": now})
    if seen is None or (seen - now).total_seconds() < BACK_SECONDS:
        return 0.0
    back = seen - now
    values: dict[str, datetime | timedelta] = {
        "now": now,
        "back": back,
        "lease_end": now + timedelta(seconds=lease_seconds),
    }
    for statement in (_SYSTEMS, _CONTACTS, _LINKS):
        names = statement.compile().params
        connection.execute(statement, {name: value for name, value in values.items() if name in names})
    return back.total_seconds()
