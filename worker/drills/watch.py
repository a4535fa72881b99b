"""What every vendor holds, looked at again and again: how long a change took to be everywhere, and what came twice."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import httpx
from sqlalchemy.exc import SQLAlchemyError

from worker.drills.traffic import Change, number_in
from worker.drills.vendors import IDENTITY
from worker.store import summary
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from worker.drills.place import Place
    from worker.drills.traffic import Traffic
    from worker.drills.vendors import Held

LOOK_SECONDS: Final = 0.5
TARGETS: Final = tuple(IDENTITY)
BUSY: Final = ("due", "working", "waiting", "unknown")


class Watch:
    """`start` looks on in a thread until `end`; what was seen stands in the attributes, the worst of all looks."""

    def __init__(self, place: Place, traffic: Traffic) -> None:
        self.place = place
        self.traffic = traffic
        self.delays: list[float] = []
        self.most_doubles = 0
        self.worst_balance = 0
        self.last: summary.Summary | None = None
        self.received_before = 0
        self.held: dict[str, dict[str, int]] = {name: {} for name in TARGETS}
        self.records: dict[str, int] = dict.fromkeys(TARGETS, 0)
        self._taken = 0
        self._waiting: dict[str, deque[Change]] = defaultdict(deque)
        self._engine = make_engine(place.settings.database.url or "", pool_size=1, application_name="drill")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on, until `end`."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more looks."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._engine.dispose()

    def behind(self) -> int:
        """How many changes are not everywhere yet, as of the last look."""
        return sum(len(changes) for changes in list(self._waiting.values()))

    def settled(self) -> bool:
        """Whether nothing is owed any more: by what vendors hold, and by the product's own count."""
        found = self.last
        if found is None or self._taken < len(self.traffic.changes) or self.behind():
            return False
        # Robaws may still be sending again what a later change has overtaken.
        if found.events.received - self.received_before < len(self.traffic.changes):
            return False
        links = sum(states.get(state, 0) for states in found.links.values() for state in BUSY)
        return not links and found.events.open == 0 and found.contacts.fetch_due == 0

    def look(self) -> None:
        """One look at everything. A part that is away at the moment is left out."""
        self._take_changes()
        at = time.monotonic()
        try:
            for name in TARGETS:
                self._note(name, self.place.vendors.holds(name))
        except httpx.HTTPError:
            return
        self._arrive(at)
        try:
            with self._engine.connect() as connection:
                self.last = summary.read(connection, self.place.settings, datetime.now(UTC))
        except SQLAlchemyError:
            return
        if abs(self.last.conservation) > abs(self.worst_balance):
            self.worst_balance = self.last.conservation

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.look()

    def _take_changes(self) -> None:
        changes = self.traffic.changes
        end = len(changes)
        for change in changes[self._taken : end]:
            self._waiting[change.name].append(change)
        self._taken = end

    def _note(self, system: str, records: list[Held]) -> None:
        ours = {client.name for client in list(self.traffic.clients)}
        names = Counter(one.name for one in records if one.name in ours)
        self.records[system] = len(records)
        self.held[system] = {one.name: number_in(one.street) for one in records if one.name in ours}
        self.most_doubles = max(self.most_doubles, sum(names.values()) - len(names))

    def _arrive(self, at: float) -> None:
        """Changes that every system holds, or that a later one has overtaken, are everywhere as of this look."""
        for name, changes in list(self._waiting.items()):
            there = min(self.held[system].get(name, 0) for system in TARGETS)
            while changes and changes[0].number <= there:
                self.delays.append(at - changes.popleft().at)
            if not changes:
                del self._waiting[name]


def missing(watch: Watch) -> Mapping[str, int]:
    """By system: how many clients it does not hold as Robaws has them now."""
    clients = watch.traffic.clients
    return {
        system: sum(held.get(client.name, 0) != client.number for client in clients)
        for system, held in watch.held.items()
    }
