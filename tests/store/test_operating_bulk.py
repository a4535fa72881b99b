"""Bulk actions: counted, worked off in slices, taken up again after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.store.people import OPERATOR, ask
from worker.store import listing_retries, operating_bulk
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import Conflict, NotFound, Unfit

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.operating_bulk import Bulk

DEAD = RetryFilter(state="dead")


def dead_links(hub: Hub, count: int, system: str = "recras") -> None:
    """So many clients whose link to a system gave up."""
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "WITH made AS (INSERT INTO contact (source, source_id, name, version) "
                "SELECT 'robaws', :s || g, 'Client ' || g, 1 FROM generate_series(1, :n) AS g RETURNING id) "
                "INSERT INTO link (contact_id, system, state, wanted_version, reason, since) "
                "SELECT id, :s, 'dead', 1, 'rejected', :now FROM made"
            ),
            {"n": count, "s": system, "now": hub.time},
        )


def make(
    hub: Hub, wanted: RetryFilter, action: str = "retry", reason: str | None = "why", expect: int | None = None
) -> Bulk:
    with hub.engine.begin() as connection:
        return operating_bulk.make(
            connection, action, wanted, OPERATOR, hub.time, reason=reason, approval_above=100_000, expect=expect
        )


def work(hub: Hub) -> bool:
    with hub.engine.begin() as connection:
        return operating_bulk.work(connection, hub.time) is not None


def states(hub: Hub) -> dict[str, int]:
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT state, count(*) AS n FROM link GROUP BY state"))
        return {row.state: row.n for row in rows}


def test_every_item_gets_its_result(hub: Hub) -> None:
    dead_links(hub, 3)

    made = make(hub, DEAD, expect=3)
    while work(hub):
        pass
    done = ask(hub, operating_bulk.one, made.id)

    assert (made.state, made.total, made.done, made.results) == ("pending", 3, 0, [])
    assert (done.state, done.total, done.done, done.finished_at) == ("done", 3, 3, hub.time)
    assert {result.outcome for result in done.results} == {"retried"}
    assert [result.id for result in done.results] == sorted(result.id for result in done.results)
    assert states(hub) == {"due": 3}


def test_what_does_not_wait_any_more_is_skipped_and_says_so(hub: Hub) -> None:
    dead_links(hub, 3)
    made = make(hub, DEAD, action="discard", reason="a test run")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'synced' WHERE id = (SELECT min(id) FROM link)"))

    while work(hub):
        pass

    outcomes = [(result.outcome, result.message) for result in ask(hub, operating_bulk.one, made.id).results]
    assert [outcome for outcome, _ in outcomes] == ["skipped", "discarded", "discarded"]
    assert "it is synced" in outcomes[0][1]
    assert states(hub) == {"synced": 1, "excluded": 2}


def test_a_large_one_goes_on_where_a_worker_that_was_killed_left_it(hub: Hub) -> None:
    dead_links(hub, operating_bulk.SLICE * 2 + 5)
    made = make(hub, DEAD)

    work(hub)
    with hub.engine.connect() as connection:
        operating_bulk.work(connection, hub.time)
        connection.rollback()  # this one was killed before its commit
    between = ask(hub, operating_bulk.one, made.id)
    while work(hub):
        pass

    done = ask(hub, operating_bulk.one, made.id)
    assert (between.state, between.done) == ("running", operating_bulk.SLICE)
    assert (done.state, done.done) == ("done", operating_bulk.SLICE * 2 + 5)
    assert len({result.id for result in done.results}) == operating_bulk.SLICE * 2 + 5
    assert states(hub) == {"due": operating_bulk.SLICE * 2 + 5}


def test_two_workers_never_hold_the_same_one(hub: Hub) -> None:
    dead_links(hub, 3)
    make(hub, DEAD)

    with hub.engine.begin() as first, hub.engine.begin() as second:
        mine = operating_bulk.work(first, hub.time)
        theirs = operating_bulk.work(second, hub.time)

    assert mine is not None
    assert theirs is None


def test_an_empty_filter_is_refused(hub: Hub) -> None:
    dead_links(hub, 1)

    with pytest.raises(Unfit, match="empty"):
        make(hub, RetryFilter())

    assert not ask(hub, operating_bulk.pending)


def test_another_count_than_the_person_saw_is_a_conflict(hub: Hub) -> None:
    dead_links(hub, 3)

    with pytest.raises(Conflict, match="3 by now, not 2"):
        make(hub, DEAD, expect=2)

    assert not ask(hub, operating_bulk.pending)


def test_a_discard_of_many_wants_a_reason_as_well(hub: Hub) -> None:
    dead_links(hub, 1)

    with pytest.raises(Unfit, match="reason"):
        make(hub, DEAD, action="discard", reason=None)
    with pytest.raises(Unfit, match="action"):
        make(hub, DEAD, action="delete")


def test_only_what_the_filter_finds_is_touched(hub: Hub) -> None:
    dead_links(hub, 2, "recras")
    dead_links(hub, 3, "workspace")

    make(hub, RetryFilter(system="workspace"), expect=3)
    while work(hub):
        pass

    lines = ask(hub, listing_retries.page, RetryFilter(), Paging()).items
    assert {line.system for line in lines} == {"recras"}


def test_a_bulk_action_that_there_is_not_is_not_found(hub: Hub) -> None:
    for bulk_id in ("4711", "x", ""):
        with pytest.raises(NotFound):
            ask(hub, operating_bulk.one, bulk_id)
