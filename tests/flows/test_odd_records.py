"""Answers that hold more than the page says, or something else: nobody else's record suffers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from worker.flows import checking

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

VAT = "BE0000000097"
ADDED: dict[str, Any] = {"tags": [], "archived": False, "custom": {"colour": "green", "since": 2026}, "score": 1.5}
"""What a release of a vendor may add from one day to the next."""


def test_members_that_workspace_adds_stop_nothing(hub: Hub) -> None:
    hub.workspace.extra_members = dict(ADDED)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)
    hub.robaws.edit_record(source_id, {"tel": "+32 9 111 11 11"})
    hub.sync(source_id)

    [record] = hub.workspace.state()["records"]
    assert record["phone"] == "+32 9 111 11 11"
    assert hub.link(source_id, "workspace")["state"] == "synced"


def test_members_that_recras_adds_stop_nothing(hub: Hub) -> None:
    hub.recras.records.extra_members.update(ADDED)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)
    hub.robaws.edit_record(source_id, {"name": "De Eik"})
    hub.sync(source_id)

    [record] = hub.recras.state()["records"]
    assert record["naam"] == "De Eik"
    assert hub.link(source_id, "recras")["state"] == "synced"


def test_a_list_that_php_writes_with_gaps_is_a_list(hub: Hub) -> None:
    hub.workspace.list_gaps = True
    hub.workspace.add_record(name="Een ander")
    hub.workspace.add_record(name="De Linde", btw=VAT, client_reference="7")
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)

    assert len(hub.workspace.state()["records"]) == 2
    assert hub.link(source_id, "workspace")["external_id"] == "515"


def test_one_odd_record_of_somebody_else_stops_nobody(hub: Hub) -> None:
    hub.workspace.add_record(name={"first": "Staples"}, type="2")
    hub.recras.add_record(type="personeel", naam="Sam", postcode=["9000"])
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert {hub.link(source_id, system)["state"] for system in ("workspace", "recras")} == {"synced"}


@pytest.mark.parametrize("odd", [{"name": ["De Linde"]}, {"email": {"to": "x"}}, {"kvk": False}])
def test_a_record_of_ours_that_cannot_be_read_in_full_is_not_made_a_second_time(hub: Hub, odd: dict[str, Any]) -> None:
    sound = {"name": "Dakwerken De Linde", "btw": VAT, "email": "info@delinde.example", "kvk": None}
    record_id = hub.workspace.add_record(**{**sound, "client_reference": "7", **odd})
    source_id = hub.robaws.add_client(**client(vatIdNumber=VAT))

    hub.sync(source_id)
    troubled = hub.link(source_id, "workspace")["state"]
    hub.workspace.edit_record(record_id, sound)
    hub.settle_all()

    assert len(hub.workspace.state()["records"]) == 1
    assert troubled != "synced"
    assert hub.link(source_id, "workspace")["external_id"] == record_id
    assert hub.link(source_id, "workspace")["state"] in ("synced", "review")


@pytest.mark.parametrize("name", [["Dakwerken", "De Linde"], {"text": "Dakwerken De Linde", "size": 2}])
def test_a_name_of_another_type_is_compared_by_the_texts_in_it(hub: Hub, name: Any) -> None:
    """Nothing else of the record tells that it is the client: without its name it would be made a second time."""
    hub.workspace.add_record(name=name)
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert len(hub.workspace.state()["records"]) == 1
    assert hub.link(source_id, "workspace")["reason"] == "doubtful_match"


def test_a_person_of_another_type_is_compared_by_what_of_it_can_be_read(hub: Hub) -> None:
    odd = {"voornaam": 7, "achternaam": "Peeters", "email1": "info@delinde.example"}
    hub.recras.add_record(naam="Dakwerken De Linde", postcode=9000, contactpersonen=[odd])
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert len(hub.recras.state()["records"]) == 1
    assert hub.link(source_id, "recras")["state"] == "waiting"


def test_what_could_not_be_read_is_told_by_check(hub: Hub) -> None:
    hub.recras.add_record(naam="Sam", postcode=["9000"])
    hub.sync(hub.robaws.add_client(**client()))

    findings = checking.vendor(hub.settings, "recras", hub.runtime).findings

    [told] = [finding for finding in findings if finding.subject == "records"]
    assert "postcode cannot be read" in told.message
    assert told.ok
