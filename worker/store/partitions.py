"""
The months of `inbox_event` and `attempt`: made well before they begin, dropped whole when they are old enough.

Each is made or dropped in a transaction of its own that waits for its locks only briefly, since whoever queues behind a
long query is queued behind in turn; what could not be had is tried again a minute later. A month is built apart and
then attached, which takes no lock that a receiver's insert waits for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import Connection, text

PARTITIONED: Final[Mapping[str, str]] = {"inbox_event": "received_at", "attempt": "at"}
"""The tables, with the column whose month decides."""
MONTHS_AHEAD: Final = 3
LOCK_MILLISECONDS: Final = 300
MOST_MOVED: Final = 5_000
"""So many rows are moved out of the default partition while those that add to it wait."""
MOST_PRUNED: Final = 20_000

_NAME: Final = re.compile(r"(inbox_event|attempt)_y(\d{4})m(\d{2})")


@dataclass(frozen=True)
class Month:
    """One month of one table."""

    table: str
    year: int
    month: int

    @property
    def name(self) -> str:
        """The partition's name."""
        return f"{self.table}_y{self.year:04d}m{self.month:02d}"

    @property
    def start(self) -> datetime:
        """Its first moment, UTC."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment of the next month."""
        return self.next.start

    @property
    def next(self) -> Month:
        """The month after it."""
        year, month = (self.year + 1, 1) if self.month == 12 else (self.year, self.month + 1)
        return Month(self.table, year, month)


def wait_briefly(connection: Connection) -> None:
    """This transaction gives up on a lock that it does not get soon."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'"))


def names(connection: Connection, table: str) -> list[str]:
    """The table's partitions, without the default one."""
    statement = text(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = to_regclass(:table) ORDER BY c.relname"
    )
    return [name for name in connection.execute(statement, {"table": table}).scalars() if _NAME.fullmatch(name)]


def missing(connection: Connection, now: datetime) -> list[Month]:
    """This month and the coming ones, as far as they have no partition."""
    found = []
    for table in PARTITIONED:
        there = set(names(connection, table))
        month = Month(table, now.year, now.month)
        for _ in range(MONTHS_AHEAD + 1):
            if month.name not in there:
                found.append(month)
            month = month.next
    return found


def expired(connection: Connection, now: datetime, days: Mapping[str, int]) -> list[Month]:
    """The months that ended longer ago than their table's days, the oldest first."""
    found = []
    for table, kept in days.items():
        for name in names(connection, table):
            parts = _NAME.fullmatch(name)
            assert parts is not None  # noqa: S101 - `names` gives no others
            month = Month(table, int(parts[2]), int(parts[3]))
            if month.end <= now - timedelta(days=kept):
                found.append(month)
    return found


def make(connection: Connection, month: Month) -> bool:
    """
    Make a month's partition, with those of its rows that lie in the default one; in the caller's transaction. Nothing
    is done where somebody else has made it meanwhile.

    False where they are too many to be moved while others wait: they stay where they are, and lose nothing by it.
    """
    table, default, column = month.table, f"{month.table}_default", PARTITIONED[month.table]
    span = {"start": month.start, "end": month.end}
    within = f"{column} >= :start AND {column} < :end"
    connection.execute(text(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE"))
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": month.name}).scalar() is not None:
        return True
    found = connection.execute(
        text(f"SELECT count(*) FROM (SELECT FROM {default} WHERE {within} LIMIT {MOST_MOVED + 1}) AS found"), span
    ).scalar_one()
    if found > MOST_MOVED:
        return False
    connection.execute(text(f"CREATE TABLE {month.name} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)"))
    if found:
        connection.execute(
            text(
                f"WITH moved AS (DELETE FROM {default} WHERE {within} RETURNING *) "
                f"INSERT INTO {month.name} SELECT * FROM moved"
            ),
            span,
        )
    connection.execute(
        text(
            f"ALTER TABLE {table} ATTACH PARTITION {month.name} "
            f"FOR VALUES FROM ('{month.start.isoformat()}') TO ('{month.end.isoformat()}')"
        )
    )
    _remember(connection)
    return True


def ensure(connection: Connection, now: datetime) -> list[str]:
    """Make what is missing, all in the caller's transaction; returns the names made. For a start, not for traffic."""
    return [month.name for month in missing(connection, now) if make(connection, month)]


def holds_open_events(connection: Connection, month: Month) -> bool:
    """Whether an event of that month is still to be worked off."""
    if month.table != "inbox_event":
        return False
    statement = text(f"SELECT EXISTS (SELECT FROM {month.name} WHERE state IN ('new', 'taken'))")
    return bool(connection.execute(statement).scalar_one())


def drop(connection: Connection, month: Month) -> int:
    """
    Drop a month with all its rows; returns how many of its events were dead or open.

    Those count as skipped from then on, in the same transaction, so that the equation of events goes on to hold.
    """
    connection.execute(text(f"LOCK TABLE ONLY {month.table} IN ACCESS EXCLUSIVE MODE"))
    ended = 0
    if month.table == "inbox_event":
        ended = connection.execute(
            text(f"SELECT count(*) FROM {month.name} WHERE state IN ('new', 'taken', 'dead')")
        ).scalar_one()
        _skip(connection, ended)
    connection.execute(text(f"DROP TABLE {month.name}"))
    _remember(connection)
    return int(ended)


def prune_default(connection: Connection, table: str, before: datetime) -> int:
    """Delete some of the rows of the default partition that are older than that; returns how many."""
    column = PARTITIONED[table]
    kept = "AND state NOT IN ('new', 'taken')" if table == "inbox_event" else ""
    given = "state" if table == "inbox_event" else "NULL AS state"
    rows = connection.execute(
        text(
            f"DELETE FROM {table}_default WHERE (id, {column}) IN (SELECT id, {column} FROM {table}_default "
            f"WHERE {column} < :before {kept} ORDER BY id LIMIT {MOST_PRUNED} FOR UPDATE SKIP LOCKED) RETURNING {given}"
        ),
        {"before": before},
    ).scalars()
    states = list(rows)
    _skip(connection, states.count("dead"))
    return len(states)


_DIFFERENCE: Final = text(
    """
    SELECT (SELECT COALESCE(sum(received - applied - skipped), 0) FROM event_tally)
        - (SELECT count(*) FROM inbox_event WHERE state = 'new')
        - (SELECT count(*) FROM inbox_event WHERE state = 'taken')
        - (SELECT count(*) FROM inbox_event WHERE state = 'dead')
    """
)


def notice_dropped_by_hand(connection: Connection) -> tuple[list[str], int]:
    """
    The months of events that somebody else dropped since the last look, and how many dead or open events went with
    them: these count as skipped from then on.
    """
    known = connection.execute(
        text("SELECT cursor FROM checkpoint WHERE system = '' AND name = 'partitions' FOR UPDATE")
    ).scalar()
    gone = sorted(set((known or {}).get("inbox_event", ())) - set(names(connection, "inbox_event")))
    ended = 0
    if gone:
        ended = max(0, int(connection.execute(_DIFFERENCE).scalar_one()))
        _skip(connection, ended)
    if gone or known is None:
        _remember(connection)
    return gone, ended


def _skip(connection: Connection, events: int) -> None:
    if events:
        connection.execute(text("INSERT INTO event_tally (skipped) VALUES (:events)"), {"events": events})


def _remember(connection: Connection) -> None:
    """Write down which months there are, so that one that somebody drops by hand is missed."""
    if connection.execute(text("SELECT to_regclass('checkpoint')")).scalar() is None:
        return
    known = orjson.dumps({table: names(connection, table) for table in PARTITIONED}).decode()
    connection.execute(
        text(
            "INSERT INTO checkpoint (system, name, cursor) VALUES ('', 'partitions', CAST(:known AS jsonb)) "
            "ON CONFLICT (system, name) DO UPDATE SET cursor = excluded.cursor"
        ),
        {"known": known},
    )
