"""What a full PUT sends back of what it read, and what of that is refused (Recras sheets 5.3 and 15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.recras.wire import client_of, session_with
from worker.errors import VendorRejected
from worker.vendors.contract import Record
from worker.vendors.recras import bodies
from worker.vendors.recras.client import RecrasClient
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.transport import Session


def test_members_that_the_settings_do_not_allow_are_not_changed_and_go_back_where_they_were_shown() -> None:
    """A PUT that replaces the record would empty them else; a read under `klanten` that shows them says they belong."""
    held = {"id": 83, "naam": "De Linde", "landcode": "BE", "displaynaam": "De Linde", "status": "actief"}
    plain = {"id": 83, "naam": "De Linde"}

    off = bodies.for_klant(held, {"plaats": "Gent", "landcode": "NL"}, full=True, hidden=False)
    on = bodies.for_klant(held, {"plaats": "Gent", "landcode": "NL"}, full=True, hidden=True)

    assert off == {"naam": "De Linde", "plaats": "Gent", "landcode": "BE"}
    assert on == {"naam": "De Linde", "plaats": "Gent", "landcode": "NL"}
    assert bodies.for_klant(plain, {"plaats": "Gent"}, full=True, hidden=False) == {
        "naam": "De Linde",
        "plaats": "Gent",
    }


def held_by_hand(simulator: RecrasSimulator, **members: Any) -> tuple[RecrasClient, Session, Record]:
    """A customer that people of the tenant filled in, as it was just read."""
    client, session = client_of(simulator), session_with(simulator)
    persons = [{"voornaam": "An", "achternaam": "Peeters", "telefoon1": "+32 9 000 00 00"}]
    record_id = simulator.add_record(naam="De Linde", contactpersonen=persons, **members)
    record = client.read(session, record_id)
    simulator.log.clear()
    return client, session, record


@pytest.mark.parametrize(
    ("typed", "afterwards"),
    [
        ("www.delinde.example", "https://www.delinde.example"),
        ("http://delinde.example", "http://delinde.example"),
        ("geen", "geen"),
    ],
)
def test_a_web_address_that_people_typed_does_not_keep_a_change_away(typed: str, afterwards: str) -> None:
    simulator = RecrasSimulator()
    client, session, record = held_by_hand(simulator, website=typed)

    client.update(session, record.external_id, {"plaats": "Brugge"}, None, record, "key-2")

    [held] = simulator.state()["records"]
    assert (held["plaats"], held["website"]) == ("Brugge", afterwards)
    assert len(simulator.calls()) == 1


def test_a_kind_that_was_taken_off_the_list_does_not_keep_a_change_away() -> None:
    simulator = RecrasSimulator()
    client, session, record = held_by_hand(simulator, soort_klant="Vereniging")

    client.update(session, record.external_id, {"plaats": "Brugge"}, None, record, "key-2")

    [held] = simulator.state()["records"]
    assert (held["plaats"], held["soort_klant"]) == ("Brugge", "Vereniging")
    assert [one.response.status for one in simulator.log] == [406, 200]


def test_a_refusal_of_what_we_change_is_told_and_not_tried_in_another_way() -> None:
    simulator = RecrasSimulator()
    client, session, record = held_by_hand(simulator, soort_klant="Vereniging")

    with pytest.raises(VendorRejected) as raised:
        client.update(session, record.external_id, {"website": "geen"}, None, record, "key-2")

    assert set(raised.value.fields) == {"soort_klant", "website"}
    assert len(simulator.calls()) == 1


@pytest.mark.parametrize("replaces", [False, True])
def test_a_change_keeps_what_it_does_not_name_however_recras_reads_a_put(replaces: bool) -> None:
    simulator = RecrasSimulator(
        put_replaces=replaces, show_extra_fields=True, show_landcode_btw=True, accept_landcode_btw=True
    )
    extra = [{"name": "Robaws id", "type": "text", "value": "1834"}]
    theirs = {"extra_fields": extra, "landcode": "BE", "btw_nummer": "BE0000000097", "provinciecode": "BE-VOV"}
    client, session, record = held_by_hand(simulator, website="https://x.example", **theirs)

    client.update(session, record.external_id, {"plaats": "Brugge"}, None, record, "key-2")

    [held] = simulator.state()["records"]
    assert {member: held[member] for member in theirs} == theirs
    assert (held["plaats"], held["website"]) == ("Brugge", "https://x.example")


def test_members_that_are_shown_and_not_taken_cost_one_refusal_in_all() -> None:
    simulator = RecrasSimulator(show_landcode_btw=True)
    client, session, record = held_by_hand(simulator, landcode="BE")

    for city in ("Brugge", "Gent"):
        client.update(session, record.external_id, {"plaats": city}, None, record, "key-2")

    assert [one.response.status for one in simulator.log] == [406, 200, 200]
    assert simulator.state()["records"][0]["landcode"] == "BE"
