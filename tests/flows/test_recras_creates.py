"""Creates in Recras: without an answer, matched by Recras itself, and records that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.recras_tenant import AN, BO, alone, klant, names, synced_client
from tests.flows.stories import client
from tests.flows.test_answers import brief

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


@pytest.fixture
def hub(hub: Hub) -> Iterator[Hub]:
    """Recras alone beside Robaws."""
    alone(hub)
    yield hub
    hub.runtime.close()


# ----------------------------------------------------------------------------------------- creates without an answer
@pytest.mark.parametrize("email", ["info@delinde.example", None], ids=["with e-mail", "without e-mail"])
@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "new process"])
def test_a_lost_answer_makes_no_second_klant(hub: Hub, email: str | None, restarted: bool) -> None:
    hub.recras.switches.dedupe = False  # so that nothing but looking back prevents a double
    hub.recras.add_record(naam="Bakkerij Voorbeeld", contactpersonen=[{"achternaam": "Voorbeeld"}])
    source_id = hub.robaws.add_client(**client(email=email, contacts=[AN | {"email": None}, BO]))
    hub.recras.fail("drop_after", method="POST")

    hub.sync(source_id)
    if restarted:
        hub.restart()
    hub.settle_all()

    assert sorted(record["naam"] for record in hub.recras.state()["records"]) == [
        "Bakkerij Voorbeeld",
        "Dakwerken De Linde",
    ]
    assert hub.link(source_id, "recras")["state"] == "synced"
    assert len(hub.recras.calls("POST")) == 1


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"], ids=["it was made", "it was not made"])
def test_what_changed_while_a_create_was_unknown_arrives(hub: Hub, fault: str) -> None:
    cas = {"name": "Cas", "surname": "Devos"}
    source_id = hub.robaws.add_client(**client(contacts=[AN, BO, cas]))
    hub.recras.fail(fault, method="POST")
    hub.sync(source_id)
    persons = {one["first_name"]: one["key"] for one in hub.contact(source_id)["canonical"]["persons"]}

    hub.robaws.change_person(persons["Bo"], tel="+32 9 000 00 77")
    hub.robaws.remove_person(persons["Cas"])
    hub.sync(source_id)
    hub.settle_all()

    assert names(hub) == ["An Peeters", "Bo Claes"]
    assert klant(hub)["contactpersonen"][1]["telefoon1"] == "+32 9 000 00 77"
    assert hub.link(source_id, "recras")["state"] == "synced"


def test_a_name_that_changed_while_a_create_was_unknown_arrives(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.recras.fail("drop_after", method="POST")
    hub.sync(source_id)

    hub.robaws.change_client(source_id, name="Dakwerken De Nieuwe Linde")
    hub.sync(source_id)
    hub.settle_all()

    assert klant(hub)["naam"] == "Dakwerken De Nieuwe Linde"
    assert names(hub) == ["Dakwerken De Nieuwe Linde"]


def test_a_namesake_elsewhere_is_not_taken_for_the_create_that_was_lost(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.recras.fail("drop_before", method="POST")
    hub.sync(source_id)
    namesake = hub.recras.add_record(naam="Dakwerken De Linde", plaats="Luik", contactpersonen=[{"achternaam": "X"}])

    hub.settle_all()

    assert len(hub.recras.state()["records"]) == 2
    assert hub.link(source_id, "recras")["external_id"] != namesake


def test_without_an_email_a_person_looks_after_two_unanswered_creates(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(email=None))
    hub.recras.fail("drop_before", method="POST", times=-1)

    hub.sync(source_id)
    hub.settle_all()

    assert len(hub.recras.calls("POST")) == 2
    link = hub.link(source_id, "recras")
    assert (link["state"], link["reason"]) == ("review", "outcome_unknown")


# --------------------------------------------------------------------------------------------- the vendor's own match
@pytest.mark.parametrize(("effect", "persons"), [("merge", ["Peeters", "Dakwerken De Linde"]), ("none", ["Peeters"])])
def test_a_klant_that_recras_itself_matched_is_linked_once(hub: Hub, effect: Any, persons: list[str]) -> None:
    """What Recras merged into the record (the person of ours) is ours afterwards, and is not added once more."""
    hub.recras.switches.dedupe_effect = effect
    made: list[str] = []

    def made_meanwhile(name: str) -> bool:
        if name == "recras.create.before_send":  # after the search, which found nothing
            person = {"achternaam": "Peeters", "email1": "info@delinde.example"}
            made.append(hub.recras.add_record(naam="dakwerken de linde", contactpersonen=[person]))
        return False

    hub.crash_at = made_meanwhile
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert [one.response.status for one in hub.recras.calls("POST")] == [200]
    assert [hub.link(source_id, "recras")["external_id"]] == made
    assert klant(hub)["plaats"] == "Gent"  # empty there on the first link
    assert names(hub) == persons


def test_a_klant_that_recras_matched_and_another_client_holds_goes_to_review(hub: Hub) -> None:
    first = synced_client(hub)
    twin = hub.robaws.add_client(
        **client(address={"addressLine1": "Elders 1", "postalCode": "1000", "city": "Brussel"})
    )
    with hub.engine.begin() as connection:  # the directory lost sight of the first one
        connection.exec_driver_sql("DELETE FROM directory_entry")

    hub.sync(twin)

    link = hub.link(twin, "recras")
    assert (link["state"], link["reason"]) == ("review", "match_taken")
    assert link["external_id"] is None
    assert hub.link(first, "recras")["state"] == "synced"
    assert len(hub.recras.state()["records"]) == 1


def merged_into_another(hub: Hub) -> tuple[str, str]:
    """Two clients; Recras puts the second one's data into the first one's record: their ids."""
    first = synced_client(hub)
    with hub.engine.begin() as connection:  # nothing is remembered of the first one
        connection.exec_driver_sql("DELETE FROM directory_entry")
        connection.exec_driver_sql("DELETE FROM create_lock")
    second = hub.robaws.add_client(
        **client(
            website="https://www.tweede.example",
            address={"addressLine1": "Elders 1", "postalCode": "1000", "city": "Brussel", "country": "BE"},
            contacts=[{"name": "Bo", "surname": "Claes", "email": "info@delinde.example"}],
        )
    )
    hub.forget_calls()
    hub.sync(second)
    assert [one.response.status for one in hub.recras.calls("POST")] == [200]
    return first, second


def test_what_recras_put_into_another_clients_record_is_told_and_put_right(hub: Hub) -> None:
    first, second = merged_into_another(hub)

    [question] = hub.questions(second, "recras")
    [candidate] = question["detail"]["candidates"]
    assert brief(hub, second, "recras") == ("review", "match_taken")
    assert candidate["held_by"]["source_id"] == first
    assert "Website" in question["message"] or "website" in question["message"]
    assert "Bo Claes" in question["message"]
    assert brief(hub, first, "recras") == ("synced", None)
    assert not klant(hub)["website"]


# -------------------------------------------------------------------------------------------------------------- gone
def test_a_klant_that_is_gone_is_told_apart_from_an_address_that_is_wrong(hub: Hub) -> None:
    source_id = synced_client(hub)
    hub.recras.delete_record(str(klant(hub)["id"]))

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    assert (hub.link(source_id, "recras")["state"], hub.link(source_id, "recras")["reason"]) == ("review", "gone")


def test_a_host_that_answers_404_to_everything_makes_nothing_gone(hub: Hub) -> None:
    source_id = synced_client(hub)
    hub.recras.fail("html", status=404, times=-1)

    hub.robaws.change_client(source_id, address={"city": "Gentbrugge"})
    hub.sync(source_id)

    link = hub.link(source_id, "recras")
    assert (link["state"], link["reason"]) == ("due", "wrong_address")
    hub.recras.clear_faults()
    assert len(hub.recras.state()["records"]) == 1
