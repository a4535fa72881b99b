"""A client is found by whatever stands on somebody's screen; a viewer finds nobody by what viewers do not see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import ask
from worker.store import listing_contacts
from worker.store.listing import Paging

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

CAFE: dict[str, Any] = {
    "name": "Café Coöperatie 't Zandstraße",
    "email": "Info@Cafe.example",
    "tel": "+32 (0)9 200 00 01",
    "gsm": "0470 11 22 33",
    "vatIdNumber": "BE0776.091.951",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
    "contacts": [{"name": "Els", "surname": "Peeters", "email": "els@cafe.example", "tel": "+32 9 300 00 03"}],
}
OTHER: dict[str, Any] = {"name": "Bakkerij Zonnehof", "email": "bakkerij@zonnehof.example", "tel": "+32 9 400 00 04"}


def found(hub: Hub, query: str, **more: Any) -> list[str]:
    """The ids of the clients that a query finds."""
    return [one.source_id for one in ask(hub, listing_contacts.page, Paging(), query=query, **more).items]


@pytest.fixture
def cafe(hub: Hub) -> str:
    """The client that is looked for; another one is there as well."""
    source_id = hub.robaws.add_client(**CAFE)
    hub.sync(source_id)
    hub.sync(hub.robaws.add_client(**OTHER))
    return source_id


@pytest.mark.parametrize(
    "query",
    [
        "cafe",
        "CAFÉ",
        "coop",
        "zandstrasse cafe",
        "Zandstraße",
        "info@cafe.example",
        "INFO@cafe.example",
        "els@cafe.example",
        "BE0776091951",
        "be 0776.091.951",
        "0776 091 951",
        "776091951",
        "09/200.00.01",
        "+32 9 200 00 01",
        "003292000001",
        "+32470112233",
        "0470/11.22.33",
        "09 300 00 03",
    ],
)
def test_a_client_is_found_by_name_e_mail_phone_and_number_however_they_are_written(
    hub: Hub, cafe: str, query: str
) -> None:
    assert found(hub, query) == [cafe]


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_a_client_is_found_by_the_id_of_its_record_in_any_system(hub: Hub, cafe: str, system: str) -> None:
    record = str(hub.link(cafe, system)["external_id"])

    assert cafe in found(hub, record)
    assert cafe in found(hub, record, names_of_persons=False)


@pytest.mark.parametrize(
    "query", ["nobody@cafe.example", "0999 999 999", "caffe", "'; DROP", "e:info", "\\", "a\\'b@c.d"]
)
def test_what_is_nowhere_finds_nobody(hub: Hub, cafe: str, query: str) -> None:
    assert found(hub, query) == []


@pytest.mark.parametrize("query", ["info@cafe.example", "els@cafe.example", "09 200 00 01", "BE0776091951", "peeters"])
def test_a_viewer_finds_nobody_by_what_viewers_do_not_see(hub: Hub, cafe: str, query: str) -> None:
    assert found(hub, query, names_of_persons=False) == []


def test_a_viewer_finds_an_organisation_by_its_name_and_a_person_by_none(hub: Hub, cafe: str) -> None:
    person = hub.robaws.add_client(name="An Cafeteria", email="an@an.example")
    hub.sync(person)
    with hub.engine.begin() as connection:
        connection.execute(
            text('UPDATE contact SET canonical = canonical || \'{"kind": "person"}\' WHERE source_id = :id'),
            {"id": person},
        )

    assert found(hub, "cafe") == [cafe, person]
    assert found(hub, "cafe", names_of_persons=False) == [cafe]
    assert found(hub, person, names_of_persons=False) == [person]


def test_a_client_that_was_never_fetched_is_found_by_its_id(hub: Hub) -> None:
    hub.robaws.fail("status", status=503)
    hub.sync("4711")

    assert found(hub, "4711") == ["4711"]


def test_a_value_that_changed_is_found_as_it_is_now(hub: Hub, cafe: str) -> None:
    hub.robaws.change_client(cafe, email="hallo@cafe.example")
    hub.sync(cafe)

    assert (found(hub, "hallo@cafe.example"), found(hub, "info@cafe.example")) == ([cafe], [])
