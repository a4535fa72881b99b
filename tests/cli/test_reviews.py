"""`contactsync reviews`: questions shown so that they can be answered, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import catch_up
from tests.cli.test_contacts import line_with

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


@pytest.fixture
def conflict(hub: Hub) -> str:
    """A client whose city Rompslomp knew otherwise before."""
    hub.rompslomp.add_record(company_name="Tuinen De Vaart", vat_number="BE0000000394", city="Brugge", zipcode="8000")
    client = hub.robaws.add_client(
        name="Tuinen De Vaart",
        vatIdNumber="BE0000000394",
        email="info@vaart.example",
        tel="+32 50 00 00 00",
        address={"addressLine1": "Markt 1", "postalCode": "8000", "city": "Oostende", "country": "BE"},
    )
    hub.sync(client)
    return client


@pytest.fixture
def doubtful(hub: Hub) -> str:
    """A client of which Rompslomp has a record already, or even two."""
    for _ in range(2):
        hub.rompslomp.add_record(company_name="Garage Zuiderhof", zipcode="3000", city="Leuven", address="Markt 1")
    client = hub.robaws.add_client(
        name="Garage Zuiderhof",
        email="info@zuiderhof.example",
        tel="+32 16 00 00 00",
        address={"addressLine1": "Markt 1", "postalCode": "3000", "city": "Leuven", "country": "BE"},
    )
    hub.sync(client)
    assert hub.link(client, "rompslomp")["state"] == "review"
    return client


def the_question(operator: Command) -> str:
    (item,) = operator("reviews", "list", "--json").json["items"]
    return str(item["id"])


def test_nothing_waits(operator: Command, client: str) -> None:
    ran = operator("reviews", "list")

    assert (ran.status, ran.out) == (0, "nothing waits\n")


def test_a_field_is_shown_with_both_values_and_how_to_answer(operator: Command, conflict: str) -> None:
    listed = operator("reviews", "list")
    review = the_question(operator)

    shown = operator("reviews", "show", review)

    assert listed.status == 1
    assert line_with(listed.out, "Tuinen De Vaart", "rompslomp", "address")
    assert line_with(listed.out, "Oostende", "Brugge")
    assert line_with(shown.out, "city", "Oostende", "Brugge")
    for word in ("ours", "theirs"):
        assert line_with(shown.out, f"contactsync reviews resolve {review} --choose {word}")


@pytest.mark.parametrize(("choice", "city"), [("ours", "Oostende"), ("theirs", "Brugge")])
def test_a_field_is_answered(operator: Command, hub: Hub, conflict: str, choice: str, city: str) -> None:
    ran = operator("reviews", "resolve", the_question(operator), "--choose", choice, "--reason", "asked them")
    catch_up(hub)

    assert ran.status == 0
    assert [one["city"] for one in hub.rompslomp.state()["records"]] == [city]
    assert hub.link(conflict, "rompslomp")["state"] == "synced"
    assert operator("reviews", "list").status == 0


def test_a_match_is_shown_with_what_speaks_for_it(operator: Command, hub: Hub, doubtful: str) -> None:
    review = the_question(operator)

    shown = operator("reviews", "show", review)

    records = [str(record["id"]) for record in hub.rompslomp.state()["records"]]
    assert line_with(shown.out, "Robaws", *(f"record {record}" for record in records))
    assert line_with(shown.out, "name", "Garage Zuiderhof", "= Garage Zuiderhof")
    assert line_with(shown.out, "e-mail", "info@zuiderhof.example", "–")
    assert "for: the same name; the same postcode" in shown.out
    for word in (*(f"link:{record}" for record in records), "create", "exclude"):
        assert line_with(shown.out, f"contactsync reviews resolve {review} --choose {word}")


def test_a_match_shows_what_speaks_against_it_too(operator: Command, hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="De Vaart B.V.", contact_person_email_address="info@vaart.example")
    hub.sync(hub.robaws.add_client(name="De Vaart", email="info@vaart.example"))
    review = next(one["id"] for one in operator("reviews", "list", "--json").json["items"] if not one["path"])

    shown = operator("reviews", "show", review)
    [candidate] = operator("reviews", "show", review, "--json").json["detail"]["candidates"]

    assert line_with(shown.out, "against: a legal form on one side only")
    assert candidate["evidence"] == [
        {"field": "name", "says": "the same name", "for": True},
        {"field": "email", "says": "an e-mail address in common", "for": True},
        {"field": "legal_form", "says": "a legal form on one side only", "for": False},
    ]


def test_a_match_is_linked_to_the_record_that_it_is(operator: Command, hub: Hub, doubtful: str) -> None:
    record = hub.rompslomp.state()["records"][1]

    ran = operator("reviews", "resolve", the_question(operator), "--choose", f"link:{record['id']}")
    catch_up(hub)

    assert ran.status == 0
    assert hub.link(doubtful, "rompslomp")["external_id"] == str(record["id"])
    assert len(hub.rompslomp.state()["records"]) == 2


def test_a_match_may_be_none_of_them(operator: Command, hub: Hub, doubtful: str) -> None:
    operator("reviews", "resolve", the_question(operator), "--choose", "create")
    catch_up(hub)

    records = hub.rompslomp.state()["records"]
    assert [one["contact_number"] for one in records if str(one["contact_number"]).startswith("RB-")] == [
        f"RB-{doubtful}"
    ]
    assert len(records) == 3


@pytest.mark.parametrize("choice", ["link", "link:", "create:4", "yes", "ours"])
def test_an_answer_that_is_none_is_wrong_use(operator: Command, doubtful: str, choice: str) -> None:
    ran = operator("reviews", "resolve", the_question(operator), "--choose", choice)

    assert ran.status == 2
    assert operator("reviews", "list", "--json").json["total"] == 1


def test_a_question_is_answered_once(operator: Command, conflict: str) -> None:
    review = the_question(operator)
    operator("reviews", "resolve", review, "--choose", "theirs")

    ran = operator("reviews", "resolve", review, "--choose", "ours")

    assert ran.status == 1
    assert "answered already" in ran.err
