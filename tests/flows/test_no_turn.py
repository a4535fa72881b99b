"""Where a vendor's budget leaves no turn, a worker waits for one and does not go through all that is due meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from typing_extensions import override

from tests.flows.stories import client
from worker.errors import BudgetExhausted
from worker.flows.drain import MOST_PAUSE_SECONDS, Lanes
from worker.store import operating
from worker.store.operating import Actor
from worker.vendors.transport import Lane, Unmetered

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

CLIENTS = 6
PAUSES = 3


class NoTurn(Unmetered):
    """A budget that is used up for a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = 0

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        self.asked += 1
        raise BudgetExhausted("no turn soon enough", wait_seconds=self.seconds, reason="rate")


class Stopping:
    """The worker is told to stop in its third pause."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def is_set(self) -> bool:
        return len(self.pauses) >= PAUSES

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return self.is_set()


def touched(hub: Hub, table: str, column: str) -> int:
    with hub.engine.connect() as connection:
        statement = text(f"SELECT count(*) FROM {table} WHERE {column} = 'rate'")
        return int(connection.execute(statement).scalar_one())


@pytest.mark.parametrize(("lane", "seconds"), [("fetch", 0.2), ("deliver", 5.0)])
def test_a_worker_that_gets_no_turn_puts_off_no_more_than_it_has_asked_for(hub: Hub, lane: str, seconds: float) -> None:
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    clients = [hub.robaws.add_client(**client(name=f"Firma {n}", email=f"{n}@f{n}.example")) for n in range(CLIENTS)]
    if lane == "deliver":
        hub.rompslomp.fail("status", times=-1, status=503)
    for source_id in clients:
        hub.event(source_id)
    hub.settle()
    with hub.engine.begin() as connection:
        operating.resume(connection, "rompslomp", Actor("An", "operator"), hub.time)
        operating.replay_since(connection, hub.time - timedelta(days=90000), Actor("An", "operator"), hub.time, "why")
    budget, stopping = NoTurn(seconds), Stopping()
    hub.restart()
    hub.runtime.budget = budget
    hub.runtime.stopping = stopping  # type: ignore[assignment]
    hub.later(60)

    lanes = Lanes(hub.runtime, hub.gate)
    _ = lanes.fetch() if lane == "fetch" else lanes.deliver("rompslomp")

    assert stopping.pauses == [min(seconds, MOST_PAUSE_SECONDS)] * PAUSES
    assert budget.asked == PAUSES
    assert touched(hub, *(("contact", "fetch_reason") if lane == "fetch" else ("link", "reason"))) == PAUSES
