"""What the books end up with, where a contact there has another shape than the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
