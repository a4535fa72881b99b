"""A create whose answer is lost makes no second record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

TARGETS = ["rompslomp", "recras", "workspace"]
FAULTS = ["drop_after", "delay", "truncate", "html", "status", "empty", "wrong_json"]


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_create_whose_answer_is_lost_makes_no_second_record(hub: Hub, system: str, fault: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail(fault, method="POST", seconds=60.0)  # type: ignore[arg-type]

    hub.sync(source_id)
    hub.settle_all()

    assert len(hub.simulators[system].state()["records"]) == 1
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize("system", TARGETS)
def test_a_create_that_never_arrived_is_made_once(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("drop_before", method="POST")

    hub.sync(source_id)
    hub.settle_all()

    assert len(hub.simulators[system].state()["records"]) == 1
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("point", ["before_send", "after_answer"])
def test_a_worker_killed_around_the_create_makes_no_second_record(hub: Hub, system: str, point: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.crash_at = lambda name: name == f"{system}.create.{point}"

    with pytest.raises(Crash):
        hub.settle()
    hub.restart()
    hub.settle_all()

    assert [len(hub.simulators[name].state()["records"]) for name in TARGETS] == [1, 1, 1]
    assert {state for _, _, state, _ in hub.links()} == {"synced"}


@pytest.mark.parametrize("system", TARGETS)
def test_a_correction_is_delivered_though_the_create_that_it_corrects_was_refused_without_our_knowing(
    hub: Hub, system: str
) -> None:
    """Found by the model checker: the create that was sent again was the old one, and its refusal ended the new."""
    refused = {
        "rompslomp": (422, '{"error": {"message": "City is onjuist.", "type": "client.parameters.validation"}}'),
        "recras": (406, '[{"field": "naam", "message": "Is geen naam.", "parameters": []}]'),
        "workspace": (400, '{"code": 400}'),
    }
    status, body = refused[system]
    hub.simulators[system].fail("drop_before", method="POST", sent="Nergenshuizen")
    hub.simulators[system].fail("status", method="POST", sent="Nergenshuizen", times=-1, status=status, body=body)
    source_id = hub.robaws.add_client(**client(name="Nergenshuizen"))
    hub.sync(source_id)
    assert hub.link(source_id, system)["state"] == "unknown"

    hub.robaws.change_client(source_id, name="Dakwerken De Linde")
    hub.sync(source_id)
    hub.settle_all()

    assert hub.link(source_id, system)["state"] == "synced"
    assert len(hub.simulators[system].state()["records"]) == 1


def test_a_lost_answer_in_recras_without_an_email_makes_no_second_record(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client(email=None))
    hub.recras.fail("drop_after", method="POST")

    hub.sync(source_id)
    hub.settle_all()

    assert len(hub.recras.state()["records"]) == 1


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_a_record_that_came_of_an_unanswered_create_is_not_linked_to_another_client_of_the_same_name(
    hub: Hub, system: str
) -> None:
    first = hub.robaws.add_client(**client())
    hub.simulators[system].fail("drop_after", method="POST")
    hub.sync(first)
    hub.later(2)  # Workspace is listed again
    second = hub.robaws.add_client(**client())

    hub.sync(second)

    held = hub.link(second, system)
    assert (held["state"], held["reason"], held["external_id"]) == ("review", "match_taken", None)
    hub.settle_all()
    mine = hub.link(first, system)["external_id"]
    assert mine in {str(record["id"]) for record in hub.simulators[system].state()["records"]}
    assert hub.link(first, system)["state"] == "synced"
