"""A client that two automations correct for ever: it is left alone, says why, costs little, and heals itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from worker.store import inbox, listing_retries, operating
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.operating import Actor

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

TARGETS = ("rompslomp", "recras", "workspace")
WRITES = ("POST", "PUT", "PATCH")
ACTOR = Actor("operator", "operator")


def flip(hub: Hub, source_id: str, times: int, *, every: float = 10.0) -> None:
    """Something changes the city and changes it back, so many times, and Robaws tells of each."""
    for number in range(times):
        hub.robaws.change_client(source_id, address={"city": ("Aalst", "Gent")[number % 2]})
        hub.sync(source_id)
        hub.later(every)


def writes(hub: Hub, system: str) -> int:
    """The changes that a vendor has seen."""
    return sum(len(hub.simulators[system].calls(method)) for method in WRITES)


def queue(hub: Hub) -> list[Any]:
    """The retry queue."""
    with hub.engine.connect() as connection:
        return list(listing_retries.page(connection, RetryFilter(), Paging()).items)


@pytest.fixture
def source_id(hub: Hub) -> str:
    """A client that every system has."""
    made = hub.robaws.add_client(**client())
    hub.sync(made)
    hub.forget_calls()
    return str(made)


def test_a_client_that_goes_to_and_fro_is_parked_with_the_evidence(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 40)

    [line] = queue(hub)
    assert (line.system, line.state, line.reason) == ("robaws", "waiting", "ping_pong")
    assert "address.city came back" in line.message
    assert "2 = 4 = 6 = 8" in line.message
    assert line.next_attempt_at is not None
    assert hub.equation()["open"] > 0


def test_a_loop_of_two_hours_costs_a_dozen_writes_a_system(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 120, every=60)

    assert {system: writes(hub, system) <= 12 for system in TARGETS} == dict.fromkeys(TARGETS, True)
    assert len(hub.robaws.calls("GET")) <= 14


def test_what_is_parked_is_in_order_everywhere_once_the_loop_ends(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 41)

    hub.settle_all()

    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    assert [record["city"] for record in hub.rompslomp.state()["records"]] == ["Aalst"]
    assert queue(hub) == []
    assert hub.contact(source_id)["fuse"] is None
    equation = hub.equation()
    assert equation["received"] == equation["applied"] + equation["skipped"]


def test_another_correction_of_a_parked_client_arrives_when_it_is_looked_at_again(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 9)
    hub.robaws.change_client(source_id, website="https://delinde.example")
    hub.sync(source_id)
    hub.later(31)
    flip(hub, source_id, 1)

    canonical = hub.contact(source_id)["canonical"]
    assert canonical["website"] == "https://delinde.example"
    assert {link["synced_version"] for link in (hub.link(source_id, name) for name in TARGETS)} == {
        hub.contact(source_id)["version"]
    }


def test_a_person_who_changes_it_back_twice_is_not_taken_for_a_loop(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 4)

    assert queue(hub) == []
    assert hub.contact(source_id)["fetch_state"] == "idle"


def test_a_retry_by_a_person_ends_the_rest_and_starts_the_count_anew(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 9)
    [line] = queue(hub)
    with hub.engine.begin() as connection:
        operating.retry(connection, line.id, ACTOR, hub.time)
    hub.settle()
    after = hub.contact(source_id)

    flip(hub, source_id, 4)

    assert (after["fetch_state"], after["fetch_reason"]) == ("idle", None)
    assert queue(hub) == []


def test_a_resumed_robaws_does_not_wake_it(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 9)
    before = hub.contact(source_id)["fetch_next_attempt_at"]

    with hub.engine.begin() as connection:
        operating.pause(connection, "robaws", ACTOR, hub.time, "maintenance")
        operating.resume(connection, "robaws", ACTOR, hub.time)

    assert hub.contact(source_id)["fetch_next_attempt_at"] == before


def test_other_clients_are_not_held_up(hub: Hub, source_id: str) -> None:
    flip(hub, source_id, 9)

    other = hub.robaws.add_client(**client(2))
    hub.sync(other)

    assert {hub.link(other, system)["state"] for system in TARGETS} == {"synced"}


def test_a_burst_that_is_fetched_together_counts_once(hub: Hub, source_id: str) -> None:
    for number in range(50):
        hub.robaws.change_client(source_id, address={"city": ("Aalst", "Gent")[number % 2]})
        hub.event(source_id)
    hub.later(inbox.BURST_QUIET_SECONDS)
    hub.settle()

    assert queue(hub) == []


def test_the_fuse_can_be_switched_off(hub: Hub, source_id: str) -> None:
    fuse = hub.settings.fuse.model_copy(update={"returns": 0})
    hub.settings = hub.settings.model_copy(update={"fuse": fuse})
    hub.restart()

    flip(hub, source_id, 20)

    assert queue(hub) == []
    assert writes(hub, "rompslomp") == 20
