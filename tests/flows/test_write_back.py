"""The ids of the other systems go back into Robaws, once, and the echo of it ends there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client

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
