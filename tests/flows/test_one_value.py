"""An address is one value: never half of ours beside half of theirs, one question about it, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from worker.store import operating, operating_reviews
from worker.store.operating import Actor
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
PERSON = Actor("An Peeters", "operator")

# The system, what it holds already, and its members for street, postcode and city.
HELD: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "rompslomp": (
        {"company_name": "Dakwerken De Linde", "vat_number": VAT, "city": "Brugge", "zipcode": "8000"},
        ("address", "zipcode", "city"),
    ),
    "recras": (
        {"naam": "Dakwerken De Linde", "btw_nummer": VAT, "plaats": "Brugge", "postcode": "8000"},
        ("adres", "postcode", "plaats"),
    ),
    "workspace": (
        {
            "name": "Dakwerken De Linde",
            "btw": VAT,
            "type": "1",
            "client_reference": "7",
            "location_city": "Brugge",
            "location_postal": "8000",
            "invoice_address": "Kerkstraat 12",
            "invoice_postal": "9000",
            "invoice_city": "Gent",
        },
        ("location_address", "location_postal", "location_city"),
    ),
}


def held_address(hub: Hub, system: str) -> tuple[str, ...]:
    [record] = hub.simulators[system].state()["records"]
    return tuple(record[member] or "" for member in HELD[system][1])


def answer(hub: Hub, source_id: str, system: str, path: str, choose: str) -> None:
    [question] = [one for one in hub.questions(source_id, system) if one["path"] == path]
    with hub.engine.begin() as connection:
        operating_reviews.resolve(connection, str(question["id"]), choose, PERSON, hub.time, shape_of=id_shape)
    hub.settle()


@pytest.fixture(params=list(HELD))
def known(request: pytest.FixtureRequest, hub: Hub) -> tuple[str, str]:
    """A system that holds half an address of a client, linked to that client now: (system, client)."""
    system = str(request.param)
    hub.simulators[system].add_record(**HELD[system][0])  # type: ignore[attr-defined]
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))
    hub.sync(source_id)
    return system, source_id


def test_half_an_address_is_not_filled_up_with_half_of_ours(hub: Hub, known: tuple[str, str]) -> None:
    system, source_id = known

    assert held_address(hub, system) == ("", "8000", "Brugge")
    assert hub.link(source_id, system)["state"] == "review"
    [question] = [one for one in hub.questions(source_id, system) if "address" in one["path"]]
    assert (question["path"], question["detail"]["label"]) == ("address.*", "address")
    assert question["detail"]["ours"].startswith("Kerkstraat 12, 9000, Gent")
    assert question["detail"]["theirs"] == "8000, Brugge"


@pytest.mark.parametrize(
    ("choose", "expected"),
    [("ours", ("Kerkstraat 12", "9000", "Gent")), ("theirs", ("", "8000", "Brugge"))],
)
def test_one_answer_is_about_the_whole_address(
    hub: Hub, known: tuple[str, str], choose: str, expected: tuple[str, ...]
) -> None:
    system, source_id = known

    answer(hub, source_id, system, "address.*", choose)

    assert held_address(hub, system) == expected
    assert hub.questions(source_id, system) == []
    assert hub.link(source_id, system)["state"] == "synced"


def test_an_address_that_was_let_stand_gives_way_as_a_whole(hub: Hub, known: tuple[str, str]) -> None:
    system, source_id = known
    answer(hub, source_id, system, "address.*", "theirs")

    hub.robaws.change_client(source_id, address={"addressLine1": "Kerkstraat 14"})
    hub.sync(source_id)

    assert held_address(hub, system) == ("Kerkstraat 14", "9000", "Gent")


@pytest.fixture(params=list(HELD))
def moved(request: pytest.FixtureRequest, hub: Hub) -> tuple[str, str]:
    """A system that agreed on an address with a client, and in which somebody entered another one: (system, client)."""
    system = str(request.param)
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    [record] = hub.simulators[system].state()["records"]
    elsewhere = dict(zip(HELD[system][1], ("Markt 5", "8000", "Brugge"), strict=True))
    hub.simulators[system].edit_record(str(record["id"]), elsewhere)
    return system, source_id


def test_an_address_that_was_moved_there_gives_way_as_a_whole(hub: Hub, moved: tuple[str, str]) -> None:
    system, source_id = moved

    hub.robaws.change_client(source_id, address={"addressLine1": "Kerkstraat 14"})
    hub.sync(source_id)

    assert held_address(hub, system) == ("Kerkstraat 14", "9000", "Gent")


def test_an_address_that_was_moved_there_stays_when_something_else_changes(hub: Hub, moved: tuple[str, str]) -> None:
    system, source_id = moved

    hub.robaws.change_client(source_id, tel="+32 9 333 33 33")
    hub.sync(source_id)

    assert held_address(hub, system) == ("Markt 5", "8000", "Brugge")


def test_an_address_that_was_let_stand_and_edited_since_is_put_back_as_a_whole(
    hub: Hub, known: tuple[str, str]
) -> None:
    system, source_id = known
    answer(hub, source_id, system, "address.*", "theirs")
    [record] = hub.simulators[system].state()["records"]
    hub.simulators[system].edit_record(str(record["id"]), {HELD[system][1][2]: "Sint-Andries"})

    with hub.engine.begin() as connection:
        operating.sync(connection, source_id, PERSON, hub.time)
    hub.settle()

    assert held_address(hub, system) == ("Kerkstraat 12", "9000", "Gent")


def test_nothing_of_an_address_is_written_while_the_question_is_open(hub: Hub, known: tuple[str, str]) -> None:
    system, source_id = known

    hub.robaws.change_client(source_id, tel="+32 9 333 33 33", address={"addressLine1": "Kerkstraat 14"})
    hub.sync(source_id)

    assert held_address(hub, system) == ("", "8000", "Brugge")
    [question] = hub.questions(source_id, system)
    assert question["detail"]["ours"].startswith("Kerkstraat 14, 9000, Gent")


@pytest.mark.parametrize(
    "there", [{}, {"city": "Gent"}, {"city": "GENT", "zipcode": "9000"}, {"country_code": "BE"}], ids=str
)
def test_an_address_that_says_nothing_else_is_filled_up(hub: Hub, there: dict[str, Any]) -> None:
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, **there)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    street, postcode, city = held_address(hub, "rompslomp")
    assert (street, postcode, city.casefold()) == ("Kerkstraat 12", "9000", "gent")


def test_an_address_that_is_to_be_filled_only_stays_as_it_is_where_there_is_one(hub: Hub) -> None:
    mine = ("address.line1", "address.postal_code", "address.city", "address.country")
    hub.configure(rompslomp={"fields": dict.fromkeys(mine, "fill")})
    hub.rompslomp.add_record(**HELD["rompslomp"][0])
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert held_address(hub, "rompslomp") == ("", "8000", "Brugge")
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
