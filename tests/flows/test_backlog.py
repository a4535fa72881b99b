"""A vendor that is away for a day: what waits for it costs the sweep nothing, storms nobody, and leaves in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.flows.sweep import Sweeper
from worker.runtime import slots
from worker.store import migrations, operating
from worker.store.operating import Actor

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

ACTOR = Actor("operator", "operator")
BACKLOG = 3_000

_CONTACTS = """
    INSERT INTO contact (source, source_id, version, content_hash, name, canonical, raw, fetched_at, fetch_wanted,
        fetch_done)
    SELECT source, (900000 + n)::text, 1, md5(n::text), name, canonical, raw, :now, 1, 1
    FROM contact, generate_series(1, :count) AS n WHERE source_id = :source_id
"""
_LINKS = """
    INSERT INTO link (contact_id, system, state, wanted_version, next_attempt_at, since, reason)
    SELECT id, 'rompslomp', 'waiting', 1, :now, :now, 'server_error' FROM contact WHERE source_id <> :source_id
"""


class Counted:
    """A publisher that counts what it is told, by lane, and loses it."""

    def __init__(self) -> None:
        self.told: dict[str, int] = {}

    def _tell(self, lane: str) -> None:
        self.told[lane] = self.told.get(lane, 0) + 1

    def intake(self) -> None:
        self._tell("fetch")

    def fetch(self, _contact_id: int) -> None:
        self._tell("fetch")

    def deliver(self, system: str, _link_id: int) -> None:
        self._tell(system)

    def crowded(self, _lane: str, /) -> bool:
        return False


@pytest.fixture
def backlog(hub: Hub) -> Hub:
    """Thousands of links that are due at Rompslomp, which answers 503."""
    with hub.owner.begin() as connection:
        migrations.ensure_partitions(connection, hub.time)
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.fail("status", times=-1, status=503)
    with hub.engine.begin() as connection:
        connection.execute(text(_CONTACTS), {"now": hub.time, "count": BACKLOG, "source_id": source_id})
        connection.execute(text(_LINKS), {"now": hub.time, "source_id": source_id})
    hub.forget_calls()
    return hub


def sweep(hub: Hub) -> dict[str, int]:
    """What one sweep announces, by lane."""
    publisher = Counted()
    hub.runtime.publisher = publisher
    Sweeper(hub.runtime).sweep()
    return publisher.told


def test_a_sweep_announces_as_many_as_a_worker_can_take_however_many_are_due(backlog: Hub) -> None:
    assert sweep(backlog) == {"rompslomp": slots(backlog.settings, "rompslomp")}


def test_a_breaker_that_is_open_lets_one_call_through_at_each_probe_and_nothing_is_announced(backlog: Hub) -> None:
    backlog.settle()
    opened = len(backlog.rompslomp.calls())
    announced = sweep(backlog)
    for _ in range(20):
        backlog.later(float(backlog.settings.breaker.probe_seconds) + 1)
        backlog.settle()

    assert opened == backlog.settings.breaker.failures
    assert announced == {}
    assert opened < len(backlog.rompslomp.calls()) <= opened + 20


def test_a_change_of_another_client_goes_past_the_backlog_to_the_others(backlog: Hub) -> None:
    source_id = backlog.robaws.add_client(**client(7))
    backlog.sync(source_id)

    assert {backlog.link(source_id, name)["state"] for name in ("recras", "workspace")} == {"synced"}


def test_a_breaker_that_is_open_costs_those_who_wait_no_step_of_their_ladder(backlog: Hub) -> None:
    backlog.settle()
    for _ in range(20):
        backlog.later(float(backlog.settings.breaker.probe_seconds) + 1)
        backlog.settle()

    with backlog.engine.connect() as connection:
        tried = connection.execute(text("SELECT sum(attempts), count(*) FILTER (WHERE attempts > 0) FROM link")).one()
    assert tried[0] == len(backlog.rompslomp.calls())
    assert tried[1] <= backlog.settings.breaker.failures + 20


def test_what_waited_leaves_in_the_order_in_which_it_came(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        operating.pause(connection, "rompslomp", ACTOR, hub.time, "their maintenance")
    for number in range(1, 16):
        hub.sync(hub.robaws.add_client(**client(number)))
    hub.time += timedelta(days=1)

    with hub.engine.begin() as connection:
        operating.resume(connection, "rompslomp", ACTOR, hub.time)
    hub.restart()
    hub.settle()

    names = [record["company_name"] for record in hub.rompslomp.state()["records"]]
    assert names == [f"Dakwerken De Linde {number}" for number in range(1, 16)]
