"""The ids of the other systems go back into Robaws, once, and the echo of it ends there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_answers import answer
from tests.flows.test_links_by_hand import do
from tests.store.people import act
from worker.store import operating
from worker.store.listing_retries import public_id

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

FIELDS = {"rompslomp": "Rompslomp-id", "recras": "Recras-id", "workspace": "Workspace-id"}


def written(hub: Hub, source_id: str) -> dict[str, Any]:
    extra = hub.robaws.client(source_id)["extraFields"]
    return {system: (extra.get(field) or {}).get("stringValue") for system, field in FIELDS.items()}


def test_every_systems_id_is_written_into_its_field(hub: Hub) -> None:
    hub.configure(robaws={"write_back": FIELDS})
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)

    assert written(hub, source_id) == {system: hub.link(source_id, system)["external_id"] for system in FIELDS}
    assert hub.link(source_id, "robaws")["state"] == "synced"


def test_the_echo_of_a_write_back_is_skipped(hub: Hub) -> None:
    hub.configure(robaws={"write_back": FIELDS})
    hub.robaws.switches.extra_field_change_fires = True
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.forget_calls()

    hub.sync(source_id)

    assert hub.calls("robaws") == [f"GET /api/v2/clients/{source_id}"]
    with hub.engine.connect() as connection:
        reasons = connection.execute(text("SELECT reason FROM inbox_event WHERE state = 'skipped'")).scalars().all()
    assert reasons == ["echo"]


def test_a_write_back_whose_answer_is_lost_is_repeated_under_the_same_key(hub: Hub) -> None:
    hub.configure(robaws={"write_back": {"workspace": "Workspace-id"}})
    hub.robaws.fail("drop_after", method="PATCH")
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)
    hub.settle_all()

    keys = [one.request.headers["idempotency-key"] for one in hub.robaws.calls("PATCH")]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert written(hub, source_id)["workspace"] == hub.link(source_id, "workspace")["external_id"]


@pytest.mark.parametrize("shown", [True, False])
def test_a_field_that_the_tenant_does_not_have_is_told_and_not_tried_again(hub: Hub, shown: bool) -> None:
    hub.robaws.switches.patch_answers_entity = shown
    hub.configure(robaws={"write_back": {"workspace": "No such field"}})
    source_id = hub.robaws.add_client(**client())

    hub.sync(source_id)
    hub.sync(source_id)

    link = hub.link(source_id, "robaws")
    assert (link["state"], link["reason"]) == ("synced", "not_accepted")
    assert "No such field" in link["message"]
    assert len(hub.robaws.calls("PATCH")) == 1


def linked_by_a_person(hub: Hub) -> tuple[str, str]:
    """A client that a person linked to one of two records that could be it: the client, the record."""
    hub.configure(robaws={"write_back": {"workspace": "Workspace-id"}}, rompslomp={"enabled": False})
    record = hub.workspace.add_record(name="Dakwerken De Linde BV", location_postal="9000", type="1")
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    answer(hub, source_id, "workspace", "link", external_id=str(record))
    hub.settle()
    return source_id, str(record)


def test_the_id_of_a_record_that_a_person_chose_is_written_back(hub: Hub) -> None:
    source_id, record = linked_by_a_person(hub)

    assert hub.link(source_id, "workspace")["external_id"] == record
    assert written(hub, source_id)["workspace"] == record


def test_it_is_written_back_although_the_first_delivery_was_not_answered(hub: Hub) -> None:
    hub.workspace.fail("drop_after", times=1, method="POST", path="/contacts/")
    source_id, record = linked_by_a_person(hub)
    hub.settle_all()

    assert written(hub, source_id)["workspace"] == record


def test_an_id_that_comes_back_is_written_again_under_another_key(hub: Hub) -> None:
    source_id, first = linked_by_a_person(hub)
    second = str(hub.workspace.add_record(name="De Linde Verhuur", type="1"))
    seen = [written(hub, source_id)["workspace"]]

    for record in (second, first):
        do(hub, "link", source_id, "workspace", external_id=record)
        hub.settle_all()
        seen.append(written(hub, source_id)["workspace"])

    keys = [one.request.headers["idempotency-key"] for one in hub.robaws.calls("PATCH")]
    assert seen == [first, second, first]
    assert len(set(keys)) == len(keys) == 3


def test_the_id_of_a_record_that_is_unlinked_is_emptied(hub: Hub) -> None:
    source_id, _ = linked_by_a_person(hub)

    do(hub, "unlink", source_id, "workspace")
    hub.settle()

    assert written(hub, source_id)["workspace"] is None


def test_a_write_back_that_a_person_took_out_stays_out(hub: Hub) -> None:
    source_id, _ = linked_by_a_person(hub)
    other = str(hub.workspace.add_record(name="De Linde Verhuur", type="1"))
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'dead' WHERE system = 'robaws'"))
    act(hub, operating.discard, public_id(1, hub.link(source_id, "robaws")["id"]), reason="by hand from now on")

    do(hub, "link", source_id, "workspace", external_id=other)
    hub.settle()

    assert hub.link(source_id, "robaws")["state"] == "excluded"
    assert written(hub, source_id)["workspace"] != other
