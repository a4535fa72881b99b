"""
The database for everything but the events' own way: short reads and operators' actions, each in a thread.

They share a small pool of their own, so that a page that takes long never stands before an event. Of that pool each
caller of the API gets a share, so that one who asks for much does not keep the others waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webhooks.problems import Problem
from worker.store import summary
from worker.store.clock import DatabaseClock
from worker.store.engine import is_away, make_engine, retried
from worker.store.summary import Summary

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from worker.config import Settings

T = TypeVar("T")

POOL_SIZE: Final = 4
THREADS: Final = 6
CALLS: Final = THREADS - 2
"""Calls of the API at once; the rest is for readiness, metrics and the page."""
CALLS_OF_ONE: Final = 2
"""Of them, calls of one caller."""
ANSWER_SECONDS: Final = 20.0
STATEMENT_SECONDS: Final = 15
"""Shorter than a caller waits: when the answer is given up, its statement has ended too."""
SUMMARY_SECONDS: Final = 1.0


class Database:
    """Runs functions of a connection. A database that is away ends the request with 503."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database.url is not None, "settings carry urls once a process starts"  # noqa: S101
        self.settings = settings
        self.engine = make_engine(
            settings.database.url,
            pool_size=POOL_SIZE,
            application_name="receiver-api",
            statement_seconds=STATEMENT_SECONDS,
        )
        self.clock = DatabaseClock(self.engine)
        self._threads = asyncio.Semaphore(THREADS)
        self._calls = asyncio.Semaphore(CALLS)
        self._callers: dict[str, asyncio.Semaphore] = {}
        self._summary: tuple[float, Summary] | None = None
        self._reading: asyncio.Task[Summary] | None = None

    async def run(self, work: Callable[[Connection], T], within_seconds: float = ANSWER_SECONDS) -> T:
        """Run in one transaction, committed at the end; rolled back when `work` raises."""

        def transaction() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await self._within(transaction, within_seconds)

    async def run_at(self, work: Callable[[Connection, datetime], T], within_seconds: float = ANSWER_SECONDS) -> T:
        """The same for what reads or writes times: `work` is given the database's time as well."""

        def transaction() -> T:
            now = self.clock.now()  # before a connection is taken, as it may need one of its own
            with self.engine.begin() as connection:
                return work(connection, now)

        return await self._within(transaction, within_seconds)

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """
        A caller's turn to use the database: `CALLS_OF_ONE` at once, the others wait behind it.

        Problem 429 for whoever has waited for as long as an answer may take.
        """
        own = self._callers.setdefault(caller, asyncio.Semaphore(CALLS_OF_ONE))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await own.acquire()
        except TimeoutError as error:
            detail = f"this token has {CALLS_OF_ONE} calls under way, as many as one may: ask one after the other"
            raise Problem(429, detail, headers={"Retry-After": "5"}) from error
        try:
            async with self._calls:
                yield
        finally:
            own.release()

    async def _within(self, transaction: Callable[[], T], seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await in_thread(self._threads, lambda: retried(transaction))
        except DBAPIError as error:
            if isinstance(error.orig, QueryCanceled):
                raise Problem(503, "this takes too long to read; ask for less", headers={"Retry-After": "5"}) from error
            if is_away(error):
                raise _away() from error
            raise
        except (TimeoutError, PoolTimeout) as error:
            raise _away() from error

    async def summary(self, max_age_seconds: float = SUMMARY_SECONDS) -> Summary:
        """The summary, at most so old; whoever asks meanwhile waits for the same reading."""
        loop = asyncio.get_running_loop()
        if self._summary is not None and loop.time() - self._summary[0] < max_age_seconds:
            return self._summary[1]
        if self._reading is None or self._reading.done():
            self._reading = loop.create_task(self._read_summary())
        return await asyncio.shield(self._reading)

    async def _read_summary(self) -> Summary:
        begun = asyncio.get_running_loop().time()
        found = await self.run_at(lambda connection, now: summary.read(connection, self.settings, now))
        self._summary = (begun, found)
        return found

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


async def in_thread(slots: asyncio.Semaphore, work: Callable[[], T]) -> T:
    """
    Run in a thread of its own, which the process does not wait for at its end; `slots` are how many at once.

    When nobody waits any more the thread goes on, and keeps its place until what it called answers: so one that hangs
    costs a few threads and not one for each request.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    await slots.acquire()

    def deliver(result: T | None, error: BaseException | None) -> None:
        slots.release()
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except BaseException as error:  # noqa: BLE001  it is raised where the result is waited for
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(deliver, *outcome)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return await future


def _away() -> Problem:
    return Problem(503, "the database is away; ask again in a moment", headers={"Retry-After": "5"})
