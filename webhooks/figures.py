"""
What this process has counted since its start, as plain numbers.

The way of an event adds to these without locks or label look-ups, all on the event loop; `webhooks.metrics` shows them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

LATENCY_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
BATCH_EVENTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Histogram:
    """Counts by upper bound, with their sum; the last count is of what is beyond all bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[tuple[str, float]]:
        """Prometheus's buckets: how many were at most this."""
        buckets: list[tuple[str, float]] = []
        count = 0
        for bound, here in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            count += here
            buckets.append((bound, count))
        return buckets


class Figures:
    """The counts of one receiver. `results` by the word that an answer stands for."""

    __slots__ = (
        "api_requests",
        "batch",
        "connections",
        "failed_commits",
        "latency",
        "most_connections",
        "nudges_sent",
        "reconnects",
        "results",
    )

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.latency = Histogram(LATENCY_SECONDS)
        self.batch = Histogram(BATCH_EVENTS)
        self.failed_commits = 0
        self.reconnects = 0
        self.nudges_sent = 0
        self.api_requests: dict[int, int] = {}
        self.connections: Callable[[], int] = int
        """How many connections are open; the server says, once there is one."""
        self.most_connections = 0

    def count(self, result: str) -> None:
        """One more request ended so."""
        self.results[result] = self.results.get(result, 0) + 1

    def answered(self, status: int) -> None:
        """One more call of the API was answered so."""
        self.api_requests[status] = self.api_requests.get(status, 0) + 1
