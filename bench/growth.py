"""
Growth: what the hot queries cost as contacts, links, attempts and events pile up, with the same work open throughout.

Five links and ten attempts a contact. The functions are the product's own, on a connection of its own settings; what
they change is rolled back. Each figure is the median of many, after a few to warm up; the ratio is largest to smallest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from bench import crowd
from bench.processes import folder, servers
from bench.report import Figure, Section, median
from bench.settings import Effort
from worker.config import Settings
from worker.store import contacts, links, listing_contacts, listing_retries, migrations, summary
from worker.store.engine import make_engine
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

REPEATS: Final = 100
_ROWS: Final = """
    SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM link), (SELECT count(*) FROM attempt),
        pg_database_size(current_database())
"""


def run(effort: Effort) -> Section:
    """A database for each size, and each query on them in turn, so that the machine's moods meet all of them alike."""
    section = Section("growth")
    with folder() as home, servers(home) as running, ExitStack() as stack:
        engines = {size: _grown(section, running.database_admin_url, size) for size in effort.growth}
        for engine in engines.values():
            stack.callback(engine.dispose)
        with psycopg.connect(running.database_admin_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        found = {name: _medians(engines, query) for name, query in _queries().items()}
    _figures(section, found, effort.growth)
    return section


def _grown(section: Section, url: str, size: int) -> Engine:
    begun, name = time.monotonic(), f"growth_{size}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    grown = url.replace("/contactsync?", f"/{name}?", 1)
    engine = make_engine(grown, pool_size=1)
    migrations.upgrade(engine)
    with psycopg.connect(grown) as connection:
        for first in range(1, size + 1, 100_000):
            crowd.grow(connection, first, min(size, first + 99_999))
        rows = connection.execute(_ROWS).fetchone() or (0, 0, 0, 0)
    took, (contacts_there, links_there, attempts_there, size_bytes) = time.monotonic() - begun, rows
    note = f"{contacts_there:,} contacts, {links_there:,} links, {attempts_there:,} attempts; made in {took:.0f} s"
    section.add(Figure(f"database, {size:,} contacts", round(size_bytes / 1e9, 2), "GB", note=note))
    return engine


def _queries() -> Mapping[str, Callable[[Connection], Any]]:
    now = datetime.now(UTC)

    def sweep(connection: Connection) -> None:
        contacts.due_fetches(connection, now, 16)
        for name in crowd.SYSTEMS[:3]:
            links.due_links(connection, name, now, 16)

    return {
        "due sweep": sweep,
        "claim": lambda c: links.claim(c, "recras", now, 60),
        "summary": lambda c: summary.read(c, Settings(), now),
        "one contact": lambda c: listing_contacts.one(c, "100500"),
        "first page of the queue": lambda c: listing_retries.page(c, RetryFilter(), Paging()),
    }


def _medians(engines: Mapping[int, Engine], query: Callable[[Connection], Any]) -> dict[int, float]:
    took: dict[int, list[float]] = {size: [] for size in engines}
    for number in range(REPEATS + 10):
        for size, engine in engines.items():
            with engine.connect() as connection:
                begun = time.perf_counter()
                query(connection)
                if number >= 10:
                    took[size].append(1000 * (time.perf_counter() - begun))
                connection.rollback()
    return {size: median(values) for size, values in took.items()}


def _figures(section: Section, found: Mapping[str, Mapping[int, float]], sizes: tuple[int, ...]) -> None:
    for name, by_size in found.items():
        for size in sizes:
            section.add(Figure(f"{name}, {size:,} contacts", round(by_size[size], 3), "ms"))
    for name, by_size in found.items():
        ratio = by_size[sizes[-1]] / by_size[sizes[0]]
        section.add(Figure(f"{name}, {sizes[-1]:,} against {sizes[0]:,}", round(ratio, 2), "x", 1.5, "lower"))
