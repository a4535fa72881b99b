"""
Nudges to the worker, after the answer and beside the event loop.

A thread publishes, one nudge at a time; what is asked for in the meantime becomes the next one. So a broker that is
away, or hangs, changes nothing for whoever sends events: the thread waits, and the sweep announces the rows anyway.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from webhooks.figures import Figures
    from worker.runtime import Publisher

log = structlog.get_logger()

SPACING_SECONDS: Final = 0.02
"""While events come fast, one nudge for so long: a worker that is at it finds the later ones by itself."""

FLOOD_EVENTS: Final = 50
FLOOD_SECONDS: Final = 0.2
"""After so many events since the last nudge the next one waits longer: each takes the interpreter from the events."""

_MOST_WAITING: Final = 200


class Nudger:
    """The thread. `make` builds the publisher there, as its libraries take a while to load. Methods return at once."""

    def __init__(self, make: Callable[[], Publisher], figures: Figures) -> None:
        self._make = make
        self._figures = figures
        self._events = False
        self._others: deque[Callable[[Publisher], None]] = deque(maxlen=_MOST_WAITING)
        self._wake = threading.Event()
        self._stopping = False
        self._came = 0.0
        self._thread = threading.Thread(target=self._run, name="nudge", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, wait_seconds: float = 0.5) -> None:
        """Publish what is asked for and end; a publish that hangs is left to hang."""
        self._stopping = True
        self._wake.set()
        self._thread.join(wait_seconds)

    def events(self) -> None:
        """New events wait in the inbox."""
        if not self._events:
            self._events = True
            self._wake.set()

    def fetch(self, contact_id: int) -> None:
        """A contact is owed a fetch."""
        self._others.append(lambda publisher: publisher.fetch(contact_id))
        self._wake.set()

    def deliver(self, system: str, link_id: int) -> None:
        """A link is due."""
        self._others.append(lambda publisher: publisher.deliver(system, link_id))
        self._wake.set()

    def _run(self) -> None:
        publisher: Publisher | None = None
        while True:
            try:
                publisher = publisher or self._make()
                self._wake.wait()
                self._wake.clear()
                self._publish(publisher)
            except Exception:
                # The publisher forgives a broker that is away; whatever else happens must not end the nudges.
                log.exception("nudge.failed")
            if self._stopping:
                return
            time.sleep(self._rest())

    def _rest(self) -> float:
        before, self._came = self._came, self._figures.batch.total
        return FLOOD_SECONDS if self._came - before > FLOOD_EVENTS else SPACING_SECONDS

    def _publish(self, publisher: Publisher) -> None:
        if self._events:
            self._events = False
            publisher.intake()
            self._figures.nudges_sent += 1
        while self._others:
            self._others.popleft()(publisher)
            self._figures.nudges_sent += 1
