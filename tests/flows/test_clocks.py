"""Clocks that are wrong: a machine's own matters to nobody, and the database's leaves no trace once it is right."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.cli import asking
from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.flows.gate import Gate
from worker.flows.sweep import Sweeper
from worker.runtime import Runtime
from worker.store import clock, directory, migrations, systems
from worker.store.engine import make_engine
from worker.vendors.transport import Unmetered

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from tests.fixtures.hub import Hub

DAY = 86_400.0


@pytest.fixture(autouse=True)
def partitions(hub: Hub) -> None:
    """Those of the hub's own months, as they are made before their first rows."""
    with hub.owner.begin() as connection:
        migrations.ensure_partitions(connection, hub.time)


def only(hub: Hub, system: str) -> None:
    hub.configure(**{name: {"enabled": False} for name in ("rompslomp", "recras", "workspace") if name != system})


def turn_database_clock(engine: Engine, seconds: float) -> Engine:
    """An engine on the same database, whose clock is ahead by so many seconds."""
    url = engine.url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
                f"$$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} seconds' $$"
            )
        )
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog'))
    return make_engine(url.replace("postgresql+psycopg", "postgresql"), pool_size=4)


def far_from(at: datetime, engine: Engine) -> float:
    with engine.connect() as connection:
        return abs((clock.database_time(connection) - at).total_seconds())


def test_rows_go_by_the_databases_clock(hub: Hub) -> None:
    engine = turn_database_clock(hub.engine, 3_600)
    runtime = Runtime(hub.settings, engine=engine, budget=Unmetered())

    assert far_from(runtime.now(), engine) < 1
    runtime.close()


def test_commands_go_by_the_databases_clock(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = turn_database_clock(hub.engine, -3_600)
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    settings = hub.settings.with_urls(address, "redis://localhost:1/0")
    monkeypatch.setattr("worker.cli.reach.settings_with_urls", lambda: settings)

    with asking.asking():
        told = asking.now()

    assert far_from(told, engine) < 2
    engine.dispose()


@pytest.mark.parametrize("system", ["workspace", "recras"])
def test_two_machines_whose_clocks_differ_make_one_record(hub: Hub, system: str) -> None:
    only(hub, system)
    hub.event(hub.robaws.add_client(**client()))
    here, there = (
        Runtime(
            hub.settings,
            engine=hub.application,
            budget=Unmetered(),
            transports=hub.runtime._transports,
            now=clock.DatabaseClock(hub.engine, wall=wall).now,
        )
        for wall in (time.time, lambda: time.time() + 200)
    )
    fetching.take_events(here)
    fetching.fetch(here, Gate(here))
    elsewhere: list[str] = []

    def other_machine(name: str) -> None:
        if name == "deliver.intend.after_commit":
            elsewhere.append(delivering.deliver(there, Gate(there), system).result)

    here.hook = other_machine
    done = delivering.deliver(here, Gate(here), system)

    assert (done.result, elsewhere) == ("synced", ["none"])
    assert len(hub.simulators[system].state()["records"]) == 1


def test_a_clock_that_was_a_day_ahead_does_not_delay_the_next_event(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.later(DAY)
    hub.sync(source_id)
    hub.set_back(DAY)
    hub.later(3_600)

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    assert hub.contact(source_id)["fetch_state"] == "idle"
    assert hub.contact(source_id)["canonical"]["address"]["city"] == "Aalst"


def test_a_list_that_was_read_in_the_future_does_not_serve(hub: Hub) -> None:
    only(hub, "workspace")
    first = hub.robaws.add_client(**client())
    hub.later(DAY)
    hub.sync(first)
    hub.set_back(DAY)
    hub.later(3_600)
    record = hub.workspace.add_record(
        name="Bakkerij Het Zuiden", btw="BE0403170701", type="1", email="bakker@zuiden.example"
    )
    second = hub.robaws.add_client(
        name="Bakkerij Het Zuiden", vatIdNumber="BE0403170701", email="bakker@zuiden.example", tel="053 00 00 00"
    )

    hub.sync(second)

    assert hub.link(second, "workspace")["external_id"] == str(record)
    with hub.engine.connect() as connection:
        age = directory.age(connection, "workspace")
    assert age.at is not None
    assert age.at <= hub.time


def test_a_record_that_was_seen_in_the_future_leaves_the_directory_with_its_list(hub: Hub) -> None:
    only(hub, "workspace")
    source_id = hub.robaws.add_client(**client())
    hub.later(DAY)
    hub.sync(source_id)
    hub.set_back(DAY)

    with hub.engine.begin() as connection:
        directory.replace(connection, "workspace", [], hub.time, 1.0)
        left = connection.execute(text("SELECT count(*) FROM directory_entry")).scalar_one()

    assert left == 0


def test_what_waits_by_a_clock_that_was_ahead_waits_as_long_as_it_was_meant_to(hub: Hub) -> None:
    only(hub, "recras")
    source_id = hub.robaws.add_client(**client())
    other = hub.robaws.add_client(**client(2))
    sweeper = Sweeper(hub.runtime)
    sweeper.sweep()
    hub.later(DAY)
    hub.recras.fail("status", times=1, status=503)
    hub.event(source_id)
    hub.settle()
    hub.robaws.fail("status", times=1, status=503)
    hub.event(other)
    hub.settle()
    with hub.engine.begin() as connection:
        systems.throttle(connection, "rompslomp", hub.time + timedelta(seconds=60), "rate_limited", hub.time)
    sweeper.sweep()
    waits = (
        hub.link(source_id, "recras")["next_attempt_at"] - hub.time,
        (hub.contact(other)["fetch_next_attempt_at"] - hub.time),
    )

    hub.set_back(DAY)
    hub.later(11)
    sweeper.sweep()

    still = timedelta(seconds=11)
    assert hub.link(source_id, "recras")["next_attempt_at"] - hub.time <= waits[0] + still
    assert hub.contact(other)["fetch_next_attempt_at"] - hub.time <= waits[1] + still
    with hub.engine.connect() as connection:
        until = systems.view(connection, "rompslomp").throttled_until
    assert until is not None
    assert until - hub.time <= timedelta(seconds=60) + still
    hub.settle_all(1)
    assert hub.link(source_id, "recras")["state"] == "synced"
    assert hub.link(other, "recras")["state"] == "synced"


def test_a_claim_that_was_made_by_a_clock_that_was_ahead_ends_with_its_lease(hub: Hub) -> None:
    only(hub, "workspace")
    sweeper = Sweeper(hub.runtime)
    source_id = hub.robaws.add_client(**client())
    hub.later(DAY)
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    hub.crash_at = lambda name: name == "deliver.intend.after_commit"
    with pytest.raises(BaseException, match=r"deliver\.intend"):
        delivering.deliver(hub.runtime, hub.gate, "workspace")
    sweeper.sweep()

    hub.set_back(DAY)
    hub.later(11)
    sweeper.sweep()
    hub.later(float(hub.settings.worker.lease_seconds) + 1)
    hub.settle_all(1)

    assert hub.link(source_id, "workspace")["state"] == "synced"
    assert len(hub.workspace.state()["records"]) == 1


def test_the_database_is_not_asked_for_the_time_at_each_change(hub: Hub) -> None:
    runtime = Runtime(
        hub.settings,
        engine=hub.application,
        budget=Unmetered(),
        transports=hub.runtime._transports,
        patience_seconds=0.0,
    )
    asked: list[str] = []
    real = clock.DatabaseClock._ask

    def counted(self: clock.DatabaseClock) -> clock.Reading:
        asked.append("now")
        return real(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock.DatabaseClock, "_ask", counted)
        runtime.now = clock.DatabaseClock(hub.engine).now
        hub.runtime, hub.gate = runtime, Gate(runtime)
        for _ in range(5):
            source_id = hub.robaws.add_client(**client())
            hub.event(source_id)
            while hub.step():
                pass

    assert 1 <= len(asked) <= 5
