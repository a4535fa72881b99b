"""A client that is gone from Robaws is made nowhere, asked about no more, and whole again when it is back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.store import operating
from worker.store.operating import Actor

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0403170701"
PERSON = Actor("An", "operator")


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """One target is enough here."""
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    return hub


def records(hub: Hub) -> int:
    return len(hub.rompslomp.state()["records"])


def deleted(hub: Hub, source_id: str) -> None:
    """Robaws has it no more, and something makes us look."""
    hub.robaws.delete_client(source_id)
    hub.later(60)
    hub.sync(source_id)


def fetch_only(hub: Hub) -> None:
    hub.later(1.2)
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass


def test_a_client_deleted_before_it_was_made_elsewhere_is_not_made(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=-1, status=503)
    hub.sync(source_id)

    deleted(hub, source_id)
    hub.rompslomp.clear_faults()
    hub.settle_all()

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"], link["next_attempt_at"]) == ("excluded", "gone", None)
    assert records(hub) == 0


def test_a_client_deleted_while_its_search_is_under_way_is_not_made_by_the_next_try(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=1, method="GET", status=503)
    seen: list[str] = []

    def look(point: str) -> bool:
        if point == "rompslomp.search.after_answer" and not seen:
            seen.append(point)
            hub.robaws.delete_client(source_id)
            hub.event(source_id)
            fetch_only(hub)
        return False

    hub.crash_at = look
    hub.sync(source_id)
    hub.settle_all()

    assert seen
    assert (hub.link(source_id, "rompslomp")["state"], records(hub)) == ("excluded", 0)


def test_a_create_that_was_not_answered_is_found_though_its_client_is_gone(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("drop_after", times=1, method="POST")
    hub.sync(source_id)
    hub.rompslomp.fail("status", times=1, method="GET", status=503)

    deleted(hub, source_id)
    hub.settle_all()

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["intent"], records(hub)) == ("synced", None, 1)
    assert link["external_id"] is not None


def test_a_create_that_never_arrived_is_not_repeated_for_a_client_that_is_gone(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("drop_before", times=1, method="POST")
    hub.sync(source_id)
    before = hub.link(source_id, "rompslomp")["state"]

    deleted(hub, source_id)
    hub.settle_all()

    link = hub.link(source_id, "rompslomp")
    assert before == "unknown"
    assert (link["state"], link["reason"], link["intent"]) == ("excluded", "gone", None)
    assert (records(hub), len(hub.rompslomp.calls("POST"))) == (0, 1)


@pytest.mark.parametrize("on_gone", ["recreate", "review"])
def test_a_record_that_is_gone_as_well_is_neither_made_anew_nor_asked_about(hub: Hub, on_gone: str) -> None:
    hub.configure(rompslomp={"on_gone": on_gone})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.fail("status", times=1, method="PATCH", status=503)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    hub.rompslomp.delete_record(str(hub.link(source_id, "rompslomp")["external_id"]))

    deleted(hub, source_id)
    hub.settle_all()

    assert (hub.link(source_id, "rompslomp")["state"], records(hub)) == ("excluded", 0)
    assert hub.questions(source_id, "rompslomp") == []


def test_the_question_which_record_it_is_is_withdrawn(hub: Hub) -> None:
    for number in (1, 2):
        hub.rompslomp.add_record(company_name=f"Dakwerken {number}", vat_number=VAT)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    asked = len(hub.questions(source_id, "rompslomp"))

    deleted(hub, source_id)

    assert asked == 1
    assert hub.questions(source_id, "rompslomp") == []
    assert (hub.link(source_id, "rompslomp")["state"], records(hub)) == ("excluded", 2)


def test_the_question_whose_value_stands_is_withdrawn_and_the_record_stays(hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, phone="+32 9 111 11 11")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    asked = len(hub.questions(source_id, "rompslomp"))

    deleted(hub, source_id)

    assert asked > 0
    assert hub.questions(source_id, "rompslomp") == []
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_change_from_before_it_was_deleted_still_goes_out_to_its_record(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.rompslomp.fail("status", times=1, method="PATCH", status=503)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    deleted(hub, source_id)
    hub.settle_all()

    assert [record["city"] for record in hub.rompslomp.state()["records"]] == ["Aalst"]


def test_a_client_that_is_back_is_made_where_it_was_not(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=-1, status=503)
    hub.sync(source_id)
    hub.robaws.fail("status", times=1, path=rf"/clients/{source_id}", method="GET", status=404, body="{}")
    hub.later(60)
    hub.sync(source_id)
    left_out = hub.link(source_id, "rompslomp")["reason"]
    hub.rompslomp.clear_faults()

    hub.later(60)
    hub.sync(source_id)
    hub.settle_all()

    assert left_out == "gone"
    assert (hub.link(source_id, "rompslomp")["state"], records(hub)) == ("synced", 1)
    assert hub.contact(source_id)["gone_at"] is None
    assert hub.equation() == {"received": 3, "applied": 2, "skipped": 1, "open": 0, "dead": 0}


def test_a_client_that_the_filter_leaves_out_does_not_take_part_by_being_gone(hub: Hub) -> None:
    hub.settings = hub.settings.model_copy(
        update={"sync": hub.settings.sync.model_validate({"filter": {"status": ["Actief"]}})}
    )
    hub.restart()
    source_id = hub.robaws.add_client(**client(status="Inactief"))
    hub.sync(source_id)

    deleted(hub, source_id)
    hub.settle_all()

    assert hub.contact(source_id)["taking_part"] is False
    assert records(hub) == 0


def test_a_client_that_cannot_be_read_yet_is_looked_for_again(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.fail("status", times=3, path=rf"/clients/{source_id}", method="GET", status=404, body="{}")

    hub.event(source_id, "client.created")
    hub.settle()
    waits = hub.contact(source_id)
    hub.settle_all()

    assert (waits["fetch_state"], waits["fetch_reason"]) == ("waiting", "not_there_yet")
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def test_a_client_that_is_never_there_ends_as_gone_within_seconds(hub: Hub) -> None:
    begun = hub.time

    hub.event("4711", "client.created")
    hub.settle_all()

    assert hub.equation() == {"received": 1, "applied": 0, "skipped": 1, "open": 0, "dead": 0}
    assert hub.contact("4711")["gone_at"] is not None
    assert hub.time - begun < timedelta(seconds=20)
    assert hub.calls("robaws").count("GET /api/v2/clients/4711") == 4


def test_a_known_client_is_gone_at_the_first_look_also_when_a_person_asks(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.delete_client(source_id)
    hub.forget_calls()

    with hub.engine.begin() as connection:
        operating.sync(connection, source_id, PERSON, hub.time)
    hub.settle()

    assert len(hub.calls("robaws")) == 1
    assert hub.contact(source_id)["gone_at"] is not None


def test_the_ids_of_a_client_that_is_gone_are_not_written_back(hub: Hub) -> None:
    hub.configure(robaws={"write_back": {"rompslomp": "Rompslomp id"}})
    source_id = hub.robaws.add_client(**client())
    hub.robaws.fail("status", times=-1, method="PATCH", status=503)
    hub.sync(source_id)

    deleted(hub, source_id)
    hub.robaws.clear_faults()
    hub.settle_all()

    with hub.engine.connect() as connection:
        links = connection.execute(text("SELECT system, state, reason FROM link ORDER BY system")).all()
    assert [tuple(link) for link in links] == [("robaws", "excluded", "gone"), ("rompslomp", "synced", None)]
