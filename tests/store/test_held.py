"""What is due at a system that is held back waits, and is seen in the retry queue with the reason of the system."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.stories import client
from tests.store.people import act, ask
from worker.errors import SyncError
from worker.store import listing_retries, operating, operating_bulk
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import NotFound, Unfit

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.listing_retries import Retry

FULL = '{"error": {"message": "Het maximum is bereikt.", "type": "client.quota_reached"}}'


def queue(hub: Hub, limit: int = 2, **wanted: str) -> list[Retry]:
    """All lines that a filter finds, page by page; their count and ids must say the same."""
    found, cursor, given = [], None, RetryFilter(**wanted)
    while True:
        page = ask(hub, listing_retries.page, given, Paging(limit, cursor), hub.time)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert page.total == len(found) == ask(hub, listing_retries.count, given, hub.time)
    assert ask(hub, listing_retries.ids, given, hub.time) == [line.id for line in found]
    return found


def told(lines: list[Retry]) -> set[tuple[str, str, str | None]]:
    return {(line.system, line.state, line.reason) for line in lines}


def three_clients(hub: Hub) -> list[str]:
    """Three clients of whom events came."""
    made = [hub.robaws.add_client(**client(number)) for number in (1, 2, 3)]
    for source_id in made:
        hub.event(source_id)
    return made


def test_every_fetch_waits_in_the_queue_while_robaws_blocks_us(hub: Hub) -> None:
    clients = three_clients(hub)
    hub.robaws.block()

    hub.settle()
    waiting = queue(hub)
    hub.robaws.unblock()
    act(hub, operating.resume, "robaws")
    hub.restart()
    hub.settle()

    assert [line.contact.source_id for line in waiting] == clients
    assert told(waiting) == {("robaws", "waiting", "temp_blocked")}
    assert queue(hub) == []


def test_every_link_waits_in_the_queue_while_the_credentials_are_refused(hub: Hub) -> None:
    three_clients(hub)
    hub.recras.fail("status", times=-1, status=401, body="[]")

    hub.settle()

    waiting = queue(hub)
    assert len(waiting) == 3
    assert told(waiting) == {("recras", "waiting", "credentials")}
    assert all(line.message and line.next_attempt_at for line in waiting)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_link_waits_in_the_queue_after_a_429(hub: Hub, method: str) -> None:
    three_clients(hub)
    hub.rompslomp.fail("throttle", retry_after=90, method=method)

    hub.settle()

    waiting = queue(hub)
    assert len(waiting) == 3
    assert told(waiting) == {("rompslomp", "waiting", "rate_limited")}
    assert all(line.next_attempt_at and line.next_attempt_at > hub.time + timedelta(seconds=80) for line in waiting)


def test_what_a_full_subscription_takes_no_more_waits_and_changes_do_not(hub: Hub) -> None:
    known = hub.robaws.add_client(**client(9))
    hub.sync(known)
    hub.rompslomp.fail("status", times=-1, method="POST", status=422, body=FULL)
    clients = three_clients(hub)
    hub.settle()
    hub.robaws.change_client(known, tel="+32 9 000 00 99")
    act(hub, operating.pause, "recras", reason="they move")

    hub.event(known)
    hub.settle()

    waiting = queue(hub, system="rompslomp")
    assert [line.contact.source_id for line in waiting] == clients
    assert told(waiting) == {("rompslomp", "waiting", "quota_reached")}
    assert hub.link(known, "rompslomp")["state"] == "synced"


def test_a_resume_says_how_many_it_lets_go(hub: Hub) -> None:
    act(hub, operating.pause, "recras", reason="they move")
    hub.restart()
    three_clients(hub)
    hub.settle()
    waiting = queue(hub)

    acted = act(hub, operating.resume, "recras")
    hub.restart()
    hub.settle()

    assert {(line.reason, line.message, line.next_attempt_at) for line in waiting} == {("paused", "they move", None)}
    assert acted.message == "3 that waited for it are due now"
    assert queue(hub) == []


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 3),
        ({"state": "waiting"}, 3),
        ({"state": "dead"}, 0),
        ({"system": "recras"}, 3),
        ({"system": "workspace"}, 0),
        ({"reason": "paused"}, 3),
        ({"reason": "rate_limited"}, 0),
        ({"query": "linde 2"}, 1),
        ({"query": "linde 2", "system": "recras", "reason": "paused", "state": "waiting"}, 1),
        ({"query": "nobody"}, 0),
    ],
)
def test_a_filter_finds_what_waits_behind_a_system(hub: Hub, wanted: dict[str, Any], count: int) -> None:
    act(hub, operating.pause, "recras", reason="they move")
    hub.restart()
    three_clients(hub)

    hub.settle()

    assert len(queue(hub, **wanted)) == count


def test_a_line_behind_a_system_is_shown_retried_and_discarded(hub: Hub) -> None:
    act(hub, operating.pause, "recras", reason="they move")
    hub.restart()
    clients = three_clients(hub)
    hub.settle()
    first, second, third = queue(hub)

    shown = ask(hub, listing_retries.one, first.id, hub.time)
    retried = act(hub, operating.retry, first.id)
    act(hub, operating.discard, second.id, reason="closed down")
    with hub.engine.begin() as connection:
        operating_bulk.make(
            connection,
            "discard",
            RetryFilter(query=clients[2]),
            operating.Actor("a", "admin"),
            hub.time,
            reason="too",
            approval_above=100,
        )
        operating_bulk.work(connection, hub.time)

    assert (shown.state, shown.reason, shown.requests) == ("waiting", "paused", [])
    assert retried.message == "it is due, and goes out when recras may be called again (paused)"
    assert [line.id for line in queue(hub)] == [first.id]
    assert [hub.link(one, "recras")["state"] for one in clients] == ["due", "excluded", "excluded"]
    left = ask(hub, listing_retries.one, third.id, hub.time)
    assert (left.state, left.reason, left.waits_for_system) == ("excluded", "discarded", False)
    with pytest.raises(NotFound):
        ask(hub, listing_retries.one, "link-4711", hub.time)


def test_a_fetch_behind_robaws_is_shown_retried_and_discarded(hub: Hub) -> None:
    act(hub, operating.pause, "robaws", reason="they move")
    hub.restart()
    three_clients(hub)
    hub.settle()
    first, second, _ = queue(hub)

    shown = ask(hub, listing_retries.one, first.id, hub.time)
    retried = act(hub, operating.retry, first.id)
    act(hub, operating.discard, second.id, reason="closed down")

    assert (shown.system, shown.reason) == ("robaws", "paused")
    assert retried.message.endswith("(paused)")
    assert len(queue(hub)) == 2
    assert hub.equation()["skipped"] == 1


def test_what_is_due_at_a_system_that_may_be_called_is_no_line_of_the_queue(hub: Hub) -> None:
    three_clients(hub)
    while not hub.links():
        hub.step()

    due = [state for _, _, state, _ in hub.links()]

    assert "due" in due
    assert queue(hub) == []
    with pytest.raises(SyncError):
        act(hub, operating.retry, f"link-{hub.link(hub.links()[0][0], 'recras')['id']}")


def test_a_system_that_there_is_not_is_no_filter(hub: Hub) -> None:
    with pytest.raises(Unfit, match="system is one of robaws"):
        queue(hub, system="exact")
