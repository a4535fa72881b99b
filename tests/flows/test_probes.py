"""A system that is held back while nothing is owed to it is tried all the same, so that it is not held for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_sweep import Heard
from worker.flows.sweep import Sweeper
from worker.store import migrations, systems

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fixtures.hub import Hub


@pytest.fixture(autouse=True)
def partitions(hub: Hub) -> None:
    """Those of the hub's own month, as they are made before its first row."""
    with hub.owner.begin() as connection:
        migrations.ensure_partitions(connection, hub.time)


def next_probe(hub: Hub, system: str) -> datetime | None:
    with hub.engine.connect() as connection:
        return systems.view(connection, system).probe_at


def hold_back(hub: Hub, system: str, status: int) -> None:
    """What failures or a refusal write down, and no work that could be the trial."""
    probe = float(hub.settings.breaker.probe_seconds)
    with hub.engine.begin() as connection:
        if status == 401:
            systems.refuse(connection, system, "credentials", "the token is refused", hub.time, probe)
        else:
            systems.failed(connection, system, "unavailable", hub.time, limit=1, probe_seconds=probe)


def holding(hub: Hub, system: str) -> bool:
    """Whether it is held back, whatever the time."""
    with hub.engine.connect() as connection:
        view = systems.view(connection, system)
    return view.breaker != "closed" or view.paused_by is not None


def sweep(hub: Hub) -> list[tuple[str, int]]:
    """What one sweep announces."""
    heard = Heard()
    hub.runtime.publisher = heard
    Sweeper(hub.runtime).sweep()
    return heard.said


@pytest.mark.parametrize(("system", "status"), [("rompslomp", 500), ("recras", 503), ("workspace", 401)])
def test_a_system_to_which_nothing_is_owed_is_probed_and_found_well_again(hub: Hub, system: str, status: int) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hold_back(hub, system, status)
    before = len(hub.calls(system))
    hub.simulators[system].fail("status", times=1, status=status, body="{}")

    announced, seen = [], []
    for _ in range(3):
        hub.time = max(hub.time, next_probe(hub, system) or hub.time) + timedelta(milliseconds=1)
        announced.append(sweep(hub))
        hub.gate.forget(system)
        hub.settle()
        seen.append((len(hub.calls(system)) - before, holding(hub, system)))

    assert announced == [[(system, 0)], [(system, 0)], []]
    assert seen == [(1, True), (2, False), (2, False)]


def test_an_idle_source_is_probed_too(hub: Hub) -> None:
    hub.sync(hub.robaws.add_client(**client()))
    hold_back(hub, "robaws", 500)
    before = len(hub.calls("robaws"))

    hub.time = (next_probe(hub, "robaws") or hub.time) + timedelta(milliseconds=1)
    announced = sweep(hub)
    hub.gate.forget("robaws")
    hub.settle()

    assert announced == [("intake", 0)]
    assert [call.split("?")[0] for call in hub.calls("robaws")[before:]] == ["GET /api/v2/clients"]
    assert not holding(hub, "robaws")


def test_a_system_that_a_person_paused_is_not_probed(hub: Hub) -> None:
    hub.sync(hub.robaws.add_client(**client()))
    with hub.engine.begin() as connection:
        systems.pause(connection, "recras", "operator", "moving", hub.time)
    hub.forget_calls()

    hub.later(3_600)
    announced = sweep(hub)
    hub.gate.forget("recras")
    hub.settle()

    assert announced == []
    assert hub.calls("recras") == []


def test_a_trial_in_which_nothing_has_to_be_sent_is_made_all_the_same(hub: Hub) -> None:
    clients = [hub.robaws.add_client(**client(name=f"Dakwerken {n}", email=f"{n}@firma{n}.example")) for n in range(3)]
    for source_id in clients:
        hub.sync(source_id)
    hold_back(hub, "rompslomp", 500)
    hub.gate.forget("rompslomp")
    for source_id in clients:
        hub.robaws.change_client(source_id, website="https://www.dakwerken.example")
        hub.sync(source_id)
    waiting = [hub.link(source_id, "rompslomp")["state"] for source_id in clients]

    hub.time = (next_probe(hub, "rompslomp") or hub.time) + timedelta(milliseconds=1)
    hub.gate.forget("rompslomp")
    hub.settle()

    assert waiting == ["due"] * 3
    assert not holding(hub, "rompslomp")
    assert [hub.link(source_id, "rompslomp")["state"] for source_id in clients] == ["synced"] * 3


def test_a_trial_of_the_source_that_meets_a_fetch_that_ended_workers_is_made_all_the_same(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hold_back(hub, "robaws", 500)
    hub.time = (next_probe(hub, "robaws") or hub.time) + timedelta(milliseconds=1)
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE contact SET fetch_state = 'working', fetch_crashes = 1, fetch_claimed = fetch_wanted, "
                "fetch_next_attempt_at = :now"
            ),
            {"now": hub.time},
        )
    hub.gate.forget("robaws")

    hub.step()

    assert hub.contact(source_id)["fetch_reason"] == "crashed"
    assert not holding(hub, "robaws")
