"""
What became of webhook requests that left no event, written down so that it is known after a restart.

Whoever reaches the port can cause a refusal, so one costs an addition in memory. Every few seconds one statement adds
what was counted meanwhile to `webhook_result`, and none where there was nothing. While the database is away the counts
wait; they are as many as there are results, which are words of the code.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from webhooks.problems import Problem
from worker.store import arrivals

if TYPE_CHECKING:
    from webhooks.database import Database

log = structlog.get_logger()

SAVE_SECONDS: Final = 2.0
STOP_SECONDS: Final = 2.0
"""How long the end of the process waits for the last ones."""


@dataclass
class _Counted:
    """Requests with one result that are not written down yet, and when the first and the last of them came."""

    requests: int
    first: float
    last: float


class Results:
    """The counts of one process; lives on one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: dict[str, _Counted] = {}
        self._taken_at = clock()

    def count(self, result: str) -> None:
        """One more request ended so."""
        now = self._clock()
        found = self._counted.get(result)
        if found is None:
            self._counted[result] = _Counted(1, now, now)
        else:
            found.requests += 1
            found.last = now

    def take(self) -> list[arrivals.Added]:
        """What was counted since the last time."""
        now, counted = self._clock(), self._counted
        self._counted, self._taken_at = {}, now
        return [
            arrivals.Added(result, one.requests, now - one.first, now - one.last) for result, one in counted.items()
        ]

    def give_back(self, taken: list[arrivals.Added]) -> None:
        """What was taken last and could not be written down is counted again."""
        for one in taken:
            last = self._taken_at - one.last_ago
            found = self._counted.setdefault(one.result, _Counted(0, last, last))
            found.requests += one.requests
            found.first = self._taken_at - one.first_ago
            found.last = max(found.last, last)


class Saver:
    """Writes the counts down every few seconds, for as long as the receiver runs."""

    def __init__(self, results: Results, database: Database, save_seconds: float = SAVE_SECONDS) -> None:
        self.results = results
        self.database = database
        self.save_seconds = save_seconds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="results")

    async def stop(self) -> None:
        """Write down what is left, if the database takes it soon."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=STOP_SECONDS)
            self._task.cancel()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.save_seconds):
                    await self._stopping.wait()
            try:
                await self._save()
            except Exception:
                # Whatever it is, requests are answered on, and the counts of the metrics stay right.
                log.exception("receiver.results_not_saved")

    async def _save(self) -> None:
        taken = self.results.take()
        if not taken:
            return
        try:
            await self.database.run(lambda connection: arrivals.add(connection, taken))
        except Problem:  # the database is away
            self.results.give_back(taken)
