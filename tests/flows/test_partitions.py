"""Months are made and dropped beside the traffic: no webhook waits, nothing is lost, and the event equation holds."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from webhooks.figures import Figures
from webhooks.group_commit import Arrival, GroupCommit
from worker.config import RetentionSettings
from worker.flows.sweep import Sweeper
from worker.store import partitions, summary
from worker.store.partitions import Month

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.fixtures.hub import Hub

LONG_AGO = datetime(2024, 5, 3, 12, tzinfo=UTC)
FAR_AHEAD = datetime(2126, 4, 6, 12, tzinfo=UTC)
"""No month of then is there yet, whenever this runs."""


@pytest.fixture(autouse=True)
def months(hub: Hub) -> None:
    """Those of the hub's own time, as they are made before its first row."""
    with hub.owner.begin() as connection:
        partitions.ensure(connection, hub.time)


def balance(hub: Hub) -> summary.Summary:
    with hub.engine.connect() as connection:
        return summary.read(connection, hub.settings, hub.time)


def there(hub: Hub, table: str = "inbox_event") -> list[str]:
    with hub.engine.connect() as connection:
        return partitions.names(connection, table)


def old_event(hub: Hub, state: str, at: datetime = LONG_AGO, *, month: bool = True) -> None:
    """An event of long ago, in a month of its own or in the default partition."""
    with hub.owner.begin() as connection:
        if month and Month("inbox_event", at.year, at.month).name not in partitions.names(connection, "inbox_event"):
            partitions.make(connection, Month("inbox_event", at.year, at.month))
        connection.execute(
            text(
                "INSERT INTO inbox_event (received_at, source, event_id, kind, source_id, headers, body, "
                "correlation_id, state) VALUES (:at, 'robaws', :state, 'client.updated', '1', '{}', '', 'c', :state)"
            ),
            {"at": at, "state": state},
        )
        counts = {"applied": int(state == "applied"), "skipped": int(state == "skipped")}
        connection.execute(
            text("INSERT INTO event_tally (received, applied, skipped) VALUES (1, :applied, :skipped)"), counts
        )


def old_attempt(connection: Connection, at: datetime) -> None:
    connection.execute(
        text(
            "INSERT INTO attempt (at, system, operation, method, path, duration_ms) "
            "VALUES (:at, 'recras', 'read', 'GET', '/', 1)"
        ),
        {"at": at},
    )


class Flow:
    """Webhooks at a steady pace while something else goes on."""

    def __init__(self, hub: Hub) -> None:
        self.url = hub.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
        self.results: list[str] = []
        self.longest = 0.0

    def during(self, work: threading.Thread) -> None:
        asyncio.run(self._send(work))

    async def _send(self, work: threading.Thread) -> None:
        commit = GroupCommit(self.url, Figures(), lambda: None)
        commit.start()
        await asyncio.sleep(0.3)
        work.start()
        number = 0
        while work.is_alive() or number < 10:
            number += 1
            begun = time.monotonic()
            arrival = Arrival(
                b"{}",
                b"{}",
                event_id=f"flow-{number}".encode(),
                kind=b"client.updated",
                source_id=b"1",
                correlation_id=b"c",
            )
            self.results.append(await commit.store(arrival))
            self.longest = max(self.longest, time.monotonic() - begun)
            await asyncio.sleep(0.02)
        await commit.stop()


def test_no_webhook_waits_while_the_months_are_made_beside_a_backup(hub: Hub) -> None:
    hub.time = FAR_AHEAD
    sweeper, flow = Sweeper(hub.runtime), Flow(hub)
    dump = hub.engine.connect()
    dump.execute(text("SELECT count(*) FROM inbox_event"))
    dump.execute(text("SELECT count(*) FROM attempt"))

    flow.during(threading.Thread(target=sweeper.sweep))

    assert set(flow.results) == {"accepted"}
    assert flow.longest < 1.0
    assert "inbox_event_y2126m04" not in there(hub)
    dump.close()
    hub.later(61)
    sweeper.sweep()
    assert {f"inbox_event_y2126m0{month}" for month in (4, 5, 6, 7)} <= set(there(hub))


def test_a_month_is_dropped_beside_a_backup_once_that_is_over(hub: Hub) -> None:
    old_event(hub, "dead")
    old_event(hub, "applied")
    sweeper, flow = Sweeper(hub.runtime), Flow(hub)
    dump = hub.engine.connect()
    dump.execute(text("SELECT count(*) FROM inbox_event"))

    flow.during(threading.Thread(target=sweeper.sweep))

    assert set(flow.results) == {"accepted"}
    assert flow.longest < 1.5
    dump.close()
    hub.later(61)
    sweeper.sweep()
    assert "inbox_event_y2024m05" not in there(hub)
    assert balance(hub).conservation == 0


def test_the_equation_holds_when_a_month_with_dead_events_is_dropped(hub: Hub) -> None:
    for state in ("dead", "applied", "skipped"):
        old_event(hub, state)
    before = balance(hub)

    Sweeper(hub.runtime).sweep()

    after = balance(hub)
    assert (before.events.dead, after.events.dead) == (1, 0)
    assert after.events.skipped == before.events.skipped + 1
    assert after.conservation == 0
    assert "inbox_event_y2024m05" not in there(hub)


def test_a_month_is_kept_while_an_event_of_it_is_open(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    old_event(hub, "taken")

    Sweeper(hub.runtime).sweep()
    assert "inbox_event_y2024m05" in there(hub)

    with hub.owner.begin() as connection:
        ended = partitions.drop(connection, Month("inbox_event", 2024, 5))
    assert ended == 1
    assert balance(hub).conservation == 0
    hub.sync(source_id)


def test_history_is_kept_as_long_as_the_settings_say(hub: Hub) -> None:
    old_event(hub, "applied", hub.time - timedelta(days=45))
    with hub.owner.begin() as connection:
        for ago in (45, 80):
            at = hub.time - timedelta(days=ago)
            partitions.make(connection, Month("attempt", at.year, at.month))
            old_attempt(connection, at)
    Sweeper(hub.runtime).sweep()
    assert "inbox_event_y2026m01" in there(hub)
    assert {"attempt_y2026m01", "attempt_y2025m12"} <= set(there(hub, "attempt"))

    kept = RetentionSettings(events_days=20, attempts_days=40)
    hub.settings = hub.settings.model_copy(update={"retention": kept})
    hub.restart()
    Sweeper(hub.runtime).sweep()

    assert "inbox_event_y2026m01" not in there(hub)
    assert "attempt_y2025m12" not in there(hub, "attempt")
    assert "attempt_y2026m01" in there(hub, "attempt")
    assert balance(hub).conservation == 0


def test_a_clock_far_ahead_takes_one_month_and_not_all_of_them(hub: Hub) -> None:
    with hub.owner.begin() as connection:
        for month in (3, 4, 5):
            partitions.make(connection, Month("attempt", 2024, month))
    sweeper = Sweeper(hub.runtime)
    for _ in range(5):
        sweeper.sweep()
        hub.later(3_601)
    left = there(hub, "attempt")

    hub.later(86_400)
    sweeper.sweep()

    assert [name for name in left if "2024" in name] == ["attempt_y2024m04", "attempt_y2024m05"]
    assert [name for name in there(hub, "attempt") if "2024" in name] == ["attempt_y2024m05"]


def test_an_event_of_a_dropped_month_is_not_taken_again(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id, event_id="once")
    hub.settle()
    with hub.owner.begin() as connection:
        at = connection.execute(text("SELECT received_at FROM inbox_event")).scalar_one()
        partitions.drop(connection, Month("inbox_event", at.year, at.month))
        partitions.ensure(connection, at)

    hub.event(source_id, event_id="once")

    assert balance(hub).events.received == 1
    assert balance(hub).conservation == 0


def test_a_month_that_somebody_dropped_by_hand_is_noticed_and_counted(hub: Hub) -> None:
    hub.robaws.fail("status", times=1, method="GET", status=400, body='{"message": "no"}')
    hub.event(hub.robaws.add_client(**client()))
    hub.settle()
    sweeper = Sweeper(hub.runtime)
    sweeper.sweep()
    with hub.owner.begin() as connection:
        connection.execute(text("UPDATE inbox_event SET received_at = received_at WHERE false"))
        name = connection.execute(text("SELECT tableoid::regclass::text FROM inbox_event")).scalar_one()
        connection.execute(text(f"DROP TABLE {name}"))
    assert balance(hub).conservation == 1

    hub.later(3_601)
    sweeper.sweep()

    assert balance(hub).conservation == 0
    assert balance(hub).events.skipped == 1


def test_rows_of_a_month_that_was_not_made_move_into_it(hub: Hub) -> None:
    hub.time = FAR_AHEAD
    old_event(hub, "dead", hub.time, month=False)
    old_event(hub, "taken", hub.time + timedelta(days=1), month=False)
    with hub.owner.begin() as connection:
        old_attempt(connection, hub.time)

    Sweeper(hub.runtime).sweep()

    with hub.engine.connect() as connection:
        events = connection.execute(text("SELECT tableoid::regclass::text, state FROM inbox_event ORDER BY id")).all()
        attempts = connection.execute(text("SELECT tableoid::regclass::text FROM attempt")).scalars().all()
    assert [tuple(row) for row in events] == [("inbox_event_y2126m04", "dead"), ("inbox_event_y2126m04", "taken")]
    assert list(attempts) == ["attempt_y2126m04"]
    assert balance(hub).conservation == 0


def test_too_many_rows_to_move_stay_where_they_are_and_age_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "MOST_MOVED", 1)
    hub.time = FAR_AHEAD
    for state in ("dead", "applied"):
        old_event(hub, state, hub.time, month=False)
    sweeper = Sweeper(hub.runtime)
    sweeper.sweep()
    assert "inbox_event_y2126m04" not in there(hub)
    assert "inbox_event_y2126m05" in there(hub)

    hub.later(500 * 86_400)
    sweeper.sweep()

    with hub.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM inbox_event")).scalar_one() == 0
    assert balance(hub).conservation == 0


def test_the_sweep_goes_on_where_a_month_cannot_be_made(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.time = FAR_AHEAD
    dump = hub.engine.connect()
    dump.execute(text("SELECT count(*) FROM inbox_event"))
    hub.event(hub.robaws.add_client(**client()))

    announced = Sweeper(hub.runtime).sweep()

    assert announced == {"fetch": 1}
    assert "attempt_y2126m04" in there(hub, "attempt")
    assert "inbox_event_y2126m04" not in there(hub)
    dump.close()


def test_a_month_that_was_made_has_all_that_its_table_has(hub: Hub) -> None:
    """Indexes, defaults, checks and storage: what a new row is stored with and found by."""
    with hub.owner.begin() as connection:
        for table in partitions.PARTITIONED:
            partitions.make(connection, Month(table, 2031, 1))
            connection.execute(
                text(
                    f"CREATE TABLE {table}_y2031m02 PARTITION OF {table} "
                    "FOR VALUES FROM ('2031-02-01 00:00+00') TO ('2031-03-01 00:00+00')"
                )
            )

    with hub.engine.connect() as connection:
        for table in partitions.PARTITIONED:
            ours, theirs = (
                [
                    connection.execute(text(query), {"name": f"{table}_y2031m{month}"}).all()
                    for query in (
                        (
                            "SELECT attname, atttypid, attnotnull, attstorage, atthasdef FROM pg_attribute "
                            "WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 ORDER BY attname"
                        ),
                        (
                            "SELECT replace(pg_get_indexdef(indexrelid), :name, 't'), i.inhparent FROM pg_index "
                            "JOIN pg_inherits AS i ON i.inhrelid = indexrelid "
                            "WHERE indrelid = CAST(:name AS regclass) ORDER BY 2"
                        ),
                        (
                            "SELECT conname, contype FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) "
                            "AND contype = 'c' ORDER BY 1"
                        ),
                    )
                ]
                for month in ("01", "02")
            )
            assert ours[0] == theirs[0]
            assert [row[1] for row in ours[1]] == [row[1] for row in theirs[1]]
            assert ours[2] == theirs[2]
