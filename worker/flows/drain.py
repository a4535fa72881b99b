"""
Work off what is due, one lane a system, so that a slow vendor never holds the threads of the others.

A nudge only says that something may be due. A lane has so many places in a process; a nudge that finds them taken
is noted and gone, since whoever holds a place goes on until nothing is due, and looks once more if such a note came
in the meantime. So no thread ever waits for a lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.runtime import SOURCE, slots

if TYPE_CHECKING:
    from worker.flows.gate import Gate
    from worker.runtime import Runtime

SLICE_SECONDS: Final = 20.0
MOST_PAUSE_SECONDS: Final = 0.5
"""How long a place is kept at most where the budget leaves no turn: what has more priority may come meanwhile."""
FETCH_LANE: Final = "fetch"


class Lane:
    """The places of one lane in this process."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.taken = 0
        self.again = False
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Take a place; False where all are taken, and then one of the holders looks again."""
        with self._lock:
            if self.taken >= self.places:
                self.again = True
                return False
            self.taken += 1
            return True

    def note(self) -> float:
        """The share of places that are taken; where any is, one of the holders looks again."""
        with self._lock:
            self.again |= self.taken > 0
            return self.taken / self.places

    def leave(self, *, done: bool) -> bool:
        """Give the place back, unless a nudge came that nobody has looked for: then True, and the place stays."""
        with self._lock:
            if done and self.again:
                self.again = False
                return True
            self.taken -= 1
            return False


class Lanes:
    """All lanes of this process: one for fetches, one for each system that is delivered to."""

    def __init__(self, runtime: Runtime, gate: Gate) -> None:
        self.runtime = runtime
        self.gate = gate
        self.publisher = runtime.publisher
        self._lanes = {FETCH_LANE: Lane(slots(runtime.settings, SOURCE)), SOURCE: Lane(1)}
        self._lanes |= {name: Lane(slots(runtime.settings, name)) for name in runtime.targets}

    def fetch(self, contact_id: int | None = None) -> int:
        """Take new events, then fetch: this contact first, then whatever is due. Returns how many were done."""
        first = contact_id
        waiting: list[int] = []

        def work() -> bool:
            nonlocal first
            if first is None and not waiting:
                waiting.extend(fetching.take_events(self.runtime))
            wanted = first if first is not None else (waiting.pop() if waiting else None)
            first = None
            fetched = fetching.fetch(self.runtime, self.gate, wanted)
            self._pause(fetched.wait_seconds)
            return fetched.result != "none" or bool(waiting)

        return self._drain(FETCH_LANE, work, self.publisher.intake)

    def deliver(self, system: str, link_id: int | None = None) -> int:
        """Deliver this link, then whatever is due at the system. Returns how many were done."""
        if system not in self._lanes:
            return 0
        first = link_id

        def work() -> bool:
            nonlocal first
            wanted, first = first, None
            delivered = delivering.deliver(self.runtime, self.gate, system, wanted)
            self._pause(delivered.wait_seconds)
            return delivered.result != "none" or wanted is not None

        return self._drain(system, work, lambda: self.publisher.deliver(system, 0))

    def _pause(self, seconds: float) -> None:
        """Claim no more for now: each would be put off in turn, thousands of rows for each call that is allowed."""
        if seconds > 0:
            self.runtime.wait(min(seconds, MOST_PAUSE_SECONDS))

    def busy(self, system: str) -> float:
        """How much of its room for the system this process uses now, 0 to 1; where any, it looks for more."""
        lane = self._lanes.get(system)
        return lane.note() if lane is not None else 0.0

    def _drain(self, name: str, work: Callable[[], bool], announce: Callable[[], None]) -> int:
        lane = self._lanes[name]
        if not lane.enter():
            return 0
        done, until, finished = 0, time.monotonic() + SLICE_SECONDS, False
        try:
            while not self.runtime.stopping.is_set():
                if time.monotonic() > until:
                    announce()
                    break
                if work():
                    done += 1
                elif not lane.leave(done=True):
                    finished = True
                    break
        finally:
            if not finished:
                lane.leave(done=False)
        return done
