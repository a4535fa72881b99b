"""The summary: right at every moment, from one snapshot, without counting a large table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from typing_extensions import override

from tests.store.people import CLIENT, act, ask
from worker.errors import BudgetExhausted
from worker.store import inbox, operating, summary
from worker.vendors.transport import Unmetered

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fixtures.hub import Hub
    from worker.core.wire import Lane
    from worker.store.summary import Summary


def read(hub: Hub) -> Summary:
    found: Summary = ask(hub, summary.read, hub.settings, hub.time)
    return found


def counted(engine: Engine) -> dict[str, dict[str, int]]:
    """Links counted the slow way."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT system, state, count(*) AS n FROM link GROUP BY 1, 2"))
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row.system, {})[row.state] = row.n
    return found


def told(found: Summary) -> dict[str, dict[str, int]]:
    """The summary's links without zeros."""
    links = {name: {state: n for state, n in states.items() if n} for name, states in found.links.items()}
    return {name: states for name, states in links.items() if states}


def test_an_empty_database_has_a_summary_of_zeros(hub: Hub) -> None:
    found = read(hub).to_json()

    assert found["events"] == dict.fromkeys(("received", "applied", "skipped", "open", "dead", "rejected"), 0)
    assert found["contacts"] == {"total": 0, "fetch_due": 0, "fetch_dead": 0}
    assert set(found["links"]) == {"rompslomp", "recras", "workspace"}
    assert found["links"]["recras"] == dict.fromkeys(
        ("synced", "due", "working", "waiting", "unknown", "review", "dead", "excluded"), 0
    )
    assert found["systems"]["recras"]["state"] == "running"
    assert found["systems"]["routix"]["state"] == "disabled"
    assert found["conservation"] == 0


def test_it_agrees_with_the_rows_at_every_step_of_a_story(hub: Hub) -> None:
    clients = [hub.robaws.add_client(name=f"Client {number}", email=f"c{number}@x.example") for number in range(4)]
    hub.recras.fail("status", status=500, times=2)
    hub.rompslomp.fail("drop_after", times=1, method="POST")
    for client in clients:
        hub.event(client)
        hub.event(client)
    hub.event("9", kind="offer.created")

    steps = 0
    while hub.step():
        steps += 1
        found = read(hub)
        assert found.conservation == 0
        assert told(found) == counted(hub.engine)
        assert found.contacts.total == 4
    act(hub, operating.discard, f"link-{_waiting(hub)}", reason="to see it counted")

    assert steps > 10
    found = read(hub)
    assert told(found) == counted(hub.engine)
    assert sum(states["excluded"] for states in found.links.values()) == 1
    assert (found.events.received, found.events.applied) == (9, 8)
    assert (found.events.skipped, found.events.open) == (1, 0)


def _waiting(hub: Hub) -> int:
    with hub.engine.connect() as connection:
        return int(
            connection.execute(text("SELECT min(id) FROM link WHERE state IN ('waiting', 'unknown')")).scalar_one()
        )


def test_removed_contacts_and_folded_tallies_change_no_sum(hub: Hub) -> None:
    for number in range(3):
        hub.sync(hub.robaws.add_client(name=f"Client {number}"))
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'excluded' WHERE system = 'recras'"))
        connection.execute(text("DELETE FROM contact WHERE id = (SELECT min(id) FROM contact)"))
    before = read(hub)

    with hub.engine.begin() as connection:
        summary.fold_rows(connection)
        summary.fold_rows(connection)
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM row_tally")).scalar_one()

    assert read(hub) == before
    assert told(before) == counted(hub.engine)
    assert (before.contacts.total, rows) == (2, 5)


def test_emptied_tables_are_counted_as_empty(hub: Hub) -> None:
    hub.sync(hub.robaws.add_client(**CLIENT))

    with hub.engine.begin() as connection:
        connection.execute(text("TRUNCATE contact CASCADE"))

    assert told(read(hub)) == {}
    assert read(hub).contacts.total == 0


def test_an_event_that_was_lost_shows(hub: Hub) -> None:
    hub.sync(hub.robaws.add_client(**CLIENT))
    hub.event("1")

    with hub.engine.begin() as connection:
        connection.execute(text("DELETE FROM inbox_event WHERE state = 'new'"))

    assert read(hub).conservation == 1


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        ("breaker = 'open', reason = 'server_error'", "broken", "server_error"),
        ("breaker = 'probing', reason = 'server_error'", "probing", "server_error"),
        ("paused_by = 'operator', paused_reason = 'they move'", "paused", "they move"),
        ("paused_by = 'credentials', paused_reason = 'key refused', breaker = 'open'", "paused", "key refused"),
        ("throttled_until = '2026-03-02 10:00+00', reason = 'rate_limited'", "running", "rate_limited"),
        ("throttled_until = '2026-03-02 08:00+00', reason = 'rate_limited'", "running", None),
        ("creates_paused_until = '2026-03-02 10:00+00', creates_reason = 'full'", "running", "full"),
    ],
)
def test_a_system_says_how_it_is_and_why(hub: Hub, change: str, state: str, reason: str | None) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text(f"UPDATE system_state SET {change} WHERE system = 'recras'"))

    found = read(hub).systems["recras"]

    assert (found.state, found.reason) == (state, reason)


def test_the_oldest_work_is_as_old_as_it_has_been_owed_whatever_was_tried_since(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.recras.fail("status", status=500, times=-1)
    hub.sync(client)
    hub.later(40)
    hub.settle()

    found = read(hub).systems

    assert 40 <= found["recras"].oldest_due_seconds < 50
    assert found["rompslomp"].oldest_due_seconds == 0


def test_a_fetch_that_is_owed_is_the_sources_oldest_work(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.robaws.fail("status", status=500)
    hub.sync(client)
    hub.later(30)

    assert 30 <= read(hub).systems["robaws"].oldest_due_seconds < 40


@pytest.mark.parametrize(
    ("learned", "daily", "calls", "left"),
    [
        ({"day": "2026-03-02", "calls_today": 12, "quota_remaining": 7}, 100, 12, 7),
        ({"day": "2026-03-02", "calls_today": 12, "quota_remaining": 9_996}, 100, 12, 88),
        ({"day": "2026-03-02", "calls_today": 120, "quota_remaining": 9_996}, 100, 120, 0),
        ({"day": "2026-03-02", "calls_today": 12, "quota_remaining": 7}, None, 12, 7),
        ({"day": "2026-03-02", "calls_today": 12, "quota_remaining": 0}, None, 12, 0),
        ({"day": "2026-03-02", "calls_today": 12, "quota_remaining": None}, 100, 12, 88),
        ({"day": "2026-03-01", "calls_today": 12, "quota_remaining": 7}, 100, 0, 100),
        ({"day": "2026-03-02", "calls_today": 12}, None, 12, None),
        ({}, None, 0, None),
    ],
)
def test_calls_and_quota_are_those_of_today_and_the_lower_limit_counts(
    learned: dict[str, Any], daily: int | None, calls: int, left: int | None
) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    found = summary.system({"learned": learned}, enabled=True, daily_requests=daily, oldest=None, now=now)

    assert (found.calls_today, found.quota_remaining) == (calls, left)


def test_a_quota_that_is_used_up_shows_at_its_system_until_when(hub: Hub) -> None:
    used_up = BudgetExhausted("the day's quota of calls is used up", wait_seconds=3_600, reason="daily_quota")
    hub.runtime.budget = _Spent("recras", used_up)
    clients = [hub.robaws.add_client(name=f"Client {number}", email=f"c{number}@x.example") for number in range(3)]
    for client in clients:
        hub.event(client)

    hub.settle()
    found = read(hub).systems["recras"]
    tries = hub.runtime.budget.asked
    hub.runtime.budget = Unmetered()
    hub.later(3_601)
    hub.settle()

    assert (found.state, found.quota_remaining) == ("running", 0)
    assert found.reason == "the day's quota of calls is used up until 2026-03-02 10:00 UTC"
    assert tries == 1
    assert read(hub).systems["recras"].reason is None
    assert {state for _, system, state, _ in hub.links() if system == "recras"} == {"synced"}


class _Spent(Unmetered):
    """A budget that has nothing left for one system."""

    def __init__(self, system: str, error: BudgetExhausted) -> None:
        self.system, self.error, self.asked = system, error, 0

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        if system == self.system:
            self.asked += 1
            raise self.error


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    found = summary.system({}, enabled=True, daily_requests=None, oldest=now + timedelta(seconds=5), now=now)

    assert found.oldest_due_seconds == 0


def test_one_folding_takes_what_ten_seconds_of_a_thousand_commits_a_second_leave(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text("INSERT INTO event_tally (received) SELECT 1 FROM generate_series(1, 10000)"))
        inbox.fold_tally(connection)
        found = connection.execute(text("SELECT count(*), sum(received) FROM event_tally")).one()

    assert tuple(found) == (1, 10_000)
