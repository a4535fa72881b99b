"""
A change that reached the vendor without our knowing it, and is taken back at the source before it is repeated.

Found by the simulation (seed 104): the snapshot said that nothing had changed, so the vendor kept what it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

CITY = {"rompslomp": "city", "recras": "plaats", "workspace": "location_city"}
OPERATION = {"rompslomp": "PATCH", "recras": "PUT", "workspace": "POST"}


def city(hub: Hub, system: str) -> list[str]:
    return [record[CITY[system]] for record in hub.simulators[system].state()["records"]]


@pytest.mark.parametrize("system", CITY)
def test_a_change_taken_back_after_a_crash_is_taken_back_there_too(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.event(source_id)
    hub.crash_at = lambda name: name == f"{system}.update.after_answer"
    with pytest.raises(Crash):
        hub.settle()
    hub.restart()

    hub.robaws.change_client(source_id, address={"city": "Gent"})
    hub.sync(source_id)
    hub.settle_all()

    assert city(hub, system) == ["Gent"]


@pytest.mark.parametrize("system", CITY)
@pytest.mark.parametrize("then", [None, 503])
def test_a_change_taken_back_after_a_lost_answer_is_taken_back_there_too(
    hub: Hub, system: str, then: int | None
) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.simulators[system].fail("drop_after", method=OPERATION[system])
    hub.sync(source_id)
    if then is not None:
        # The read that was to tell fails as well, and leaves another reason in the row.
        hub.simulators[system].fail("status", status=then)

    hub.robaws.change_client(source_id, address={"city": "Gent"})
    hub.sync(source_id)
    hub.settle_all()

    assert city(hub, system) == ["Gent"]
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize(("system", "member"), [("recras", "website"), ("workspace", "website")])
def test_a_value_that_came_after_an_unanswered_create_and_is_taken_back_is_taken_back_there_too(
    hub: Hub, system: str, member: str
) -> None:
    """Found by the simulation (seed 362): what the create had left out was not agreed on, so the value was theirs."""
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("drop_after", method="POST")
    hub.sync(source_id)
    hub.robaws.change_client(source_id, website="https://een.example")
    before = len(hub.simulators[system].calls(OPERATION[system]))
    hub.simulators[system].fail("drop_after", method=OPERATION[system])
    hub.sync(source_id)
    for _ in range(30):
        if len(hub.simulators[system].calls(OPERATION[system])) > before:
            break
        hub.later(5)
        hub.settle()
    [lost] = hub.simulators[system].calls(OPERATION[system])[before:]

    hub.robaws.change_client(source_id, website=None)
    hub.sync(source_id)
    hub.settle_all()

    assert lost.response.dropped
    assert [record[member] or None for record in hub.simulators[system].state()["records"]] == [None]
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize("lost", ["crash", "answer"])
def test_a_person_added_without_our_knowing_it_goes_again_when_the_source_drops_it(hub: Hub, lost: str) -> None:
    hub.robaws.switches.person_change_fires = True
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    person = hub.robaws.add_person(source_id, name="An", surname="Peeters")
    hub.event(source_id)
    if lost == "crash":
        hub.crash_at = lambda name: name == "recras.update.after_answer"
        with pytest.raises(Crash):
            hub.settle()
        hub.restart()
    else:
        hub.recras.fail("drop_after", method="PUT")
        hub.settle()

    hub.robaws.remove_person(person)
    hub.sync(source_id)
    hub.settle_all()

    names = [one["achternaam"] for one in hub.recras.state()["records"][0]["contactpersonen"]]
    assert names == ["Dakwerken De Linde"]


def test_what_a_person_changed_there_stands_when_a_change_never_left(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    record = hub.link(source_id, "rompslomp")["external_id"]
    hub.rompslomp.edit_record(record, {"phone": "09 111 11 11"})
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.rompslomp.fail("status", status=503, method="GET")
    hub.rompslomp.fail("status", status=422, method="PATCH", body="{}")

    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["restore"] is False
