"""
Clocks: the true time, which only goes forward, the database's, which may be set, and each machine's, which is wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zlib import crc32

from worker.store.clock import DatabaseClock, Reading

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
WRONG_BY = (0.0, -45.0, 200.0, -3_600.0, 86_400.0)
"""How far our machines' own clocks are off."""


class Clock:
    """`true` is in Unix seconds. Vendors and the network live in it; `now()` is the database's, and may jump."""

    def __init__(self) -> None:
        self.true = BEGIN
        self.offset = 0.0

    def vendor_time(self) -> float:
        """What a vendor's clock says."""
        return self.true

    def now(self) -> datetime:
        """What the database's clock says."""
        return datetime.fromtimestamp(self.true + self.offset, UTC)

    def wall(self) -> float:
        """The same in Unix seconds."""
        return self.true + self.offset

    def true_of(self, moment: datetime) -> float:
        """When the database's clock will say that."""
        return moment.timestamp() - self.offset

    def advance(self, seconds: float) -> None:
        """Time goes by."""
        self.true += max(0.0, seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the database's clock."""
        self.offset += seconds

    def local(self, machine: str) -> DatabaseClock:
        """
        How one machine reads the database's clock. Its own is wrong by minutes or days, its counter began when it was
        switched on.
        """
        number = crc32(machine.encode())
        counter_ahead, wall_ahead = -BEGIN + number % 100_000, WRONG_BY[number % len(WRONG_BY)]

        def counter() -> float:
            return self.true + counter_ahead

        def read() -> Reading:
            return Reading(self.wall(), counter(), counter())

        return DatabaseClock(read=read, counter=counter, wall=lambda: self.true + wall_ahead)

    def at(self) -> str:
        """For traces: seconds since the story began."""
        return f"{self.true - BEGIN:10.3f}"


def span(seconds: float) -> timedelta:
    """Seconds as a timedelta."""
    return timedelta(seconds=seconds)
