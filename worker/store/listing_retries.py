"""The retry queue for people: its lines, how many, and one with its requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import Connection, Row, text

from worker.core.masks import ClientName, Document, FieldName, Id, Shown, Vocabulary, Word
from worker.core.what_to_do import SENTENCES, what_to_do
from worker.store import reviews
from worker.store.clock import database_time
from worker.store.held import behind, held, names_of
from worker.store.listing import Page, Paging, number
from worker.store.listing_requests import RequestView, of_fetch, of_link
from worker.store.refusals import NotFound, Unfit
from worker.store.retry_queue import FETCH_COLUMNS, LINK_COLUMNS, LINKS, STATES, Part, Parts, RetryFilter, cause, parts

__all__ = ["STATES", "ContactName", "Retry", "RetryDetail", "RetryFilter", "count", "ids", "one", "page"]


def _ours(value: str, _view: Any, _vocabulary: Vocabulary) -> str:
    return value if value in SENTENCES else "•••"


OurSentence = Annotated[str, Shown(_ours)]
"""What to do, which holds nothing of a client."""


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

    `fields` are the vendor's messages by its field, `fingerprint` is the same for failures of the same cause, and
    `what_to_do` says what happens by itself and what a person can do. `waits_for_system`: it goes out when its
    system is no longer held back.
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
    field: FieldName | None
    fingerprint: Id | None
    waits_for_system: bool
    what_to_do: OurSentence


@dataclass(frozen=True)
class RetryDetail(Retry):
    """
    One line with every request that was made for it, newest first. Also one that has left the queue: its `state` is
    then the one that it has now. `reviews` are the questions that are open about it.
    """

    requests: list[RequestView]
    reviews: list[Id]


def page(
    connection: Connection,
    wanted: RetryFilter,
    paging: Paging,
    now: datetime | None = None,
    *,
    names_of_persons: bool = True,
    questions: bool = True,
) -> Page[Retry]:
    """
    By state in the order of `STATES`, what has been owed for longest first; of the same moment fetches before links.

    Without `names_of_persons` only organisations are found by their name, and nothing by what a message says; without
    `questions` what is in review is left out.
    """
    after = _position(paging)
    asked = parts(connection, wanted, now, names_of_persons=names_of_persons, questions=questions)
    selected = [
        f"(SELECT {STATES.index(part.state)} AS rank, t.* FROM ({part.ordered(position, 'LIMIT :limit')}) AS t)"
        for part in asked.parts
        if (position := _after(part, after)) is not None
    ]
    values = {**asked.values, "limit": paging.limit + 1}
    if after is not None:
        values |= {"after_since": after[1], "after_id": after[3]}
    statement = f"{' UNION ALL '.join(selected)} ORDER BY rank, since NULLS FIRST, kind, id LIMIT :limit"
    rows = connection.execute(text(statement), values).all() if selected else []
    keys = [[row.rank, _written(row.since), row.kind, row.id] for row in rows]
    return paging.page([_retry(row) for row in rows], keys, _count(connection, asked))


def _position(paging: Paging) -> tuple[int, datetime | None, int, int] | None:
    """Where a page begins: after this rank, time, kind and id."""
    after = paging.after(4)
    if after is None:
        return None
    rank, since, kind, row_id = after
    try:
        at = datetime.fromisoformat(since) if since else None
    except (TypeError, ValueError):
        raise Unfit("cursor is none that was given out here") from None
    if not all(type(part) is int for part in (rank, kind, row_id)) or (at is not None and at.tzinfo is None):
        raise Unfit("cursor is none that was given out here")
    return rank, at, kind, row_id


def _written(since: datetime | None) -> str:
    return since.astimezone(UTC).isoformat() if since else ""


def _after(part: Part, after: tuple[int, datetime | None, int, int] | None) -> str | None:
    """The condition on a part's rows beyond a position; None where all of them lie before it."""
    if after is None:
        return ""
    rank, since, kind, _ = after
    if STATES.index(part.state) != rank:
        return "" if STATES.index(part.state) > rank else None
    column, row_id = ("l.since", "l.id") if part.kind else ("c.fetch_since", "c.id")
    # Of the same moment fetches come before links, and within a kind the smaller id.
    last = "0" if part.kind > kind else "9223372036854775807" if part.kind < kind else ":after_id"
    if since is None:
        return f"AND (({column} IS NULL AND {row_id} > {last}) OR {column} IS NOT NULL)"
    return f"AND ({column}, {row_id}) > (:after_since, {last})"


def count(connection: Connection, wanted: RetryFilter, now: datetime | None = None) -> int:
    """How many lines, exactly."""
    return _count(connection, parts(connection, wanted, now))


def _count(connection: Connection, asked: Parts) -> int:
    if not asked.parts:
        return 0
    statement = text(f"SELECT {' + '.join(part.count() for part in asked.parts)}")
    return int(connection.execute(statement, asked.values).scalar_one())


def ids(connection: Connection, wanted: RetryFilter, now: datetime | None = None) -> list[str]:
    """The ids of all lines in the order of the list, for a bulk action."""
    asked = parts(connection, wanted, now)
    if not asked.parts:
        return []
    union = " UNION ALL ".join(part.ids() for part in asked.parts)
    statement = text(f"SELECT kind, id FROM ({union}) AS t ORDER BY rank, since NULLS FIRST, kind, id")
    return [public_id(row.kind, row.id) for row in connection.execute(statement, asked.values)]


def one(connection: Connection, retry_id: str, now: datetime | None = None) -> RetryDetail:
    """One line with its requests, also where it has left the queue; NotFound for one that never was."""
    kind, row_id = parse_id(retry_id)
    columns, source, alias = (LINK_COLUMNS, LINKS, "l") if kind else (FETCH_COLUMNS, "contact AS c", "c")
    statement = text(f"SELECT {columns} FROM {source} WHERE {alias}.id = :id")
    systems = held(connection, now or database_time(connection))
    row = connection.execute(statement, {"id": row_id, "held_systems": names_of(systems)}).one_or_none()
    if row is None:
        raise NotFound(f"there is no {retry_id}")
    line = _retry(row)
    one_held = behind(systems, row.system, row.state, row.external_id)
    if one_held is not None and (kind or not one_held.creates_only):
        line = replace(
            line,
            state="waiting",
            reason=one_held.reason,
            message=one_held.message,
            next_attempt_at=one_held.until,
            fingerprint=cause(one_held),
            waits_for_system=True,
            what_to_do=str(what_to_do(one_held.reason, "waiting")),
        )
    requests = of_link(connection, row_id) if kind else of_fetch(connection, row_id)
    questions = reviews.open_of(connection, [row_id]).get(row_id, []) if kind else []
    return RetryDetail(**vars(line), requests=requests, reviews=questions)


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
        row.field,
        row.fingerprint,
        row.held,
        str(what_to_do(row.reason, row.state)),
    )
