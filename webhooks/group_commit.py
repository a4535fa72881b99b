"""
Group commit: events that arrive together share one commit, and nobody lingers for company.

One flusher a process. While a commit is under way the next events wait; the commit after it takes all of them. So
under load a batch grows until the database keeps up, and an event that comes alone is written at once.

What is promised to a request: it is answered `accepted` or `duplicate` only after the commit, and `away` within
`deadline_seconds`, whatever the database does. `away` may be said of an event that was stored after all (the commit's
answer was lost): the vendor sends it again and finds its key.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import psycopg
import structlog

from webhooks import writing
from worker.core.error_text import error_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from webhooks.figures import Figures

log = structlog.get_logger()

T = TypeVar("T")
Result = Literal["accepted", "duplicate", "rejected", "unstorable", "away", "full"]

_WATCH_SECONDS: Final = 0.1
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.0
_CUT_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Limits:
    """How much may wait, how much goes into one commit, and how long a request waits at most."""

    waiting_events: int = 5_000
    waiting_bytes: int = 64 * 1024 * 1024
    batch_events: int = 1_000
    batch_bytes: int = 8 * 1024 * 1024
    deadline_seconds: float = 1.5
    quarantine: int = 1_000


class Arrival:
    """One event, or with a `problem` one request that is none, on its way to the database. Texts are UTF-8 bytes."""

    __slots__ = ("at", "body", "correlation_id", "event_id", "headers", "kind", "problem", "result", "source_id")

    def __init__(
        self,
        body: bytes,
        headers: bytes,
        *,
        event_id: bytes = b"",
        kind: bytes = b"",
        source_id: bytes = b"",
        correlation_id: bytes = b"",
        problem: bytes | None = None,
    ) -> None:
        self.body = body
        self.headers = headers
        self.event_id = event_id
        self.kind = kind
        self.source_id = source_id
        self.correlation_id = correlation_id
        self.problem = problem
        self.at = 0.0
        self.result: asyncio.Future[Result] | None = None

    def settle(self, result: Result) -> None:
        """Answer whoever waits, once."""
        if self.result is not None and not self.result.done():
            self.result.set_result(result)


def _no_hook(_name: str) -> None:
    """Nobody listens at the boundaries but the tests that crash there."""


class GroupCommit:
    """The flusher and its queue; lives on one event loop. `on_stored` is called after answers that stored something."""

    def __init__(
        self,
        url: str,
        figures: Figures,
        on_stored: Callable[[], None],
        limits: Limits | None = None,
        hook: Callable[[str], None] = _no_hook,
    ) -> None:
        self.url = url
        self.hook = hook
        self.figures = figures
        self.on_stored = on_stored
        self.limits = limits or Limits()
        self._waiting: deque[Arrival] = deque()
        self._waiting_bytes = 0
        self._flying: Sequence[Arrival] = ()
        self._wake = asyncio.Event()
        self._connection: AsyncConnection[Any] | None = None
        self._away_since: float | None = None
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write; a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._away_since = time.monotonic()
        self._tasks = [loop.create_task(self._run(), name="flusher"), loop.create_task(self._watch(), name="watch")]

    async def stop(self) -> None:
        """Write what waits, within the deadline, and end."""
        self._stopping = True
        self._wake.set()
        await asyncio.wait(self._tasks, timeout=self.limits.deadline_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for arrival in (*self._flying, *self._waiting):
            arrival.settle("away")
        await self._disconnect()

    @property
    def alive(self) -> bool:
        """Whether the flusher runs."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def connected(self) -> bool:
        """Whether it has its database, as far as it knows."""
        return self._away_since is None

    @property
    def waiting(self) -> int:
        """Events that wait for a commit."""
        return len(self._waiting) + len(self._flying)

    async def store(self, arrival: Arrival) -> Result:
        """Write it down with the next commit; what came of it."""
        limits, now = self.limits, time.monotonic()
        if len(self._waiting) >= limits.waiting_events or self._waiting_bytes >= limits.waiting_bytes:
            return "full"
        if self._stopping or (self._away_since is not None and now - self._away_since > limits.deadline_seconds):
            return "away"
        arrival.at = now
        future: asyncio.Future[Result] = self._loop.create_future()
        arrival.result = future
        self._waiting.append(arrival)
        self._waiting_bytes += len(arrival.body)
        if not self._flying:
            self._wake.set()
        return await future

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            if self._connection is None:
                if not await self._connect():
                    if self._stopping:
                        return
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                    continue
                pause = _FIRST_PAUSE_SECONDS
            if not self._waiting:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._flush(self._take())

    def _take(self) -> list[Arrival]:
        """The next batch, in the order of arrival."""
        limits, waiting = self.limits, self._waiting
        batch: list[Arrival] = []
        size = 0
        while waiting and len(batch) < limits.batch_events and size < limits.batch_bytes:
            arrival = waiting.popleft()
            size += len(arrival.body)
            batch.append(arrival)
        self._waiting_bytes -= size
        return batch

    async def _flush(self, batch: list[Arrival]) -> None:
        self._flying = batch
        try:
            stored = await self._commit(batch)
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError) as error:
            log.warning("receiver.commit_failed", events=len(batch), error=error_text(error))
            self._failed(batch)
            await self._disconnect()
        except psycopg.Error as error:
            log.error("receiver.commit_refused", events=len(batch), error=error_text(error))  # noqa: TRY400
            self._failed(batch)
        except Exception:
            # Whatever it is, the flusher goes on: without it nothing would be accepted any more.
            log.exception("receiver.commit_refused", events=len(batch))
            self._failed(batch)
        else:
            if stored:
                # The answers stand before it in the loop's queue: they leave first.
                self._loop.call_soon(self.on_stored)
        finally:
            self._flying = ()

    def _failed(self, batch: Sequence[Arrival]) -> None:
        self.figures.failed_commits += 1
        for arrival in batch:
            arrival.settle("away")

    async def _commit(self, batch: list[Arrival]) -> bool:
        """Commit a batch and answer it. Returns whether anything was stored that is new."""
        rejects = [arrival for arrival in batch if arrival.problem is not None]
        events = batch if not rejects else [arrival for arrival in batch if arrival.problem is None]
        stored = await self._commit_events(events, at_once=bool(rejects)) if events else False
        if rejects:
            await self._guarded(
                "receive.rejects",
                writing.store_rejects(
                    self._held,
                    problems=[arrival.problem or b"" for arrival in rejects],
                    headers=[arrival.headers for arrival in rejects],
                    bodies=[arrival.body for arrival in rejects],
                    limit=self.limits.quarantine,
                ),
            )
            for arrival in rejects:
                arrival.settle("rejected")
        return stored

    async def _commit_events(self, events: list[Arrival], *, at_once: bool) -> bool:
        """Commit and answer: `at_once` where something follows that may fail, else once the next batch has left."""
        first = {arrival.event_id: arrival for arrival in reversed(events)}
        # In one order everywhere, so that two receivers with the same keys wait for each other and never both.
        rows = [first[event_id] for event_id in sorted(first)]
        try:
            fresh = await self._guarded(
                "receive.events",
                writing.store_events(
                    self._held,
                    event_ids=[row.event_id for row in rows],
                    kinds=[row.kind for row in rows],
                    source_ids=[row.source_id for row in rows],
                    headers=[row.headers for row in rows],
                    bodies=[row.body for row in rows],
                    correlations=[row.correlation_id for row in rows],
                ),
            )
        except psycopg.DataError as error:
            return await self._one_by_one(events, error)
        if at_once:
            self._answer(events, first, fresh)
        else:
            # The next batch then leaves for the database before these answers are written, and not after.
            self._loop.call_soon(self._answer, events, first, fresh)
        return bool(fresh)

    def _answer(self, events: list[Arrival], first: dict[bytes, Arrival], fresh: set[str]) -> None:
        self.figures.batch.observe(len(events))
        now, latency = time.monotonic(), self.figures.latency
        for arrival in events:
            is_new = first[arrival.event_id] is arrival and arrival.event_id.decode() in fresh
            arrival.settle("accepted" if is_new else "duplicate")
            latency.observe(now - arrival.at)

    async def _one_by_one(self, events: list[Arrival], error: psycopg.DataError) -> bool:
        """A value that PostgreSQL does not take must not hold up the events beside it."""
        if len(events) == 1:
            log.error("receiver.unstorable", error=error_text(error))
            events[0].settle("unstorable")
            return False
        stored = [await self._commit_events([arrival], at_once=True) for arrival in events]
        return any(stored)

    @property
    def _held(self) -> AsyncConnection[Any]:
        if self._connection is None:
            raise psycopg.OperationalError("there is no connection")
        return self._connection

    async def _guarded(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a statement, but not without limit: a database that is silent has its connection cut."""
        connection = self._held
        try:
            self.hook(f"{name}.before_commit")
        except BaseException:
            work.close()
            raise
        running = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait((running,), timeout=_CUT_SECONDS)
        except asyncio.CancelledError:
            running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            raise
        if not done:
            writing.cut(connection)
        result = await running
        self.hook(f"{name}.after_commit")
        return result

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(writing.CONNECT_SECONDS + 1):
                self._connection = await writing.connect(self.url)
        except (psycopg.Error, OSError, TimeoutError) as error:
            if self._away_since is None:
                self._away_since = time.monotonic()
            log.warning("receiver.database_away", error=error_text(error))
            return False
        self._away_since = None
        self.figures.reconnects += 1
        return True

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not self._stopping:
            self._away_since = time.monotonic()
        writing.cut(connection)
        try:
            async with asyncio.timeout(1):
                await connection.close()
        except (psycopg.Error, OSError, TimeoutError):
            return

    async def _watch(self) -> None:
        """Answer whoever has waited long enough."""
        while not (self._stopping and not self._waiting):
            await asyncio.sleep(_WATCH_SECONDS)
            oldest = time.monotonic() - self.limits.deadline_seconds + _WATCH_SECONDS
            while self._waiting and self._waiting[0].at < oldest:
                arrival = self._waiting.popleft()
                self._waiting_bytes -= len(arrival.body)
                arrival.settle("away")
            for arrival in self._flying:
                if arrival.at < oldest:
                    arrival.settle("away")
