"""Records that look like a client and may be somebody else: nothing is linked or made where a bookkeeper would ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT, OTHER_VAT = "BE0403170701", "BE0403019261"
UNITY = "NL004495445B01"
JAN: dict[str, Any] = {
    "name": "Jan Peeters",
    "email": "jan@peeters.example",
    "status": "Particulier",
    "tel": "0470 00 00 01",
}


def only(hub: Hub, system: str) -> None:
    """The other systems take no part."""
    hub.configure(**{name: {"enabled": False} for name in ("rompslomp", "recras", "workspace") if name != system})


def asked(hub: Hub, source_id: str, system: str) -> tuple[str, list[tuple[str, bool]]]:
    """Why a person is asked about the record, and the evidence of the first candidate."""
    [question] = hub.questions(source_id, system)
    assert hub.link(source_id, system)["external_id"] is None
    evidence = question["detail"]["candidates"][0]["evidence"]
    return question["reason"], [(one["says"], one["for"]) for one in evidence]


@pytest.mark.parametrize("system", ["workspace", "recras"])
def test_the_client_is_found_among_more_records_of_its_town_than_are_compared(hub: Hub, system: str) -> None:
    only(hub, system)
    for number in range(600):
        if system == "workspace":
            hub.workspace.add_record(
                name=f"Klant {number}", location_postal="9000", type="1", client_reference=f"{5_000 + number}"
            )
        else:
            hub.recras.add_record(
                naam=f"Klant {number}", postcode="9000", contactpersonen=[{"achternaam": f"P{number}"}]
            )
    if system == "workspace":
        there = hub.workspace.add_record(
            name="Dakwerken De Linde", btw=VAT, location_postal="9000", type="1", client_reference="7"
        )
    else:
        there = hub.recras.add_record(
            naam="Dakwerken De Linde",
            btw_nummer=VAT,
            postcode="9000",
            contactpersonen=[{"achternaam": "Linde", "email1": "info@delinde.example"}],
        )
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert hub.link(source_id, system)["external_id"] == there
    assert len(hub.simulators[system].state()["records"]) == 601


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_a_private_person_is_not_his_own_company(hub: Hub, system: str) -> None:
    only(hub, system)
    sync = hub.settings.sync.model_copy(update={"private_status": ("Particulier",)})
    hub.settings = hub.settings.model_copy(update={"sync": sync})
    hub.restart()
    if system == "rompslomp":
        hub.rompslomp.add_record(
            company_name="Jan Peeters BV", vat_number=VAT, contact_person_email_address="jan@peeters.example"
        )
    else:
        hub.workspace.add_record(
            name="Jan Peeters BV", btw=VAT, email="jan@peeters.example", type="1", client_reference="7"
        )
    source_id = hub.robaws.add_client(**client(**JAN))

    hub.sync(source_id)

    reason, evidence = asked(hub, source_id, system)
    assert reason == "doubtful_match"
    assert ("one is a private person, the other an organisation", False) in evidence
    assert len(hub.simulators[system].state()["records"]) == 1


@pytest.mark.parametrize("there", ["BE0403170702", OTHER_VAT], ids=["mistyped", "another"])
def test_another_vat_number_on_the_same_client_is_asked_about(hub: Hub, there: str) -> None:
    only(hub, "workspace")
    hub.workspace.add_record(
        name="Dakwerken De Linde", btw=there, email="info@delinde.example", type="1", client_reference="7"
    )
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert asked(hub, source_id, "workspace")[0] == "doubtful_match"
    assert len(hub.workspace.state()["records"]) == 1


def test_our_reference_on_a_stranger_is_asked_about(hub: Hub) -> None:
    only(hub, "rompslomp")
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.add_record(
        company_name="Bakkerij Het Zuiden",
        contact_person_email_address="bakker@zuiden.example",
        contact_number=f"RB-{source_id}",
        phone="+32 53 00 00 00",
    )

    hub.sync(source_id)

    reason, evidence = asked(hub, source_id, "rompslomp")
    assert reason == "reference_collision"
    assert evidence[0] == ("it carries our reference", True)
    assert [record["company_name"] for record in hub.rompslomp.state()["records"]] == ["Bakkerij Het Zuiden"]


def test_the_reference_of_a_client_that_is_gone_is_asked_about(hub: Hub) -> None:
    only(hub, "rompslomp")
    hub.rompslomp.add_record(
        company_name="Dakwerken De Linde",
        contact_person_email_address="info@delinde.example",
        contact_number="RB-1500",
    )
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    reason, evidence = asked(hub, source_id, "rompslomp")
    assert reason == "doubtful_match"
    assert ("it carries the reference of another client", False) in evidence


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_a_record_with_the_reference_of_another_client_is_that_clients(hub: Hub, system: str) -> None:
    only(hub, system)
    other = hub.robaws.add_client(**client())
    hub.sync(other)
    [record] = hub.simulators[system].state()["records"]
    forget_link(hub, other, system)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert asked(hub, source_id, system)[0] == "match_taken"
    assert hub.simulators[system].state()["records"] == [record]


def forget_link(hub: Hub, source_id: str, system: str) -> None:
    """As after a restored backup: the record is there, and the link does not know it."""
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE link SET external_id = NULL, snapshot = NULL, state = 'excluded' WHERE id = :id"),
            {"id": hub.link(source_id, system)["id"]},
        )
        connection.execute(text("DELETE FROM create_lock"))


def test_the_departments_of_a_city_are_asked_about(hub: Hub) -> None:
    only(hub, "rompslomp")
    hub.rompslomp.add_record(company_name="OCMW Aalst", vat_number=VAT, phone="+32 53 00 00 00", zipcode="9300")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert asked(hub, source_id, "rompslomp")[0] == "doubtful_match"
    assert len(hub.rompslomp.state()["records"]) == 1


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_nothing_is_written_into_the_record_of_a_sister_firm(hub: Hub, system: str) -> None:
    """Members of a fiscal unity share the VAT number, and the mailbox of their bookkeeper."""
    only(hub, system)
    books = {"rompslomp": ("company_name", "contact_person_email_address"), "workspace": ("name", "email")}
    name, email = books[system]
    more = {"type": "1", "btw": UNITY} if system == "workspace" else {"vat_number": UNITY}
    simulator: Any = hub.simulators[system]
    sister = simulator.add_record(**{name: "De Linde Holding", email: "administratie@delinde.example"}, **more)
    before = simulator.state()["records"]
    source_id = hub.robaws.add_client(
        **client(name="Verhuur Noord", email="administratie@delinde.example", vatIdNumber=UNITY)
    )

    hub.sync(source_id)

    reason, evidence = asked(hub, source_id, system)
    assert reason == "doubtful_match"
    assert ("another name", False) in evidence
    assert simulator.state()["records"] == before
    assert hub.link(source_id, system)["external_id"] != sister
