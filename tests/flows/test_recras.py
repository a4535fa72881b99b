"""Recras as a whole: what a change costs there, and whose persons are whose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.recras_tenant import AN, BO, add_cas, alone, klant, names, recras_calls, synced_client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


@pytest.fixture
def hub(hub: Hub) -> Iterator[Hub]:
    """Recras alone beside Robaws."""
    alone(hub)
    yield hub
    hub.runtime.close()


# ------------------------------------------------------------------------------------------------- calls per change
def test_one_field_costs_a_read_at_robaws_and_a_read_and_a_write_here(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN, BO])

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    assert hub.calls("robaws") == [f"GET /api/v2/clients/{source_id}"]
    assert recras_calls(hub) == ["GET klanten", "PUT klanten"]
    assert klant(hub)["plaats"] == "Gentbrugge"


def test_a_phone_of_the_client_costs_a_read_and_a_write_of_its_person(hub: Hub) -> None:
    source_id = synced_client(hub)

    hub.robaws.change_client(source_id, tel="+32 9 000 00 99")
    hub.sync(source_id)

    assert recras_calls(hub) == ["GET klanten", "PUT contactpersonen"]
    assert klant(hub)["contactpersonen"][0]["telefoon1"] == "+32 9 000 00 99"


def test_a_second_change_is_planned_on_what_the_first_one_left(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    hub.robaws.change_client(source_id, tel="+32 9 000 00 99", address={"city": "Gentbrugge"})
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.change_client(source_id, language="fr")  # has no place here
    hub.sync(source_id)

    assert recras_calls(hub) == []
    assert "language" in hub.link(source_id, "recras")["unheld"]


def test_null_and_an_empty_text_in_each_others_place_cause_no_write(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    hub.recras.fail("swap_empty", times=-1)

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    [write] = hub.recras.calls("PUT")
    assert {value for value in write.request.json().values() if value in (None, "")} == set()
    assert write.request.json()["plaats"] == "Gentbrugge"
    assert hub.link(source_id, "recras")["state"] == "synced"


def test_an_edit_there_of_another_field_survives(hub: Hub) -> None:
    source_id = synced_client(hub)
    hub.recras.edit_record(str(klant(hub)["id"]), {"adres": "Dorpsplein 1", "afdeling": "Zaal"})

    hub.robaws.change_client(source_id, website="https://delinde.example")
    hub.sync(source_id)

    held = klant(hub)
    assert (held["adres"], held["afdeling"], held["website"]) == ("Dorpsplein 1", "Zaal", "https://delinde.example")


def test_a_phone_that_is_given_its_country_is_another_one_than_its_person_has_there(hub: Hub) -> None:
    record_id = hub.recras.add_record(naam="Dakwerken De Linde")
    hub.recras.add_person(record_id, voornaam="An", achternaam="Peeters", email1=AN["email"], telefoon1="+32475123456")
    source_id = synced_client(hub, tel="0475 12 34 56", email=None, contacts=[AN])

    hub.robaws.change_client(source_id, tel="+31 475 123 456")
    hub.sync(source_id)

    assert "+31 475 123 456" in {one["telefoon1"] for one in klant(hub)["contactpersonen"]}


def test_a_field_that_is_emptied_is_emptied_there(hub: Hub) -> None:
    source_id = synced_client(hub, website="delinde.example")

    hub.robaws.change_client(source_id, website=None)
    hub.sync(source_id)

    assert klant(hub)["website"] is None


# ----------------------------------------------------------------------------------------------------------- persons
def test_the_persons_of_a_client_come_along_with_its_address_on_the_main_one(hub: Hub) -> None:
    synced_client(hub, contacts=[BO, AN])

    main, other = klant(hub)["contactpersonen"]
    assert (main["voornaam"], main["email1"], main["email2"]) == ("An", "info@delinde.example", "an@delinde.example")
    assert (other["voornaam"], other["email1"], other["telefoon1"]) == ("Bo", "bo@delinde.example", "+32 9 000 00 02")
    assert [main["hoofdcontact"], other["hoofdcontact"]] == [True, False]


def test_a_person_of_theirs_survives_all_that_happens_to_ours(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    theirs = add_cas(hub, str(klant(hub)["id"]))

    bo = hub.robaws.add_person(source_id, **BO)
    hub.sync(source_id)
    assert sorted(names(hub)) == ["An Peeters", "Bo Claes", "Cas Devos"]

    hub.robaws.change_person(bo, tel="+32 9 000 00 77")
    hub.sync(source_id)
    assert {p["telefoon1"] for p in klant(hub)["contactpersonen"] if p["voornaam"] == "Bo"} == {"+32 9 000 00 77"}

    hub.robaws.remove_person(bo)
    hub.sync(source_id)
    assert sorted(names(hub)) == ["An Peeters", "Cas Devos"]
    assert theirs in {str(person["id"]) for person in klant(hub)["contactpersonen"]}


@pytest.mark.parametrize(("shown", "writes_at_once"), [(None, False), ([], True)], ids=["null", "empty"])
def test_an_answer_without_persons_throws_nobody_out(hub: Hub, shown: list[Any] | None, writes_at_once: bool) -> None:
    """Null says nothing, so nothing is written; an empty list is asked for once more, and the second answer counts."""
    source_id = synced_client(hub, contacts=[AN])
    record_id = str(klant(hub)["id"])
    add_cas(hub, record_id)
    before = klant(hub)["contactpersonen"]
    broken = json.dumps(klant(hub) | {"contactpersonen": shown})
    hub.recras.fail("status", status=200, body=broken, method="GET", path=rf"/klanten/{record_id}$")

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"}, tel="+32 9 000 00 44")
    hub.sync(source_id)
    then = hub.link(source_id, "recras")

    assert bool(hub.recras.calls("PUT")) is writes_at_once
    assert (then["state"], then["reason"]) == (("synced", None) if writes_at_once else ("waiting", "broken_answer"))

    hub.settle_all()

    assert hub.link(source_id, "recras")["state"] == "synced"
    assert [one["id"] for one in klant(hub)["contactpersonen"]] == [one["id"] for one in before]
    assert klant(hub)["plaats"] == "Gentbrugge"


def test_a_customer_that_really_has_no_persons_any_more_gets_one(hub: Hub) -> None:
    source_id = synced_client(hub)
    record_id = str(klant(hub)["id"])
    hub.recras.remove_person(record_id, str(klant(hub)["contactpersonen"][0]["id"]))
    assert klant(hub)["contactpersonen"] == []

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"}, tel="+32 9 000 00 44")
    hub.sync(source_id)

    assert hub.link(source_id, "recras")["state"] == "synced"
    assert klant(hub)["plaats"] == "Gentbrugge"
    assert [one["telefoon1"] for one in klant(hub)["contactpersonen"]] == ["+32 9 000 00 44"]


def test_a_person_added_there_between_read_and_write_survives_a_change_of_a_field(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    record_id = str(klant(hub)["id"])

    def before_the_write() -> None:
        add_cas(hub, record_id)

    def before_the_read() -> None:
        hub.recras.before_next(before_the_write)

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.recras.before_next(before_the_read)
    hub.sync(source_id)

    assert names(hub) == ["An Peeters", "Cas Devos"]


def test_an_added_person_costs_one_write_and_learns_its_id(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])

    hub.robaws.add_person(source_id, **BO)
    hub.sync(source_id)

    assert recras_calls(hub) == ["GET klanten", "PUT klanten", "GET klanten"]
    there = {str(person["id"]) for person in klant(hub)["contactpersonen"]}
    assert {one["external_id"] for one in hub.link(source_id, "recras")["snapshot"]["persons"].values()} == there


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_person_whose_adding_was_not_answered_is_there_once(hub: Hub, fault: str) -> None:
    source_id = synced_client(hub, contacts=[AN])
    hub.recras.fail(fault, method="PUT")  # the list of persons

    hub.robaws.add_person(source_id, **BO)
    hub.sync(source_id)
    hub.settle_all()

    assert names(hub) == ["An Peeters", "Bo Claes"]
    assert hub.link(source_id, "recras")["state"] == "synced"


def test_another_main_person_is_the_main_one_there(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN, BO])
    an, bo = sorted(hub.link(source_id, "recras")["snapshot"]["persons"])

    hub.robaws.change_person(an, isPrimary=False)
    hub.robaws.change_person(bo, isPrimary=True)
    hub.sync(source_id)

    assert names(hub) == ["Bo Claes", "An Peeters"]
    main, other = klant(hub)["contactpersonen"]
    assert (main["email1"], main["email2"]) == ("info@delinde.example", "bo@delinde.example")
    assert (other["email1"], other["email2"]) == ("an@delinde.example", None)


def test_the_first_real_person_takes_the_place_of_the_one_made_of_the_client(hub: Hub) -> None:
    source_id = synced_client(hub)
    assert names(hub) == ["Dakwerken De Linde"]
    stand_in = klant(hub)["contactpersonen"][0]["id"]

    hub.robaws.add_person(source_id, **AN)
    hub.sync(source_id)

    assert names(hub) == ["An Peeters"]
    assert klant(hub)["contactpersonen"][0]["id"] == stand_in
    assert recras_calls(hub) == ["GET klanten", "PUT contactpersonen"]


@pytest.mark.parametrize("lost", ["contactpersonen", "klanten"])
def test_a_stand_in_whose_renaming_was_not_answered_is_still_ours(hub: Hub, lost: str) -> None:
    source_id = synced_client(hub)
    hub.recras.fail("drop_after", method="PUT", path=lost)

    hub.robaws.change_client(source_id, name="Dakwerken Nergenshuizen")
    hub.sync(source_id)
    assert names(hub) == ["Dakwerken Nergenshuizen"]
    hub.robaws.change_client(source_id, name="Dakwerken Deinze")
    hub.event(source_id)
    hub.settle_all()

    assert names(hub) == ["Dakwerken Deinze"]


def test_the_first_real_person_takes_the_place_of_a_stand_in_whose_renaming_was_not_answered(hub: Hub) -> None:
    source_id = synced_client(hub)
    hub.recras.fail("drop_after", method="PUT", path="contactpersonen")

    hub.robaws.change_client(source_id, name="Dakwerken Nergenshuizen")
    hub.sync(source_id)
    hub.robaws.add_person(source_id, **AN)
    hub.event(source_id)
    hub.settle_all()

    assert names(hub) == ["An Peeters"]


def test_the_last_person_that_goes_leaves_one_made_of_the_client(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    [an] = hub.link(source_id, "recras")["snapshot"]["persons"]

    hub.robaws.remove_person(an)
    hub.sync(source_id)

    assert names(hub) == ["Dakwerken De Linde"]


def test_a_person_and_a_field_and_the_list_may_change_at_once(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN])
    [an] = hub.link(source_id, "recras")["snapshot"]["persons"]

    hub.robaws.change_person(an, gsm="+32 470 00 00 00")
    hub.robaws.add_person(source_id, **BO)
    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    assert recras_calls(hub) == ["GET klanten", "PUT contactpersonen", "PUT klanten", "GET klanten"]
    assert names(hub) == ["An Peeters", "Bo Claes"]
    assert klant(hub)["contactpersonen"][0]["telefoon2"] == "+32 470 00 00 00"
    assert klant(hub)["plaats"] == "Gentbrugge"


def test_a_person_taken_out_there_stays_out_until_it_changes_here(hub: Hub) -> None:
    source_id = synced_client(hub, contacts=[AN, BO])
    persons = hub.link(source_id, "recras")["snapshot"]["persons"]
    bo = max(persons)
    hub.recras.remove_person(str(klant(hub)["id"]), persons[bo]["external_id"])

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)
    assert names(hub) == ["An Peeters"]

    hub.robaws.change_person(bo, tel="+32 9 000 00 88")
    hub.sync(source_id)
    assert names(hub) == ["An Peeters", "Bo Claes"]


def test_what_recras_makes_of_a_value_is_not_written_over_and_over(hub: Hub) -> None:
    source_id = synced_client(hub)
    shown = {**klant(hub), "plaats": "GENTBRUGGE"}
    hub.recras.fail("status", status=200, body=json.dumps(shown), method="PUT")
    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)
    hub.recras.edit_record(str(shown["id"]), {"plaats": "GENTBRUGGE"})

    hub.robaws.change_client(source_id, website="https://delinde.example")
    hub.sync(source_id)

    assert klant(hub)["plaats"] == "GENTBRUGGE"
    assert klant(hub)["website"] == "https://delinde.example"


def test_a_recras_that_refuses_says_which_field_and_revives_when_it_changes(hub: Hub) -> None:
    source_id = synced_client(hub)
    body = '[{"field": "naam", "message": "Too long.", "parameters": []}]'
    hub.recras.fail("status", status=406, body=body, method="PUT")
    hub.robaws.change_client(source_id, name="Bakkerij Zonnehof" * 20)
    hub.sync(source_id)
    link = hub.link(source_id, "recras")
    assert (link["state"], link["fields"]) == ("dead", {"naam": "Too long."})

    hub.robaws.change_client(source_id, name="Bakkerij Zonnehof")
    hub.sync(source_id)

    assert hub.link(source_id, "recras")["state"] == "synced"
    assert klant(hub)["naam"] == "Bakkerij Zonnehof"


def test_a_recras_that_refuses_says_which_field_and_takes_the_address_when_it_changes(hub: Hub) -> None:
    source_id = synced_client(hub)
    body = '[{"field": "plaats", "message": "Too long.", "parameters": []}]'
    hub.recras.fail("status", status=406, body=body, method="PUT")
    moved = {"addressLine1": "Dorpsplein 1", "city": "Gentbrugge" * 30}
    hub.robaws.change_client(source_id, address=moved, website="https://delinde.example")
    hub.sync(source_id)
    [question] = hub.questions(source_id, "recras")
    assert (question["path"], question["message"]) == ("plaats", "city: recras refuses it: Too long.")
    held = klant(hub)
    assert (held["adres"], held["plaats"], held["website"]) == ("Kerkstraat 12", "Gent", "https://delinde.example")

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    assert hub.link(source_id, "recras")["state"] == "synced"
    assert (klant(hub)["adres"], klant(hub)["plaats"]) == ("Dorpsplein 1", "Gentbrugge")
