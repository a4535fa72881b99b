"""A claim is a lease with a fencing token: one holder at a time, and a late one writes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text

from tests.flows.stories import client
from worker.errors import AmbiguousMatch, LeaseLost
from worker.flows import fetch as fetching
from worker.store import attempts, contacts, fetched, links
from worker.store.attempts import AttemptContext
from worker.store.fetched import Closed, Contents

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.links import LinkClaim


def due(hub: Hub, count: int = 1) -> None:
    """Clients that are owed to every system."""
    for number in range(count):
        hub.event(hub.robaws.add_client(**client(number)))
    for _ in range(count):
        fetching.take_events(hub.runtime)
        fetching.fetch(hub.runtime, hub.gate)


def claim(hub: Hub, system: str = "rompslomp") -> LinkClaim | None:
    with hub.engine.begin() as connection:
        return links.claim(connection, system, hub.time, 120)


def test_a_link_has_one_holder(hub: Hub) -> None:
    due(hub)

    first, second = claim(hub), claim(hub)

    assert first is not None
    assert second is None


def test_many_workers_at_once_share_the_links_without_overlap(hub: Hub) -> None:
    due(hub, 12)

    with ThreadPoolExecutor(4) as pool:
        claimed = [one.id for one in pool.map(lambda _: claim(hub), range(16)) if one is not None]

    assert len(claimed) == 12
    assert len(set(claimed)) == 12


def test_a_lease_that_ended_goes_to_another_worker_and_counts_as_a_crash(hub: Hub) -> None:
    due(hub)
    first = claim(hub)
    hub.later(121)

    second = claim(hub)

    assert first is not None
    assert second is not None
    assert (second.fence, second.crashes, second.attempts) == (first.fence + 1, 1, 1)


NOTHING_SENT = attempts.values([], AttemptContext())


def test_whoever_lost_the_lease_writes_nothing(hub: Hub) -> None:
    due(hub)
    first = claim(hub)
    hub.later(121)
    claim(hub)
    assert first is not None

    for write in (
        lambda connection: links.bind(connection, first, "999"),
        lambda connection: links.intend(connection, first, {"key": "k"}),
        lambda connection: links.finish(
            connection,
            first,
            state="synced",
            snapshot=None,
            parked={},
            unheld=[],
            reason=None,
            message=None,
            now=hub.time,
            logged=NOTHING_SENT,
        ),
    ):
        with pytest.raises(LeaseLost), hub.engine.begin() as connection:
            write(connection)


def test_a_fetch_that_lost_its_lease_stores_nothing(hub: Hub) -> None:
    hub.event(hub.robaws.add_client(**client()))
    fetching.take_events(hub.runtime)
    with hub.engine.begin() as connection:
        first = contacts.claim_fetch(connection, hub.time, 120)
    hub.later(121)
    with hub.engine.begin() as connection:
        contacts.claim_fetch(connection, hub.time, 120)
    assert first is not None

    with pytest.raises(LeaseLost), hub.engine.begin() as connection:
        fetched.store(
            connection,
            first,
            Contents(1, "x", {}, {}),
            hub.time,
            closed=Closed("applied", version=1),
            systems=["rompslomp"],
            logged=NOTHING_SENT,
        )

    with hub.engine.connect() as connection:
        stored = connection.execute(
            text("SELECT version, (SELECT count(*) FROM link), (SELECT sum(applied) FROM event_tally) FROM contact")
        ).one()
        states = set(connection.execute(text("SELECT state FROM inbox_event")).scalars())
    assert tuple(stored) == (0, 0, 0)
    assert states == {"taken"}


def test_two_contacts_never_share_a_record(hub: Hub) -> None:
    due(hub, 2)
    first, second = claim(hub), claim(hub)
    assert first is not None
    assert second is not None
    with hub.engine.begin() as connection:
        links.bind(connection, first, "4711")

    with pytest.raises(AmbiguousMatch), hub.engine.begin() as connection:
        links.bind(connection, second, "4711")


def test_a_change_during_a_delivery_makes_the_link_due_again(hub: Hub) -> None:
    due(hub)
    held = claim(hub)
    assert held is not None
    hub.robaws.change_client(held.source_id, name="Fietsen Peeters en Zoon")
    hub.event(held.source_id)
    hub.later(1)
    fetching.take_events(hub.runtime)
    changed = fetching.fetch(hub.runtime, hub.gate)
    with hub.engine.begin() as connection:
        again = links.finish(
            connection,
            held,
            state="synced",
            snapshot=None,
            parked={},
            unheld=[],
            reason=None,
            message=None,
            now=hub.time,
            logged=NOTHING_SENT,
        )

    assert changed.result == "changed"
    assert [state for _, system, state, _ in hub.links() if system == "rompslomp"] == ["due"]
    assert again


def test_a_hint_during_a_fetch_causes_one_more_fetch_and_no_more(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    with hub.engine.begin() as connection:
        held = contacts.claim_fetch(connection, hub.time, 120)
    for _ in range(5):
        hub.event(source_id)
    fetching.take_events(hub.runtime)
    hub.later(121)

    hub.settle()

    assert held is not None
    assert len(hub.robaws.calls("GET")) == 1
    assert hub.equation()["open"] == 0


def test_links_of_a_full_subscription_are_left_out_of_the_claim(hub: Hub) -> None:
    due(hub)

    with hub.engine.begin() as connection:
        found = links.claim(connection, "rompslomp", hub.time, 120, creates=False)

    assert found is None


def test_a_row_is_due_only_when_its_time_has_come(hub: Hub) -> None:
    due(hub)

    with hub.engine.begin() as connection:
        early = links.claim(connection, "rompslomp", hub.time - timedelta(seconds=1), 120)

    assert early is None


def test_the_statement_that_stores_a_fetch_is_short_enough_for_the_driver_to_keep_it_parsed(hub: Hub) -> None:
    seen: list[tuple[str, int]] = []

    @event.listens_for(hub.application, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "WITH finished AS" in statement:
            seen.append((statement, len(parameters)))

    due(hub)

    ((statement, parameters),) = seen
    assert len(statement) <= 4_096, "psycopg parses a longer one anew each time (psycopg/_queries.py)"
    assert parameters <= 50
