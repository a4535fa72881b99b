"""What the books end up with, where a contact there has another shape than the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.store.people import OPERATOR
from worker.store import operating_reviews
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

JAN: dict[str, Any] = {"name": "Jan Jansen", "email": "jan@jansen.example"}
POSTBOX = {"addressLine1": "Postbus 12", "postalCode": "1000", "city": "Brussel", "country": "BE"}


def books(hub: Hub) -> list[dict[str, Any]]:
    return list(hub.rompslomp.state()["records"])


def a_private_customer_of_the_books(hub: Hub) -> str:
    """A client that is in the books as a person; the only question is what kind it is."""
    hub.rompslomp.add_record(
        is_individual=True, contact_person_name=JAN["name"], contact_person_email_address=JAN["email"]
    )
    source_id = hub.robaws.add_client(**client(**JAN))
    hub.sync(source_id)
    return source_id


def answer(hub: Hub, source_id: str, path: str, choose: str) -> None:
    [review] = [one["id"] for one in hub.questions(source_id, "rompslomp") if one["path"] == path]
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(review), choose, OPERATOR, hub.time, shape_of=id_shape)


def test_the_books_get_the_invoice_address(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(invoiceAddress=POSTBOX))

    hub.sync(source_id)

    [record] = books(hub)
    assert (record["address"], record["zipcode"], record["city"]) == ("Postbus 12", "1000", "Brussel")
    assert "address.line1" in hub.link(source_id, "rompslomp")["unheld"]


def test_the_visiting_address_where_the_settings_say_so(hub: Hub) -> None:
    hub.configure(rompslomp={"address": "visiting"})

    hub.sync(hub.robaws.add_client(**client(invoiceAddress=POSTBOX)))

    [record] = books(hub)
    assert (record["address"], record["city"]) == ("Kerkstraat 12", "Gent")


def test_a_private_customer_gets_no_company_name_and_one_question(hub: Hub) -> None:
    source_id = a_private_customer_of_the_books(hub)

    [record] = books(hub)
    assert (record["name"], record["company_name"]) == ("Jan Jansen", None)
    assert [question["path"] for question in hub.questions(source_id, "rompslomp")] == ["is_individual"]


def test_a_private_customer_that_is_renamed_has_the_new_name_in_the_books(hub: Hub) -> None:
    source_id = a_private_customer_of_the_books(hub)
    answer(hub, source_id, "is_individual", "theirs")

    hub.robaws.change_client(source_id, name="Jan de Wit")
    hub.sync(source_id)

    [record] = books(hub)
    assert (record["name"], record["company_name"]) == ("Jan de Wit", None)
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_renamed_private_customer_does_not_wait_for_the_answer_about_its_kind(hub: Hub) -> None:
    source_id = a_private_customer_of_the_books(hub)

    hub.robaws.change_client(source_id, name="Jan de Wit")
    hub.sync(source_id)

    [record] = books(hub)
    assert (record["name"], record["company_name"]) == ("Jan de Wit", None)
    assert hub.link(source_id, "rompslomp")["state"] == "review"


def test_a_private_customer_that_is_a_company_after_all_becomes_one_under_its_name(hub: Hub) -> None:
    source_id = a_private_customer_of_the_books(hub)

    answer(hub, source_id, "is_individual", "ours")
    hub.settle()

    [record] = books(hub)
    assert (record["is_individual"], record["name"], record["contact_person_name"]) == (False, "Jan Jansen", None)
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_customer_that_was_made_a_person_there_is_renamed_where_it_shows_its_name(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(name="Jan Jansen"))
    hub.sync(source_id)
    person = {"is_individual": True, "contact_person_name": "Jan Jansen", "company_name": None}
    hub.rompslomp.edit_record(str(books(hub)[0]["id"]), person)

    hub.robaws.change_client(source_id, name="Jan de Wit")
    hub.sync(source_id)
    renamed = books(hub)[0]["name"]
    hub.robaws.change_client(source_id, tel="+32 9 333 33 33")
    hub.sync(source_id)

    [record] = books(hub)
    assert (renamed, record["name"], record["phone"]) == ("Jan de Wit", "Jan de Wit", "+32 9 333 33 33")
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_rename_of_a_company_costs_no_more_than_any_change(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.robaws.change_client(source_id, name="Dakwerken De Eik")
    hub.sync(source_id)

    assert [call.split()[0] for call in hub.calls("rompslomp")] == ["PATCH"]


def test_a_phone_that_is_given_its_country_is_another_one_than_stands_there(hub: Hub) -> None:
    hub.rompslomp.add_record(
        company_name="Dakwerken De Linde", contact_person_email_address="info@delinde.example", phone="+32475123456"
    )
    source_id = hub.robaws.add_client(**client(tel="0475 12 34 56"))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, tel="+31 475 123 456")
    hub.sync(source_id)

    assert [record["phone"] for record in books(hub)] == ["+31 475 123 456"]


def test_a_contact_of_ours_that_is_odd_is_not_made_a_second_time(hub: Hub) -> None:
    record = hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number="BE0000000097", city="Gent")
    hub.rompslomp.show_as(record, vat_number=["BE0000000097"])
    source_id = hub.robaws.add_client(**client(vatIdNumber="BE0000000097"))

    hub.sync(source_id)
    troubled = hub.link(source_id, "rompslomp")["state"]
    hub.rompslomp.show_as(record)
    hub.settle_all()

    assert [each["id"] for each in books(hub)] == [int(record)]
    assert (troubled, hub.link(source_id, "rompslomp")["external_id"]) == ("waiting", record)


NUMBERED = {"number_from": "logic_id", "reference_member": "free_1"}


def test_the_books_know_a_client_by_the_number_that_people_know(hub: Hub) -> None:
    hub.configure(rompslomp=NUMBERED)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    number = hub.robaws.client(source_id)["logicId"]
    assert [(one["contact_number"], one["free_1"]) for one in books(hub)] == [(number, f"RB-{source_id}")]


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_unanswered_create_under_a_customer_number_is_made_once(hub: Hub, fault: str) -> None:
    hub.configure(rompslomp=NUMBERED)
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail(fault, method="POST")

    hub.sync(source_id)
    hub.settle_all()

    assert [one["free_1"] for one in books(hub)] == [f"RB-{source_id}"]
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_customer_number_that_another_contact_has_makes_no_second_record_under_it(hub: Hub) -> None:
    hub.configure(rompslomp=NUMBERED)
    source_id = hub.robaws.add_client(**client())
    number = hub.robaws.client(source_id)["logicId"]
    hub.rompslomp.add_record(company_name="Bakkerij Zon", contact_number=number)

    hub.sync(source_id)

    assert [one["company_name"] for one in books(hub) if one["contact_number"] == number] == ["Bakkerij Zon"]


def test_a_contact_that_holds_the_invoice_address_is_not_made_a_second_time(hub: Hub) -> None:
    sync = hub.settings.sync.model_copy(update={"private_status": ("particulier",)})
    hub.settings = hub.settings.model_copy(update={"sync": sync})
    hub.restart()
    hub.rompslomp.add_record(is_individual=True, contact_person_name="Jan Jansen", zipcode="1000", city="Brussel")
    source_id = hub.robaws.add_client(**client(name="Jan Jansen", status="particulier", invoiceAddress=POSTBOX))

    hub.sync(source_id)

    assert len(books(hub)) == 1
    assert hub.link(source_id, "rompslomp")["reason"] == "doubtful_match"
