"""Retention is a setting that works: old months go, and the equation of events holds at every step."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_partitions import balance, old_attempt, old_event, there
from worker.config import RetentionSettings
from worker.flows.sweep import Sweeper
from worker.store import partitions
from worker.store.partitions import Month

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

STATES = ("applied", "skipped", "dead", "new", "taken")
CLOSED = ("applied", "skipped", "dead")


@pytest.fixture(autouse=True)
def months(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        partitions.ensure(connection, hub.time)


def keep(hub: Hub, events_days: int, attempts_days: int) -> None:
    kept = RetentionSettings(events_days=events_days, attempts_days=attempts_days)
    hub.settings = hub.settings.model_copy(update={"retention": kept})
    hub.restart()


def old_months(hub: Hub) -> set[str]:
    """Of what months there are old events."""
    with hub.engine.connect() as connection:
        statement = text("SELECT to_char(received_at, 'YYYY-MM') FROM inbox_event WHERE event_id = ANY(:states)")
        return set(connection.execute(statement, {"states": list(STATES)}).scalars())


@pytest.mark.parametrize("in_a_month", [True, False], ids=["in months", "in the default partition"])
def test_the_equation_holds_on_each_day_on_which_something_goes(hub: Hub, in_a_month: bool) -> None:
    for ago, state in product((40, 75, 110, 400), CLOSED):
        old_event(hub, state, hub.time - timedelta(days=ago), month=in_a_month)
    hub.sync(hub.robaws.add_client(**client()))
    before = balance(hub).events
    keep(hub, 60, 30)
    sweeper = Sweeper(hub.runtime)

    for _ in range(8):
        sweeper.sweep()
        now = balance(hub)
        assert now.conservation == 0
        assert now.events.received == before.received
        hub.later(86_401)

    # The month of 40 days ago is not over for 60 days yet; those before are gone with all that they held.
    assert old_months(hub) == {"2026-01"}
    assert balance(hub).events.dead == 1
    assert balance(hub).events.skipped == before.skipped + 3


def test_an_event_that_is_still_open_keeps_its_month_and_nothing_else(hub: Hub) -> None:
    for ago, state in ((75, "taken"), (75, "dead"), (110, "dead"), (145, "applied")):
        old_event(hub, state, hub.time - timedelta(days=ago))
    keep(hub, 30, 30)
    sweeper = Sweeper(hub.runtime)

    for _ in range(5):
        sweeper.sweep()
        assert balance(hub).conservation == 0
        hub.later(86_401)

    assert old_months(hub) == {"2025-12"}


def test_requests_go_by_a_setting_of_their_own(hub: Hub) -> None:
    at = hub.time - timedelta(days=75)
    with hub.engine.begin() as connection:
        partitions.make(connection, Month("attempt", at.year, at.month))
        old_attempt(connection, at)
    old_event(hub, "applied", at)
    keep(hub, 400, 30)

    Sweeper(hub.runtime).sweep()

    with hub.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM attempt")).scalar_one() == 0
    assert "inbox_event_y2025m12" in there(hub)


def test_counts_of_refused_webhooks_go_as_the_events_do(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        for ago in (5, 20, 50):
            connection.execute(
                text("INSERT INTO webhook_result VALUES (:at, 'host', :ago, :at, :at)"),
                {"at": hub.time - timedelta(days=ago), "ago": ago},
            )
    keep(hub, 30, 30)

    Sweeper(hub.runtime).sweep()

    with hub.engine.connect() as connection:
        kept = connection.execute(text("SELECT requests FROM webhook_result ORDER BY 1")).scalars()
        assert list(kept) == [5, 20]


def test_the_quarantine_goes_as_the_events_do(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        for ago in (5, 20, 50):
            connection.execute(
                text(
                    "INSERT INTO inbox_reject (received_at, source, problem, headers, body) "
                    "VALUES (:at, 'robaws', 'no event', '{}', :body)"
                ),
                {"at": hub.time - timedelta(days=ago), "body": str(ago).encode()},
            )
        connection.execute(text("INSERT INTO event_tally (rejected) VALUES (3)"))
    keep(hub, 30, 30)

    Sweeper(hub.runtime).sweep()

    with hub.engine.connect() as connection:
        kept = connection.execute(text("SELECT body FROM inbox_reject ORDER BY id")).scalars()
        assert [bytes(body) for body in kept] == [b"5", b"20"]
    assert balance(hub).events.rejected == 3
