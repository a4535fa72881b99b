"""The wire between a client and whatever answers: what leaves is counted, and what comes back can be exchanged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx
from typing_extensions import override

from worker.config.systems import SystemSettings
from worker.core.wire import Lane
from worker.errors import BudgetExhausted
from worker.vendors.transport import Unmetered

MOST_CALLS: Final = 1_000
"""To one tenant in one run; a quota of a day is shared with the product that may be tried out there."""

Answering = Callable[[httpx.Request], httpx.Response]
Interference = Callable[[httpx.Request, Answering], httpx.Response]
"""Stands between a request and who answers it: may ask, or not; may answer something else, or raise."""


class Wire(httpx.BaseTransport):
    """
    Every request that a client makes passes here, answered or not.

    `left` is all that left, in order. `interfere` stands in the way of the next requests until it is taken off;
    `before` runs something once, right before the n-th GET from now on.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.left: list[httpx.Request] = []
        self.interfere: Interference | None = None
        self._due: list[tuple[int, Callable[[], object]]] = []

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.left.append(request)
        if request.method == "GET":
            now = [callback for number, callback in self._due if number == 1]
            self._due = [(number - 1, callback) for number, callback in self._due if number > 1]
            for callback in now:
                callback()
        if self.interfere is not None:
            return self.interfere(request, self.inner.handle_request)
        return self.inner.handle_request(request)

    @override
    def close(self) -> None:
        self.inner.close()

    def before(self, number: int, callback: Callable[[], object]) -> None:
        """Run `callback` right before the n-th GET from now on is answered."""
        self._due.append((number, callback))


@dataclass
class Counting(Unmetered):
    """A budget without limits that keeps what it was asked for and told. `empty`: there is no turn for anybody."""

    asked: list[tuple[str, Lane, str]] = field(default_factory=list)
    learned: list[tuple[str, int | None]] = field(default_factory=list)
    empty: bool = False

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        if self.empty:
            raise BudgetExhausted("no turn soon enough", wait_seconds=5.0)
        self.asked.append((system, lane, kind))

    @override
    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        self.learned.append((kind, remaining))

    def beside(self) -> Counting:
        """The budget of another client to the same place."""
        return Counting()


@dataclass
class Pace:
    """When the next call to a tenant may leave, and how many have."""

    seconds_between: float
    free: int
    most: int
    calls: int = 0
    next_at: float = 0.0


@dataclass
class Paced(Counting):
    """
    The budget for a real tenant: at the rate of its settings, whichever client asks, and a bounded number of calls.

    The rate is kept as GCRA: a turn may be as early as the burst allows, never earlier.
    """

    pace: Pace = field(default_factory=lambda: Pace(1.0, 1, MOST_CALLS))

    @classmethod
    def of(cls, settings: SystemSettings) -> Paced:
        """The pace that the settings allow."""
        rates = [float(settings.rate_per_second or 0), float(settings.rate_per_minute or 0) / 60]
        rate = min((rate for rate in rates if rate), default=1.0)
        return cls(pace=Pace(1 / rate, settings.burst, MOST_CALLS))

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        super().acquire(system, lane, patience_seconds, kind)
        pace = self.pace
        pace.calls += 1
        if pace.calls > pace.most:
            raise BudgetExhausted(f"the suite makes no more than {pace.most} calls to a tenant", wait_seconds=3600.0)
        now = time.monotonic()
        pace.next_at = max(pace.next_at, now) + pace.seconds_between
        early = pace.next_at - now - pace.seconds_between * pace.free
        if early > 0:
            threading.Event().wait(early)

    @override
    def beside(self) -> Paced:
        return Paced(pace=self.pace)
