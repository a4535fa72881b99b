"""
The plans of every hot query on a database of years: none reads a large table through, none sorts one.

The usual run has 40,000 contacts with 200,000 links and 400,000 attempts, which is enough for the planner to tell the
difference. CONTACTSYNC_TEST_PLANS_CONTACTS=1000000 makes it the size that the project promises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text

from bench import crowd
from tests.fixtures.servers import fresh_database
from worker.config import Settings
from worker.errors import LeaseLost
from worker.store import (
    attempts,
    contacts,
    fetched,
    inbox,
    links,
    listing_contacts,
    listing_events,
    listing_groups,
    listing_retries,
    migrations,
    summary,
    systems,
)
from worker.store.attempts import AttemptContext
from worker.store.contacts import FetchClaim
from worker.store.engine import make_engine
from worker.store.fetched import Closed, Contents
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter

CONTACTS = int(os.environ.get("CONTACTSYNC_TEST_PLANS_CONTACTS", "40000"))
LARGE = 10_000
NOW = datetime.now(UTC)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600 if CONTACTS > 100_000 else 300)]


@pytest.fixture(scope="module")
def engine(postgres_url: str) -> Iterator[Engine]:
    """A database with years in it."""
    with fresh_database(postgres_url) as url:
        engine = make_engine(url, pool_size=2)
        migrations.upgrade(engine)
        with psycopg.connect(url) as connection:
            crowd.grow(connection, 1, CONTACTS)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def large(engine: Engine) -> dict[str, float]:
    """The tables, with all their partitions, and the indexes, that hold more than a few rows."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT relname, reltuples FROM pg_class WHERE relkind IN ('r', 'i') AND reltuples > :large"),
            {"large": LARGE},
        )
        return {row.relname: row.reltuples for row in rows}


@contextmanager
def plans(engine: Engine) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The plan of each statement that runs meanwhile."""
    found: list[tuple[str, dict[str, Any]]] = []

    def explain(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")):
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            row = raw.fetchone()
            assert row is not None
            found.append((statement, row[0][0]["Plan"]))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan and all that is below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def bounded(plan: dict[str, Any], *, limited: bool = False) -> Iterator[int]:
    """
    The scans that end after so many rows whatever the table holds: straight under a limit, and filtering nothing.

    A count up to a cap reads that way; in what order, and so by which scan, is the same to it.
    """
    if limited and "Filter" not in plan and plan["Node Type"].endswith("Scan"):
        yield id(plan)
    passes = plan["Node Type"] == "Limit" or (limited and plan["Node Type"] == "Append")
    for child in plan.get("Plans", ()):
        yield from bounded(child, limited=passes)


def faults(plan: dict[str, Any], large: dict[str, float]) -> list[str]:
    """What a plan does that costs more as the history grows."""
    found: list[str] = []
    ends = set(bounded(plan))
    for node in nodes(plan):
        kind = node["Node Type"]
        if kind == "Seq Scan" and node["Relation Name"] in large and id(node) not in ends:
            found.append(f"reads {node['Relation Name']} through")
        if kind in ("Sort", "Incremental Sort") and node["Plans"][0]["Plan Rows"] > LARGE:
            found.append(f"sorts {node['Plans'][0]['Plan Rows']} rows by {node.get('Sort Key')}")
        if kind.startswith("Index") and "Index Cond" not in node and node.get("Filter") and node["Index Name"] in large:
            found.append(f"goes through all of {node['Index Name']} and filters")
    return found


def detail(connection: Connection) -> None:
    listing_contacts.one(connection, "100500")


def everything(connection: Connection, wanted: RetryFilter, pages: int) -> None:
    """The first pages of the queue."""
    cursor = None
    for _ in range(pages):
        cursor = listing_retries.page(connection, wanted, Paging(limit=20, cursor=cursor)).next
        assert cursor is not None


def behind_systems(connection: Connection) -> None:
    """Every system is held back, one of them for creates only."""
    systems.ensure(connection, crowd.SYSTEMS)
    for name in crowd.SYSTEMS[1:]:
        systems.pause(connection, name, "nobody", "they move", NOW)
    systems.pause_creates(connection, crowd.SYSTEMS[0], NOW + timedelta(hours=1), "full", NOW)
    listing_retries.page(connection, RetryFilter(), Paging())
    listing_groups.page(connection, RetryFilter(), Paging())
    listing_retries.page(connection, RetryFilter(system="recras", query="klant 4711"), Paging())


def stored(connection: Connection) -> None:
    """A lease that is lost finds the same plan, and nobody holds this contact."""
    claim = FetchClaim(
        500, "robaws", "500", 3, "x", {}, 9, 0, 0, 0, 1, 0, False, None, NOW, 8, None, None, True, False, False, NOW
    )
    with pytest.raises(LeaseLost):
        fetched.store(
            connection,
            claim,
            Contents(4, "y", {}, {}),
            NOW,
            closed=Closed("applied", version=4),
            systems=crowd.SYSTEMS[:3],
            logged=attempts.values([], AttemptContext()),
        )


QUERIES: dict[str, Callable[[Connection], Any]] = {
    "the sweep: new events": inbox.has_new,
    "the sweep: due fetches": lambda c: contacts.due_fetches(c, NOW, 16),
    "the sweep: due links": lambda c: [links.due_links(c, name, NOW, 16) for name in crowd.SYSTEMS[:3]],
    "the intake": lambda c: inbox.intake(c, NOW),
    "a fetch is claimed": lambda c: contacts.claim_fetch(c, NOW, 60),
    "a link is claimed": lambda c: links.claim(c, "recras", NOW, 60),
    "a link is claimed where creates pause": lambda c: links.claim(c, "recras", NOW, 60, creates=False),
    "one link is claimed": lambda c: links.claim(c, "recras", NOW, 60, link_id=7),
    "a fetch is stored, and its version wanted everywhere": stored,
    "events are closed": lambda c: inbox.close(c, 500, 9, state="applied", reason=None, version=4, now=NOW),
    "the tally of events is folded": inbox.fold_tally,
    "the tally of rows is folded": summary.fold_rows,
    "the summary": lambda c: summary.read(c, Settings(), NOW),
    "one contact": detail,
    "contacts, first page": lambda c: listing_contacts.page(c, Paging()),
    "contacts, by a word": lambda c: listing_contacts.page(c, Paging(), query="klant 4711"),
    "contacts, by an e-mail": lambda c: listing_contacts.page(c, Paging(), query="info4711@example.be"),
    "contacts, by a number": lambda c: listing_contacts.page(c, Paging(), query="+32 9 200 47 11"),
    "contacts, by a record's id": lambda c: listing_contacts.page(c, Paging(), query="1004711"),
    "contacts, by a word, for a viewer": lambda c: listing_contacts.page(
        c, Paging(), query="klant 4711", names_of_persons=False
    ),
    "contacts, by a state": lambda c: listing_contacts.page(c, Paging(), state="dead"),
    "the queue, first page": lambda c: listing_retries.page(c, RetryFilter(), Paging()),
    "the queue, one system's dead": lambda c: listing_retries.page(
        c, RetryFilter(system="recras", state="dead"), Paging()
    ),
    "the queue, a later page": lambda c: everything(c, RetryFilter(), pages=3),
    "the queue, by a word": lambda c: listing_retries.page(c, RetryFilter(query="klant 4711"), Paging()),
    "the queue, by cause": lambda c: listing_groups.page(c, RetryFilter(), Paging()),
    "the queue, one cause": lambda c: listing_retries.page(c, RetryFilter(fingerprint="0123456789abcdef"), Paging()),
    "the queue, how many": lambda c: listing_retries.count(c, RetryFilter()),
    "the queue, with what waits behind systems": behind_systems,
    "events, first page": lambda c: listing_events.page(c, Paging()),
    "events, those open": lambda c: listing_events.page(c, Paging(), state="open"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_hot_query_neither_reads_a_large_table_through_nor_sorts_one(
    engine: Engine, large: dict[str, float], name: str
) -> None:
    with plans(engine) as seen, engine.connect() as connection:
        QUERIES[name](connection)
        connection.rollback()

    wrong = [f"{fault}: {' '.join(said.split())[:300]}" for said, plan in seen for fault in faults(plan, large)]

    assert seen
    assert wrong == []


def test_the_check_itself_sees_a_table_read_through_a_sort_and_an_index_that_only_orders(
    engine: Engine, large: dict[str, float]
) -> None:
    with plans(engine) as seen, engine.connect() as connection:
        connection.execute(text("SELECT id FROM link WHERE message = 'nowhere to be found'"))
        connection.execute(text("SELECT id FROM link ORDER BY message"))
        connection.execute(text("SELECT id FROM link WHERE message = 'nowhere' ORDER BY id LIMIT 1"))

    assert faults(seen[0][1], large) == ["reads link through"]
    assert any(fault.startswith("sorts") for fault in faults(seen[1][1], large))
    assert faults(seen[2][1], large)
