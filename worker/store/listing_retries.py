"""The retry queue as a query: links and fetches that wait, gave up, do not know their outcome, or need a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.store.listing import MATCHES, Page, Paging, number, plain, words
from worker.store.listing_requests import RequestView, of_fetch, of_link
from worker.store.refusals import NotFound, Unfit

STATES: Final = ("waiting", "unknown", "review", "dead")
SOURCE: Final = "robaws"

# Two reads put together, as each of the states has a partial index of its own.
_STUCK: Final = """
    (SELECT * FROM contact WHERE fetch_state = 'waiting'
        UNION ALL SELECT * FROM contact WHERE fetch_state = 'dead') AS c
"""
_FETCHES: Final = f"""
    SELECT 0 AS kind, c.id, c.source_id, c.name, 'robaws' AS system, c.fetch_state AS state, c.fetch_reason AS reason,
        c.fetch_message AS message, c.fetch_attempts AS attempts, c.fetch_since AS since,
        c.fetch_next_attempt_at AS next_attempt_at, 'fetch' AS operation, NULL::bigint AS status,
        NULL::jsonb AS fields, c.fetch_fingerprint AS fingerprint
    FROM {_STUCK} WHERE true
"""
_LINKS: Final = """
    SELECT 1 AS kind, l.id, c.source_id, c.name, l.system, l.state, l.reason, l.message, l.attempts, l.since,
        l.next_attempt_at, l.operation, l.status, l.fields, l.fingerprint
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id WHERE l.state IN ('waiting', 'unknown', 'review', 'dead')
"""


@dataclass(frozen=True)
class ContactName:
    """Which contact."""

    source_id: str
    name: str | None


@dataclass(frozen=True)
class Retry:
    """
    One line of the queue. `reason` is one stable word, `message` the vendor's own; `since` when it was first owed.

    `fields` are the vendor's messages by its field, `fingerprint` is the same for failures of the same cause.
    """

    id: str
    contact: ContactName
    system: str
    state: str
    reason: str | None
    message: str | None
    attempts: int
    since: datetime | None
    next_attempt_at: datetime | None
    operation: str | None
    status: int | None
    fields: dict[str, Any] | None
    fingerprint: str | None


@dataclass(frozen=True)
class RetryDetail(Retry):
    """One line with every request that was made for it, newest first."""

    requests: list[RequestView]


@dataclass(frozen=True)
class RetryFilter:
    """Which lines; every part that is given must hold. `query` is as in the list of contacts."""

    state: str | None = None
    system: str | None = None
    reason: str | None = None
    query: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for, which stands for everything; blanks ask for nothing."""
        return not any((given or "").strip() for given in (self.state, self.system, self.reason, self.query))

    def to_json(self) -> dict[str, str]:
        """What was given."""
        return {name: value for name, value in vars(self).items() if value}


def page(connection: Connection, wanted: RetryFilter, paging: Paging) -> Page[Retry]:
    """Fetches first, as nothing is delivered before them; then links; each in the order of their ids."""
    after = paging.after(2) or [0, 0]
    if not all(type(part) is int for part in after):
        raise Unfit("cursor is none that was given out here")
    kind, last = after
    fetches, links, values = _conditions(connection, wanted)
    parts = [f"({_LINKS} {links} AND l.id > :after_link ORDER BY l.id LIMIT :limit)"]
    if kind == 0:
        parts.insert(0, f"({_FETCHES} {fetches} AND c.id > :after_fetch ORDER BY c.id LIMIT :limit)")
    rows = connection.execute(
        text(f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS t ORDER BY kind, id LIMIT :limit"),
        {**values, "limit": paging.limit + 1, "after_fetch": last, "after_link": last if kind else 0},
    ).all()
    return paging.page([_retry(row) for row in rows], [[row.kind, row.id] for row in rows], count(connection, wanted))


def count(connection: Connection, wanted: RetryFilter) -> int:
    """How many lines, exactly."""
    fetches, links, values = _conditions(connection, wanted)
    statement = text(
        f"SELECT (SELECT count(*) FROM {_STUCK} WHERE true {fetches})"
        f" + (SELECT count(*) FROM link AS l {'JOIN contact AS c ON c.id = l.contact_id' if wanted.query else ''}"
        f" WHERE l.state IN ('waiting', 'unknown', 'review', 'dead') {links})"
    )
    return int(connection.execute(statement, values).scalar_one())


def ids(connection: Connection, wanted: RetryFilter) -> list[str]:
    """The ids of all lines, for a bulk action."""
    fetches, links, values = _conditions(connection, wanted)
    statement = text(f"SELECT kind, id FROM ({_FETCHES} {fetches} UNION ALL {_LINKS} {links}) AS t ORDER BY kind, id")
    return [public_id(row.kind, row.id) for row in connection.execute(statement, values)]


def one(connection: Connection, retry_id: str) -> RetryDetail:
    """One line with its requests; NotFound also where it does not wait any more."""
    kind, row_id = parse_id(retry_id)
    statement = f"{_LINKS} AND l.id = :id" if kind else f"{_FETCHES} AND c.id = :id"
    row = connection.execute(text(statement), {"id": row_id}).one_or_none()
    if row is None:
        raise NotFound(f"{retry_id} does not wait in the retry queue")
    requests = of_link(connection, row_id) if kind else of_fetch(connection, row_id)
    return RetryDetail(**vars(_retry(row)), requests=requests)


def parse_id(retry_id: str) -> tuple[int, int]:
    """(1, link's id) for `link-12` or `12`, (0, contact's id) for `fetch-12`; NotFound for anything else."""
    word, dash, digits = retry_id.rpartition("-")
    if word not in ("link", "fetch") and not (word == "" and not dash):
        raise NotFound(f"{retry_id[:40]!r} is not the id of a line of the retry queue")
    return (0 if word == "fetch" else 1), number(digits, "line of the retry queue")


def public_id(kind: int, row_id: int) -> str:
    """The id as people see it."""
    return f"{'link' if kind else 'fetch'}-{row_id}"


def _retry(row: Row[Any]) -> Retry:
    return Retry(
        public_id(row.kind, row.id),
        ContactName(row.source_id, row.name),
        row.system,
        row.state,
        row.reason,
        row.message,
        row.attempts,
        row.since,
        row.next_attempt_at,
        row.operation,
        row.status,
        row.fields,
        row.fingerprint,
    )


def _conditions(connection: Connection, wanted: RetryFilter) -> tuple[str, str, dict[str, Any]]:
    """The conditions on fetches and on links, and their values."""
    if wanted.state and wanted.state not in STATES:
        raise Unfit(f"state is one of {', '.join(STATES)}")
    values = {name: plain(value, name) for name, value in vars(wanted).items()}
    fetches, links = "", ""
    if values["state"]:
        fetches += " AND c.fetch_state = :state"
        links += " AND l.state = :state"
    if values["system"]:
        fetches += "" if values["system"] == SOURCE else " AND false"
        links += " AND l.system = :system"
    if values["reason"]:
        fetches += " AND c.fetch_reason = :reason"
        links += " AND l.reason = :reason"
    if values["query"]:
        fetches += f" AND {MATCHES}"
        links += f" AND {MATCHES}"
    given = {name: value for name, value in values.items() if value and name != "query"}
    return fetches, links, given | (words(connection, values["query"]) if values["query"] else {})
