"""Leave out the nudges that say nothing new."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from worker.flows.drain import Lanes
    from worker.runtime import Publisher

TELL_SECONDS: Final = 0.02
"""One more thread is called this often for a system that is being delivered to, while this process has one left."""

TELL_OTHERS_SECONDS: Final = 0.25
"""And this often where only another process could have one left."""


class Sparing:
    """
    A publisher that leaves out what says nothing new.

    A thread that delivers to a system goes on until nothing is due there, so while one does, a nudge only calls for
    more threads, here or elsewhere: fifty a second soon call as many as there are here, and four a second those of
    other processes. What nobody was called for is the next thing that such a thread takes, or the sweep's within a
    second.
    """

    def __init__(self, publisher: Publisher, lanes: Lanes, clock: Callable[[], float] = time.monotonic) -> None:
        self.publisher = publisher
        self.lanes = lanes
        self.clock = clock
        self._told: dict[str, float] = {}

    def intake(self) -> None:
        """New events wait in the inbox."""
        self.publisher.intake()

    def fetch(self, contact_id: int) -> None:
        """A contact is owed a fetch."""
        self.publisher.fetch(contact_id)

    def deliver(self, system: str, link_id: int) -> None:
        """A link is due, unless whoever is to hear it works at that system anyway."""
        now, told = self.clock(), self._told.get(system)
        busy = self.lanes.busy(system)
        if busy and told is not None and 0 <= now - told < (TELL_SECONDS if busy < 1 else TELL_OTHERS_SECONDS):
            return
        self._told[system] = now
        self.publisher.deliver(system, link_id)

    def crowded(self, lane: str) -> bool:
        """Whether enough nudges wait already."""
        return self.publisher.crowded(lane)
