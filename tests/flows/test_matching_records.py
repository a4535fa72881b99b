"""A client that a system has already: linked when it is certain, asked about when it is not, never made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
BOOKS: dict[str, Any] = {"company_name": "De Linde", "vat_number": VAT}
PROJECTS: dict[str, Any] = {"name": "De Linde", "btw": VAT, "type": "1", "client_reference": "7"}


def books(hub: Hub) -> list[dict[str, Any]]:
    return list(hub.rompslomp.state()["records"])


def test_one_certain_match_is_linked_its_gaps_filled_and_its_differences_asked_about(hub: Hub) -> None:
    hub.rompslomp.add_record(**BOOKS, city="Brugge", contact_number="K00042")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    [record] = books(hub)
    assert (record["company_name"], record["city"], record["address"] or "") == ("De Linde", "Brugge", "")
    assert (record["phone"], record["contact_number"]) == ("+32 9 000 00 00", "K00042")
    assert hub.link(source_id, "rompslomp")["state"] == "review"
    assert {question["path"] for question in hub.questions(source_id, "rompslomp")} == {"company_name", "address.*"}


def test_a_match_in_workspace_is_linked_from_the_whole_list(hub: Hub) -> None:
    hub.workspace.add_record(**PROJECTS)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    [record] = hub.workspace.state()["records"]
    assert (record["client_reference"], record["location_city"]) == ("7", "Gent")


DUTCH = {"addressLine1": "Damrak 1", "postalCode": "1012 LG", "city": "Amsterdam", "country": "NL"}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("BE0200065765", {"vatIdNumber": "0200.065.765"}),
        ("BE0403019261", {"vatIdNumber": "0403019261"}),
        ("BE0403170701", {"vatIdNumber": "403.170.701"}),
        ("NL004495445B01", {"vatIdNumber": "004495445B01", "address": DUTCH}),
        ("0776.091.951", {"vatIdNumber": "BE0776091951"}),
        ("BE 0776.091.951", {"vatIdNumber": "BE0776091951"}),
    ],
)
def test_a_number_with_or_without_its_country_is_one_number_in_every_system(
    hub: Hub, there: str, here: dict[str, Any]
) -> None:
    hub.rompslomp.add_record(company_name="Daken Zuid", vat_number=there)
    hub.workspace.add_record(name="Daken Zuid", btw=there, type="1", client_reference="7")
    hub.recras.add_record(naam="Daken Zuid", btw_nummer=there, contactpersonen=[{"achternaam": "Zuid"}])

    hub.sync(hub.robaws.add_client(**client(**here)))

    held = {name: len(hub.simulators[name].state()["records"]) for name in hub.runtime.targets}
    assert held == {"rompslomp": 1, "recras": 1, "workspace": 1}
    assert {state for _, _, state, _ in hub.links()} == {"review"}  # linked: the names differ


def test_a_name_that_is_only_written_otherwise_is_linked_without_a_question(hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="DAKWERKEN de linde", vat_number=VAT)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)
    linked = hub.link(source_id, "rompslomp")["state"]
    hub.sync(source_id)
    stood = books(hub)[0]["company_name"]
    hub.robaws.change_client(source_id, name="Dakwerken De Linde & Zonen")
    hub.sync(source_id)

    assert (linked, stood) == ("synced", "DAKWERKEN de linde")
    assert [record["company_name"] for record in books(hub)] == ["Dakwerken De Linde & Zonen"]


@pytest.mark.parametrize("there", ["+31 475 123456", "+32 475 12 34 56", "0475 123456"])
def test_a_number_that_is_a_dutch_landline_and_a_belgian_mobile_is_no_question(hub: Hub, there: str) -> None:
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, phone=there)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT, tel="0475-123456"))

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert [record["phone"] for record in books(hub)] == [there]


@pytest.mark.parametrize(("region", "state"), [("DE", "synced"), ("BE", "review")])
def test_a_number_without_its_country_is_read_where_the_settings_say(hub: Hub, region: str, state: str) -> None:
    hub.configure(robaws={"phone_region": region})
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, phone="+49 30 123456")
    hub.workspace.add_record(name="Dakwerken De Linde", btw=VAT, type="1", client_reference="7", phone="+49 30 123456")
    nowhere = {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": None}
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT, tel="030 123456", address=nowhere))

    hub.sync(source_id)

    assert {hub.link(source_id, system)["state"] for system in ("rompslomp", "workspace")} == {state}


def test_the_country_of_the_address_comes_before_the_settings(hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="Dakwerken De Linde", vat_number=VAT, phone="+49 30 123456")
    berlin = {"addressLine1": "Kirchgasse 1", "postalCode": "10115", "city": "Berlin", "country": "DE"}
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT, tel="030 123456", address=berlin))

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_country_code_that_is_put_right_is_written(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(tel="+32 475 12 34 56"))
    hub.sync(source_id)

    hub.robaws.change_client(source_id, tel="+31 475 123456")
    hub.sync(source_id)

    assert [record["phone"] for record in books(hub)] == ["+31 475 123456"]


def test_an_enterprise_number_in_the_wrong_field_is_found_and_asked_about(hub: Hub) -> None:
    hub.workspace.add_record(name="Daken Zuid", kvk="0776.091.951", type="1", client_reference="7")
    source_id = hub.robaws.add_client(**client(vatIdNumber="BE0776091951"))

    hub.sync(source_id)

    assert len(hub.workspace.state()["records"]) == 1
    assert hub.link(source_id, "workspace")["reason"] == "doubtful_match"


def test_two_certain_matches_wait_for_a_person_and_nothing_is_made(hub: Hub) -> None:
    hub.rompslomp.add_record(**BOOKS)
    hub.rompslomp.add_record(**BOOKS)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert len(books(hub)) == 2
    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"]) == ("review", "several_matches")
    [question] = hub.questions(source_id, "rompslomp")
    assert len(question["detail"]["candidates"]) == 2


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_a_doubtful_match_waits_for_a_person_and_nothing_is_made(hub: Hub, system: str) -> None:
    if system == "rompslomp":
        hub.rompslomp.add_record(company_name="Dakwerken De Linde BV", zipcode="9000")
    else:
        hub.workspace.add_record(name="Dakwerken De Linde BV", location_postal="9000", type="1", client_reference="7")
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    link = hub.link(source_id, system)
    assert (link["state"], link["reason"]) == ("review", "doubtful_match")
    assert len(hub.simulators[system].state()["records"]) == 1


def test_a_supplier_of_the_same_name_is_no_match(hub: Hub) -> None:
    hub.workspace.add_record(**{**PROJECTS, "type": "2"})
    hub.rompslomp.add_record(**BOOKS, is_supplier=True)
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert len(hub.workspace.state()["records"]) == 2
    assert len(books(hub)) == 2
    assert {state for _, _, state, _ in hub.links()} == {"synced"}


def test_a_record_that_belongs_to_another_client_is_never_linked_twice(hub: Hub) -> None:
    first = hub.robaws.add_client(**client(1, vatIdNumber=VAT))
    hub.sync(first)
    second = hub.robaws.add_client(**client(2, vatIdNumber=VAT))

    hub.sync(second)

    assert {hub.link(second, name)["reason"] for name in ("rompslomp", "workspace")} == {"match_taken"}
    assert len(books(hub)) == 1


def test_a_reference_that_was_there_before_in_workspace_waits_for_a_person(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.workspace.add_record(name="Bakkerij Het Zuiden", type="1", client_reference=source_id)

    hub.sync(source_id)

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["reason"]) == ("review", "reference_collision")
    assert len(hub.workspace.state()["records"]) == 1


def test_placeholders_in_two_records_are_no_match(hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="Bakkerij Het Zuiden", vat_number="n.v.t.", kvk_number="00000000")
    source_id = hub.robaws.add_client(**client(vatIdNumber="n.v.t."))

    hub.sync(source_id)

    assert len(books(hub)) == 2
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_a_missing_email_that_workspace_requires_is_asked_about_and_made_when_it_comes(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(email=None))

    hub.sync(source_id)
    asked = hub.link(source_id, "workspace")
    hub.robaws.change_client(source_id, email="info@delinde.example")
    hub.sync(source_id)

    assert (asked["state"], asked["reason"]) == ("review", "missing_required")
    assert hub.link(source_id, "workspace")["state"] == "synced"
    assert hub.questions(source_id, "workspace") == []
    assert [record["email"] for record in hub.workspace.state()["records"]] == ["info@delinde.example"]


def test_a_placeholder_gives_way_to_the_real_value(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(tel=None))
    hub.sync(source_id)
    placeholder = [record["phone"] for record in hub.workspace.state()["records"]]

    hub.robaws.change_client(source_id, tel="+32 9 000 00 07")
    hub.sync(source_id)

    assert placeholder == ["-"]
    assert [record["phone"] for record in hub.workspace.state()["records"]] == ["+32 9 000 00 07"]
