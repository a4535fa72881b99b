"""
The retry queue as a query: links and fetches that wait, gave up, do not know their outcome, or need a person.

What is due at a system that is held back waits as well, though its rows do not say so (`worker.store.held`): such a
line has the state `waiting`, and the reason for which the system is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.config import SYSTEM_NAMES
from worker.core.masks import ClientName, Document, Id, Word
from worker.store import reviews
from worker.store.clock import database_time
from worker.store.held import Held, held
from worker.store.listing import Page, Paging, matches, number, plain, words
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
    SELECT 0 AS kind, c.id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, 'robaws' AS system,
        c.fetch_state AS state, c.fetch_reason AS reason, c.fetch_message AS message, c.fetch_attempts AS attempts,
        c.fetch_since AS since, c.fetch_next_attempt_at AS next_attempt_at, 'fetch' AS operation,
        NULL::bigint AS status, NULL::jsonb AS fields, c.fetch_fingerprint AS fingerprint
    FROM {_STUCK} WHERE true
"""
_LINKS: Final = """
    SELECT 1 AS kind, l.id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, l.system, l.state, l.reason,
        l.message, l.attempts, l.since, l.next_attempt_at, l.operation, l.status, l.fields, l.fingerprint
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id WHERE l.state IN ('waiting', 'unknown', 'review', 'dead')
"""

# Found first and ordered then (OFFSET 0 keeps the two apart), so that the cost follows what is due there.
_HELD_FETCHES: Final = """
    SELECT 0 AS kind, c.id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, 'robaws' AS system,
        'waiting' AS state, CAST(:held_reason_{place} AS text) AS reason,
        CAST(:held_message_{place} AS text) AS message, c.fetch_attempts AS attempts, c.fetch_since AS since,
        CAST(:held_until_{place} AS timestamptz) AS next_attempt_at, 'fetch' AS operation, NULL::bigint AS status,
        NULL::jsonb AS fields, NULL AS fingerprint
    FROM (SELECT id FROM ({found} OFFSET 0) AS f {some}) AS due JOIN contact AS c USING (id)
"""
_HELD_LINKS: Final = """
    SELECT 1 AS kind, l.id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, l.system,
        'waiting' AS state, CAST(:held_reason_{place} AS text) AS reason,
        CAST(:held_message_{place} AS text) AS message, l.attempts, l.since,
        CAST(:held_until_{place} AS timestamptz) AS next_attempt_at, l.operation, l.status, l.fields,
        NULL AS fingerprint
    FROM (SELECT id FROM ({found} OFFSET 0) AS f {some}) AS due JOIN link AS l USING (id)
    JOIN contact AS c ON c.id = l.contact_id
"""
_SOME: Final = "ORDER BY id LIMIT :limit"
_SOME_LINKS: Final = "ORDER BY l.id LIMIT :limit"


@dataclass(frozen=True)
class ContactName:
    """Which contact. `kind` is `organisation` or `person`, None where it was never fetched."""

    source_id: Id
    name: ClientName | None
    kind: Word | None


@dataclass(frozen=True)
class Retry:
    """
    One line of the queue. `reason` is one stable word, `message` the vendor's own; `since` when it was first owed.

    `fields` are the vendor's messages by its field, `fingerprint` is the same for failures of the same cause.
    """

    id: Id
    contact: ContactName
    system: Word
    state: Word
    reason: Word | None
    message: str | None
    attempts: int
    since: datetime | None
    next_attempt_at: datetime | None
    operation: Word | None
    status: int | None
    fields: Document | None
    fingerprint: Id | None


@dataclass(frozen=True)
class RetryDetail(Retry):
    """One line with every request that was made for it, newest first, and the questions that are open about it."""

    requests: list[RequestView]
    reviews: list[Id]


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


@dataclass(frozen=True)
class _Asked:
    """Conditions on fetches and on links with their values, and on what is due at each system that is held."""

    fetches: str
    links: str
    values: dict[str, Any]
    held_fetches: dict[int, str]
    held_links: dict[int, str]

    def found(self, *, fetches: str = "", links: str = "", some: str = "") -> list[str]:
        """What waits behind systems, as parts of a union; more conditions, and how many of each."""
        parts = [(_HELD_FETCHES, place, f"{sql} {fetches}") for place, sql in self.held_fetches.items()]
        parts += [(_HELD_LINKS, place, f"{sql} {links}") for place, sql in self.held_links.items()]
        return [part.format(place=place, found=sql, some=some) for part, place, sql in parts]


def page(
    connection: Connection,
    wanted: RetryFilter,
    paging: Paging,
    now: datetime | None = None,
    *,
    names_of_persons: bool = True,
) -> Page[Retry]:
    """
    Fetches first, as nothing is delivered before them; then links; each in the order of their ids.

    Without `names_of_persons` only organisations are found by their name.
    """
    after = paging.after(2) or [0, 0]
    if not all(type(part) is int for part in after):
        raise Unfit("cursor is none that was given out here")
    kind, last = after
    asked = _asked(connection, wanted, now, names_of_persons=names_of_persons)
    before_links = "AND false" if kind else "AND c.id > :after_fetch"
    parts = [f"({_LINKS} {asked.links} AND l.id > :after_link {_SOME_LINKS})"]
    if kind == 0:
        parts.insert(0, f"({_FETCHES} {asked.fetches} AND c.id > :after_fetch ORDER BY c.id LIMIT :limit)")
    parts += asked.found(fetches=before_links, links="AND l.id > :after_link", some=_SOME)
    rows = connection.execute(
        text(f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS t ORDER BY kind, id LIMIT :limit"),
        {**asked.values, "limit": paging.limit + 1, "after_fetch": last, "after_link": last if kind else 0},
    ).all()
    keys = [[row.kind, row.id] for row in rows]
    return paging.page([_retry(row) for row in rows], keys, _count(connection, wanted, asked))


def count(connection: Connection, wanted: RetryFilter, now: datetime | None = None) -> int:
    """How many lines, exactly."""
    return _count(connection, wanted, _asked(connection, wanted, now))


def _count(connection: Connection, wanted: RetryFilter, asked: _Asked) -> int:
    behind = [*asked.held_fetches.values(), *asked.held_links.values()]
    statement = text(
        f"SELECT (SELECT count(*) FROM {_STUCK} WHERE true {asked.fetches})"
        f" + (SELECT count(*) FROM link AS l {'JOIN contact AS c ON c.id = l.contact_id' if wanted.query else ''}"
        f" WHERE l.state IN ('waiting', 'unknown', 'review', 'dead') {asked.links})"
        + "".join(f" + (SELECT count(*) FROM ({sql}) AS f)" for sql in behind)
    )
    return int(connection.execute(statement, asked.values).scalar_one())


def ids(connection: Connection, wanted: RetryFilter, now: datetime | None = None) -> list[str]:
    """The ids of all lines, for a bulk action."""
    asked = _asked(connection, wanted, now)
    parts = [f"{_FETCHES} {asked.fetches}", f"{_LINKS} {asked.links}", *asked.found()]
    statement = text(f"SELECT kind, id FROM ({' UNION ALL '.join(parts)}) AS t ORDER BY kind, id")
    return [public_id(row.kind, row.id) for row in connection.execute(statement, asked.values)]


def one(connection: Connection, retry_id: str, now: datetime | None = None) -> RetryDetail:
    """One line with its requests; NotFound also where it does not wait any more."""
    kind, row_id = parse_id(retry_id)
    asked = _asked(connection, RetryFilter(), now)
    parts = [f"{_LINKS} AND l.id = :id" if kind else f"{_FETCHES} AND c.id = :id"]
    if kind:
        parts += asked.found(fetches="AND false", links="AND l.id = :id")
    else:
        parts += asked.found(fetches="AND c.id = :id", links="AND false")
    row = connection.execute(text(" UNION ALL ".join(parts)), {**asked.values, "id": row_id}).one_or_none()
    if row is None:
        raise NotFound(f"{retry_id} does not wait in the retry queue")
    requests = of_link(connection, row_id) if kind else of_fetch(connection, row_id)
    questions = reviews.open_of(connection, [row_id]).get(row_id, []) if kind else []
    return RetryDetail(**vars(_retry(row)), requests=requests, reviews=questions)


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
        ContactName(row.source_id, row.name, row.client_kind),
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


def _asked(
    connection: Connection, wanted: RetryFilter, now: datetime | None, *, names_of_persons: bool = True
) -> _Asked:
    """What the filter asks of fetches, of links, and of what waits behind each system that is held back."""
    if wanted.state and wanted.state not in STATES:
        raise Unfit(f"state is one of {', '.join(STATES)}")
    given = {name: plain(value, name) for name, value in vars(wanted).items()}
    if given["system"] and given["system"] not in SYSTEM_NAMES:
        raise Unfit(f"system is one of {', '.join(SYSTEM_NAMES)}")
    fetches, links = "", ""
    if given["state"]:
        fetches += " AND c.fetch_state = :state"
        links += " AND l.state = :state"
    if given["system"]:
        fetches += "" if given["system"] == SOURCE else " AND false"
        links += " AND l.system = :system"
    if given["reason"]:
        fetches += " AND c.fetch_reason = :reason"
        links += " AND l.reason = :reason"
    found = f" AND {matches(names_of_persons=names_of_persons)}" if given["query"] else ""
    values = {name: value for name, value in given.items() if value and name != "query"}
    if given["query"]:
        values |= words(connection, given["query"])
    behind = [one for one in held(connection, now or database_time(connection)) if _wanted(one, given)]
    held_links, held_fetches = {}, {}
    join = "JOIN contact AS c ON c.id = l.contact_id" if found else ""
    for place, one_held in enumerate(behind):
        values |= one_held.values(place)
        held_links[place] = f"SELECT l.id FROM link AS l {join} WHERE {one_held.links(place)}{found}"
        if one_held.system == SOURCE and not one_held.creates_only:
            held_fetches[place] = f"SELECT c.id FROM contact AS c WHERE c.fetch_state = 'due'{found}"
    return _Asked(fetches + found, links + found, values, held_fetches, held_links)


def _wanted(one: Held, given: dict[str, str | None]) -> bool:
    return (
        given["state"] in (None, "waiting")
        and given["system"] in (None, one.system)
        and given["reason"] in (None, one.reason)
    )
