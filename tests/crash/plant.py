"""The product with its lanes, its sweep and a broker in memory, to be killed at any point and started again."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from tests.fixtures.hub import Crash
from worker.flows import fetch as fetching
from worker.flows.drain import Lanes
from worker.flows.sweep import Sweeper
from worker.store import migrations

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

ROOT: Final = Path(__file__).resolve().parents[2]
FLOWS: Final = ROOT / "worker" / "flows"
NUDGE: Final = ROOT / "webhooks" / "nudge.py"
MOST_ROUNDS: Final = 400

_UPCOMING: Final = text(
    """
    SELECT min(at) FILTER (WHERE at > :now) AS at, count(*) FILTER (WHERE at <= :now) AS due,
        (SELECT min(held) FROM (SELECT unnest(ARRAY[probe_at, throttled_until,
            to_timestamp(CAST(learned #>> '{recovery,entered_until}' AS float8))]) AS held FROM system_state) AS s
            WHERE held > :now) AS held
    FROM (
        SELECT next_attempt_at AS at FROM link WHERE state IN ('due', 'working', 'waiting', 'unknown')
        UNION ALL SELECT fetch_next_attempt_at FROM contact WHERE fetch_state IN ('due', 'working', 'waiting')
        UNION ALL SELECT to_timestamp(0) WHERE EXISTS (SELECT FROM inbox_event WHERE state = 'new')
    ) AS moments
    """
)
_TABLES: Final = ("contact", "link", "inbox_event", "inbox_key", "event_tally", "review", "attempt", "system_state")


class Broker:
    """Nudges in the order in which they came. It lives on when the process dies."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.heard = heard
        self.waiting: deque[tuple[str, int]] = deque()

    def intake(self) -> None:
        self._send("intake", "fetch", 0)

    def fetch(self, contact_id: int) -> None:
        self._send("fetch", "fetch", contact_id)

    def deliver(self, system: str, link_id: int) -> None:
        self._send("deliver", system, link_id)

    def crowded(self, lane: str) -> bool:
        return False

    def _send(self, method: str, lane: str, row: int) -> None:
        place = _call_site(method)
        self.heard(f"{place}.before")
        self.waiting.append((lane, row))
        self.heard(f"{place}.after")


def _call_site(method: str) -> str:
    """Which line of the code announces: module, qualified name and word, as `points` reads them."""
    frame = sys._getframe(2)
    while frame is not None:
        path, name = Path(frame.f_code.co_filename), frame.f_code.co_qualname
        if path.name == "runtime.py" and name.endswith(".announce"):
            method = "announce"
        elif "<lambda>" not in name and (path.is_relative_to(FLOWS) or path == NUDGE):
            word = "announce" if name.endswith("._drain") else method
            return f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}:{name}:{word}"
        assert frame.f_back is not None, f"nobody in the flows called {method}"
        frame = frame.f_back
    raise AssertionError("unreachable")


class Plant:
    """One worker and one scheduler over a hub. `crash_at` is where the process dies, once."""

    def __init__(self, hub: Hub, point: str) -> None:
        self.hub = hub
        self.point = point
        self.died = False
        self.dead = False
        self.lives = 0
        self.reached: set[str] = set()
        self.on: dict[str, Callable[[], None]] = {}
        self.broker = Broker(self.pass_point)
        hub.crash_at = self._hook
        with hub.owner.begin() as connection:
            migrations.ensure_partitions(connection, hub.time)
        self.start()

    def start(self) -> None:
        """A new process: nothing that was only in memory is left."""
        self.dead = False
        self.lives += 1
        self.hub.restart()
        self.hub.runtime.publisher = self.broker
        self.lanes = Lanes(self.hub.runtime, self.hub.gate)
        self.sweeper = Sweeper(self.hub.runtime)

    def _hook(self, name: str) -> bool:
        self.pass_point(name)
        return False

    def pass_point(self, name: str) -> None:
        """Every boundary is passed here; at the one that is meant the process dies."""
        assert not self.dead, f"{name} was reached after the process had died"
        self.reached.add(name)
        act = self.on.pop(name, None)
        if act is not None:
            act()
        if name == self.point and not self.died:
            self.died = self.dead = True
            self.rows_then = self.rows()
            raise Crash(name)

    @contextmanager
    def surviving(self) -> Iterator[None]:
        """If the process dies in here, it is started again, and what it had not committed is not there."""
        try:
            yield
        except Crash:
            if self.point.endswith(".before_commit"):
                assert self.rows() == self.rows_then, "something was committed by a process that died before its commit"
            self.start()

    def rows(self) -> list[Any]:
        """What is committed, as another connection sees it."""
        union = ", ".join(f"(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t)" for name in _TABLES)
        with self.hub.engine.connect() as connection:
            return list(connection.execute(text(f"SELECT {union}")).one())

    def run(self, hours: float = 72.0) -> None:
        """Sweep and work until nothing is due for so long, turning the clock; the event equation holds throughout."""
        end = self.hub.time.timestamp() + hours * 3600
        for _ in range(MOST_ROUNDS):
            lives = self.lives
            with self.surviving():
                self.sweeper.sweep()
            self.check_equation()
            self._work()
            if self.broker.waiting or self.lives != lives:
                continue
            upcoming = self._upcoming()
            if upcoming is None or upcoming.timestamp() > end:
                return
            self.hub.time = max(upcoming, self.hub.time + timedelta(milliseconds=10))
        raise AssertionError(f"still busy: {self.hub.links()}")

    def _upcoming(self) -> datetime | None:
        """When the next thing may be done; where something is due and held back, when that may end."""
        with self.hub.engine.connect() as connection:
            row = connection.execute(_UPCOMING, {"now": self.hub.time}).one()
        moments = [row.at] if row.at is not None else []
        if row.due and row.held is not None:
            moments.append(row.held)
        elif row.due:
            moments.append(self.hub.time)
        return min(moments, default=None)

    def _work(self) -> None:
        while self.broker.waiting:
            lane, row = self.broker.waiting.popleft()
            with self.surviving():
                if lane == "fetch":
                    self.lanes.fetch(row or None)
                else:
                    self.lanes.deliver(lane, row or None)
            self.check_equation()

    def others_fetch(self) -> None:
        """Another process takes the new events and does the fetches that are due, while this one is at a boundary."""
        fetching.take_events(self.hub.runtime)
        self.hub.later(1)
        while fetching.fetch(self.hub.runtime, self.hub.gate).result != "none":
            pass

    def check_equation(self) -> None:
        """received = applied + skipped + open + dead."""
        sides = self.hub.equation()
        assert sides["received"] == sum(value for name, value in sides.items() if name != "received"), sides
