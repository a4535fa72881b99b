"""When a vendor is back, everything that waited for it goes out; its own trouble leaves nothing dead behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

MINUTES = 60
BAD = {"status": 503, "times": -1}


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """One target is enough here."""
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    return hub


def go_on(hub: Hub, seconds: float, step: float = 10.0) -> None:
    """Time goes by, and workers work."""
    end = hub.time + timedelta(seconds=seconds)
    while hub.time < end:
        hub.settle()
        hub.later(step)


def changed(hub: Hub, source_id: str, city: str) -> None:
    hub.robaws.change_client(source_id, address={"city": city})
    hub.event(source_id)


def city(hub: Hub, number: int) -> str:
    return str(
        next(one["city"] for one in hub.rompslomp.state()["records"] if one["company_name"].endswith(f"{number}"))
    )


def two_clients(hub: Hub) -> tuple[str, str]:
    one, another = (hub.robaws.add_client(**client(number)) for number in (1, 2))
    hub.sync(one)
    hub.sync(another)
    return one, another


def test_what_was_tried_during_an_outage_goes_out_when_the_vendor_is_back(hub: Hub) -> None:
    one, _ = two_clients(hub)
    hub.rompslomp.fail("status", **BAD)
    changed(hub, one, "Aalst")
    go_on(hub, 80 * MINUTES)
    waits = hub.link(one, "rompslomp")["next_attempt_at"] - hub.time

    hub.rompslomp.clear_faults()
    go_on(hub, MINUTES)

    assert waits > timedelta(hours=1)
    assert city(hub, 1) == "Aalst"


def test_a_change_made_during_the_outage_does_not_wait_out_its_step(hub: Hub) -> None:
    one, _ = two_clients(hub)
    hub.rompslomp.fail("status", **BAD)
    changed(hub, one, "Aalst")
    go_on(hub, 4 * MINUTES)
    waits = hub.link(one, "rompslomp")

    hub.rompslomp.clear_faults()
    changed(hub, one, "Ronse")
    hub.settle()

    assert (waits["state"], waits["next_attempt_at"] > hub.time + timedelta(minutes=5)) == ("waiting", True)
    assert city(hub, 1) == "Ronse"


def test_an_open_create_is_looked_for_as_soon_as_the_vendor_is_back(hub: Hub) -> None:
    two_clients(hub)
    another = hub.robaws.add_client(**client(3))
    hub.rompslomp.fail("drop_after", times=1, method="POST")
    hub.event(another)
    hub.settle()
    hub.rompslomp.fail("status", **BAD)
    go_on(hub, 80 * MINUTES)
    waits = hub.link(another, "rompslomp")

    hub.rompslomp.clear_faults()
    go_on(hub, MINUTES)

    assert (waits["state"], waits["next_attempt_at"] > hub.time) == ("unknown", True)
    assert hub.link(another, "rompslomp")["state"] == "synced"
    assert len(hub.rompslomp.state()["records"]) == 3


def test_fetches_that_waited_for_robaws_are_made_when_it_is_back(hub: Hub) -> None:
    one, _ = two_clients(hub)
    hub.robaws.fail("status", method="GET", **BAD)
    changed(hub, one, "Aalst")
    go_on(hub, 80 * MINUTES)
    waits = hub.contact(one)["fetch_next_attempt_at"] - hub.time

    hub.robaws.clear_faults()
    go_on(hub, MINUTES)

    assert waits > timedelta(hours=1)
    assert city(hub, 1) == "Aalst"
    assert hub.equation()["open"] == 0


def test_an_event_does_not_wait_out_the_step_of_a_fetch_that_failed(hub: Hub) -> None:
    one, _ = two_clients(hub)
    hub.robaws.fail("status", method="GET", times=4, status=503)
    changed(hub, one, "Aalst")
    go_on(hub, 4 * MINUTES)
    waits = hub.contact(one)["fetch_next_attempt_at"] - hub.time

    hub.sync(one)

    assert waits > timedelta(minutes=5)
    assert city(hub, 1) == "Aalst"


@pytest.mark.parametrize("system", ["robaws", "rompslomp"])
def test_four_days_of_outage_leave_nothing_dead(hub: Hub, system: str) -> None:
    clients = [hub.robaws.add_client(**client(number)) for number in (1, 2, 3)]
    hub.simulators[system].fail("status", **BAD)
    for source_id in clients:
        hub.event(source_id)
    hub.settle_all(hours=96)
    counts = hub.equation()

    hub.simulators[system].clear_faults()
    go_on(hub, 5 * MINUTES)

    assert counts["dead"] == 0
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    assert len(hub.links()) == 3


def test_an_outage_does_not_use_up_the_second_try_of_a_doubtful_refusal(hub: Hub) -> None:
    hub.configure(rompslomp={"enabled": False}, workspace={"enabled": True})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.workspace.fail("status", status=503, times=3, method="POST")
    hub.workspace.fail("status", status=400, times=1, method="POST", body="Het is mislukt.", content_type="text/plain")
    changed(hub, source_id, "Aalst")
    hub.settle_all()

    assert hub.link(source_id, "workspace")["state"] == "synced"


def test_what_waits_because_of_its_own_data_goes_on_waiting(hub: Hub) -> None:
    one, another = two_clients(hub)
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE link SET state = 'waiting', reason = 'internal_error', next_attempt_at = :at WHERE id = :id"),
            {"at": hub.time + timedelta(hours=5), "id": hub.link(one, "rompslomp")["id"]},
        )
        connection.execute(text("UPDATE system_state SET breaker = 'open', failures = 5 WHERE system = 'rompslomp'"))
        connection.execute(text("UPDATE system_state SET probe_at = :at WHERE system = 'rompslomp'"), {"at": hub.time})

    changed(hub, another, "Aalst")
    go_on(hub, MINUTES)

    assert city(hub, 2) == "Aalst"
    assert hub.link(one, "rompslomp")["state"] == "waiting"


def test_and_is_tried_at_once_when_its_data_changes(hub: Hub) -> None:
    one, _ = two_clients(hub)
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE link SET state = 'waiting', reason = 'internal_error', next_attempt_at = :at WHERE id = :id"),
            {"at": hub.time + timedelta(hours=5), "id": hub.link(one, "rompslomp")["id"]},
        )

    changed(hub, one, "Aalst")
    hub.settle()

    assert city(hub, 1) == "Aalst"
