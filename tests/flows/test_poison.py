"""What cannot go well however often it is tried: it is tried so often and no more, says why, and costs nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

UPDATE = {"rompslomp": "PATCH", "recras": "PUT", "workspace": "POST"}


def until_dead(hub: Hub, source_id: str, system: str) -> None:
    """Turn the clock on to each attempt of one link, a week at most, until it gives up."""
    end = hub.time + timedelta(days=7)
    while (link := hub.link(source_id, system))["state"] != "dead" and hub.time < end:
        hub.time = max(hub.time, link["next_attempt_at"]) + timedelta(seconds=31)
        hub.settle()


@pytest.mark.parametrize("system", UPDATE)
def test_a_500_that_is_the_payloads_fault_is_tried_along_the_ladder_and_then_dead(hub: Hub, system: str) -> None:
    bad, good = (hub.robaws.add_client(**client(number)) for number in (1, 2))
    hub.sync(bad)
    hub.sync(good)
    where = rf"/{hub.link(bad, system)['external_id']}(/|$|[.])"
    hub.simulators[system].fail("status", times=-1, status=500, method=UPDATE[system], path=where)
    hub.forget_calls()

    for source_id in (bad, good):
        hub.robaws.change_client(source_id, address={"city": "Aalst"})
        hub.event(source_id)
    hub.settle()
    other = hub.link(good, system)["state"]
    until_dead(hub, bad, system)
    hub.robaws.change_client(good, address={"city": "Brugge"})
    hub.sync(good)

    link = hub.link(bad, system)
    assert (link["state"], link["reason"]) == ("dead", "server_error")
    assert len(hub.simulators[system].calls(UPDATE[system], where)) == len(hub.settings.retry.ladder_seconds) + 1
    assert other == "synced"
    hub.later(31)
    hub.settle()
    assert hub.link(good, system)["state"] == "synced"


def crash(hub: Hub, point: str, times: int = 3) -> None:
    """The worker ends at this point, so many times; each time another one goes on when it may."""
    for _ in range(times):
        hub.crash_at = lambda name: name == point
        with pytest.raises(Crash):
            hub.settle_all()
        hub.restart()


def test_a_client_whose_fetch_ends_its_worker_again_and_again_is_dead_and_says_so(hub: Hub) -> None:
    bad, good = (hub.robaws.add_client(**client(number)) for number in (1, 2))
    hub.event(bad)
    crash(hub, "robaws.read.before_send")

    hub.event(good)
    hub.settle_all()

    contact = hub.contact(bad)
    assert (contact["fetch_state"], contact["fetch_reason"]) == ("dead", "crashed")
    assert "ended its worker 3 times" in contact["fetch_message"]
    assert hub.equation() == {"received": 2, "applied": 1, "skipped": 0, "open": 0, "dead": 1}
    assert {hub.link(good, system)["state"] for system in UPDATE} == {"synced"}


def test_the_next_event_of_such_a_client_gives_it_all_its_tries_again(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    crash(hub, "robaws.read.before_send")
    hub.settle_all()

    hub.sync(source_id)

    assert hub.contact(source_id)["fetch_crashes"] == 0
    assert hub.equation() == {"received": 2, "applied": 2, "skipped": 0, "open": 0, "dead": 0}


def test_the_last_try_is_made_apart_and_says_so(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    crash(hub, "rompslomp.search.before_send", 2)

    hub.later(121)
    hub.settle()
    waits = hub.link(source_id, "rompslomp")
    hub.settle_all()

    assert (waits["state"], waits["reason"], waits["crashes"]) == ("waiting", "crashed", 2)
    assert "apart from the others" in waits["message"]
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert hub.link(source_id, "rompslomp")["crashes"] == 0


def test_a_create_that_was_sent_stays_an_unknown_outcome_through_crashes(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    crash(hub, "workspace.create.after_answer", 1)
    crash(hub, "workspace.list.before_send", 1)

    hub.later(121)
    hub.settle()
    waits = hub.link(source_id, "workspace")
    hub.settle_all()

    assert (waits["state"], waits["reason"], waits["intent"] is not None) == ("unknown", "crashed", True)
    assert hub.link(source_id, "workspace")["state"] == "synced"
    assert len(hub.workspace.state()["records"]) == 1
