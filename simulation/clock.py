"""Two clocks: the true time, which only goes forward, and the time that our machines believe it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()


class Clock:
    """`true` is in Unix seconds. Vendors and the network live in it; workers see `now()`, which may jump."""

    def __init__(self) -> None:
        self.true = BEGIN
        self.offset = 0.0

    def vendor_time(self) -> float:
        """What a vendor's clock says."""
        return self.true

    def now(self) -> datetime:
        """What our machines' clocks say."""
        return datetime.fromtimestamp(self.true + self.offset, UTC)

    def wall(self) -> float:
        """The same in Unix seconds."""
        return self.true + self.offset

    def true_of(self, moment: datetime) -> float:
        """When our clocks will say that."""
        return moment.timestamp() - self.offset

    def advance(self, seconds: float) -> None:
        """Time goes by."""
        self.true += max(0.0, seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets our clocks."""
        self.offset += seconds

    def at(self) -> str:
        """For traces: seconds since the story began."""
        return f"{self.true - BEGIN:10.3f}"


def span(seconds: float) -> timedelta:
    """Seconds as a timedelta."""
    return timedelta(seconds=seconds)
