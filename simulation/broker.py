"""A broker that loses, repeats, delays and reorders nudges, as far as the story says."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from worker.runtime import SOURCE

if TYPE_CHECKING:
    from simulation.clock import Clock

CROWDED = 30


@dataclass
class Nudge:
    """One message: a lane, the row that it names (0: whichever is due) and from when it may be taken."""

    lane: str
    row: int
    ready_at: float
    redelivered: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.lane}({self.row})"


@dataclass
class Manners:
    """How bad the broker is: shares of messages lost, repeated and delayed, and by how many seconds at most."""

    loss: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 30.0


class Broker:
    """The queues. Also a `worker.runtime.Publisher`, for every process alike."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self.manners = Manners()
        self.waiting: list[Nudge] = []
        self.lost = self.sent = 0

    def intake(self) -> None:
        """New events wait in the inbox."""
        self._send("fetch", 0)

    def fetch(self, contact_id: int) -> None:
        """A contact is owed a fetch."""
        self._send("fetch", contact_id)

    def deliver(self, system: str, link_id: int) -> None:
        """A link is due."""
        self._send(system, link_id)

    def crowded(self, lane: str, /) -> bool:
        """Whether enough nudges wait in a lane already."""
        return sum(1 for nudge in self.waiting if nudge.lane == lane) >= CROWDED

    def again(self, nudge: Nudge) -> None:
        """The worker that had taken it died: it comes again, or is lost with it."""
        if not nudge.redelivered and self.rng.random() < 0.5:
            self.waiting.append(Nudge(nudge.lane, nudge.row, self.clock.true + 1.0, redelivered=True))

    def empty(self) -> int:
        """All that waits is gone."""
        gone = len(self.waiting)
        self.waiting.clear()
        self.lost += gone
        return gone

    def ready(self) -> list[Nudge]:
        """What may be taken now, in no order that anybody may rely upon."""
        return [nudge for nudge in self.waiting if nudge.ready_at <= self.clock.true]

    def take(self, nudge: Nudge) -> None:
        """A worker takes it."""
        self.waiting = [other for other in self.waiting if other is not nudge]

    def next_at(self) -> float | None:
        """When the next one may be taken; None where nothing waits."""
        return min((nudge.ready_at for nudge in self.waiting), default=None)

    def _send(self, lane: str, row: int) -> None:
        self.sent += 1
        if self.rng.random() < self.manners.loss:
            self.lost += 1
            return
        copies = 2 if self.rng.random() < self.manners.repeat else 1
        for _ in range(copies):
            late = self.rng.random() < self.manners.delay
            wait = self.rng.uniform(0, self.manners.delay_seconds) if late else 0.0
            self.waiting.append(Nudge(lane, row, self.clock.true + wait))


LANES = ("fetch", SOURCE, "rompslomp", "recras", "workspace")
