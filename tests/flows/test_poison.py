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


def until_it_rests(hub: Hub, source_id: str, system: str) -> None:
    """Turn the clock on to each attempt of one link, a week long or until it gives up."""
    end = hub.time + timedelta(days=7)
    while (link := hub.link(source_id, system))["state"] != "dead" and hub.time < end:
        hub.time = max(hub.time, link["next_attempt_at"]) + timedelta(seconds=31)
        hub.settle()


@pytest.mark.parametrize("system", UPDATE)
def test_a_500_that_is_the_payloads_fault_costs_a_call_a_day_and_no_other_client(hub: Hub, system: str) -> None:
    """Nobody can tell it from an outage, and of an outage nothing may be dead: so it waits, and says for how long."""
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
    until_it_rests(hub, bad, system)
    hub.robaws.change_client(good, address={"city": "Brugge"})
    hub.sync(good)

    link = hub.link(bad, system)
    ladder = hub.settings.retry.ladder_seconds
    assert (link["state"], link["reason"]) == ("waiting", "server_error")
    assert link["attempts"] == len(hub.simulators[system].calls(UPDATE[system], where))
    assert len(ladder) + 4 <= link["attempts"] <= len(ladder) + 8
    assert other == "synced"
    hub.later(31)
    hub.settle()
    assert hub.link(good, system)["state"] == "synced"


@pytest.mark.parametrize("system", UPDATE)
def test_and_a_correction_of_that_client_goes_out_at_once(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.simulators[system].fail("status", times=-1, status=500, method=UPDATE[system])
    hub.robaws.change_client(source_id, address={"city": "Onzin"})
    hub.sync(source_id)
    for _ in range(3):
        hub.time = hub.link(source_id, system)["next_attempt_at"] + timedelta(seconds=1)
        hub.settle()
    hub.simulators[system].clear_faults()

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    assert hub.link(source_id, system)["state"] == "synced"


def crash(hub: Hub, point: str, times: int = 4) -> None:
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
    assert "ended its worker 4 times" in contact["fetch_message"]
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


def test_two_tries_are_made_apart_on_the_ladder_and_say_so(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    waits = []
    for times in (2, 1):
        crash(hub, "rompslomp.search.before_send", times)
        hub.later(121)
        hub.settle()
        link = hub.link(source_id, "rompslomp")
        waits.append((link["state"], link["reason"], link["crashes"], link["next_attempt_at"] - hub.time))
        assert "apart from the others" in link["message"]

    hub.settle_all()

    seconds = [(1 + step * 1.5) for step in hub.settings.retry.ladder_seconds[1:3]]
    assert [one[:3] for one in waits] == [("waiting", "crashed", 2), ("waiting", "crashed", 3)]
    assert [one[3].total_seconds() for one in waits] == pytest.approx(seconds, abs=2)
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert hub.link(source_id, "rompslomp")["crashes"] == 0


def test_three_random_kills_are_no_poison(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    crash(hub, "rompslomp.search.before_send", 3)

    hub.settle_all()

    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_kills_between_which_a_try_ended_otherwise_do_not_add_up(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.rompslomp.fail("status", times=-1, status=503)
    for _ in range(5):
        crash(hub, "rompslomp.search.before_send", 1)
        hub.later(121)
        hub.settle()

    crashes = hub.link(source_id, "rompslomp")["crashes"]
    hub.rompslomp.clear_faults()
    hub.settle_all()

    assert crashes <= 1
    assert hub.link(source_id, "rompslomp")["state"] == "synced"


def test_what_is_new_since_the_crashes_is_tried_with_all_its_tries(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Onzin"})
    hub.event(source_id)
    crash(hub, "rompslomp.update.before_send", 3)
    hub.later(121)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.event(source_id)

    crash(hub, "rompslomp.update.before_send", 3)
    hub.settle_all()

    assert hub.link(source_id, "rompslomp")["state"] == "synced"


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
