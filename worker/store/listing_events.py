"""The inbox for people: what the source told us, what became of it, and one event verbatim."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.core.masks import Body, Document, EventKind, Id, Word
from worker.store.listing import COUNT_CAP, Page, Paging, plain
from worker.store.listing_retries import ContactName
from worker.store.refusals import NotFound, Unfit, one_of

SOURCE: Final = "robaws"
STATES: Final = ("open", "applied", "skipped", "dead")

_COLUMNS: Final = """
    e.id, e.received_at, e.source, e.event_id, e.kind, e.source_id, e.state, e.reason, e.contact_version, e.closed_at,
    e.correlation_id
"""
# Behind what was found, so that names are read for a page and not for the inbox.
_WITH_NAMES: Final = """
    SELECT found.*, c.name AS client_name, c.canonical ->> 'kind' AS client_kind FROM ({found}) AS found
    LEFT JOIN contact AS c ON c.source = found.source AND c.source_id = found.source_id AND found.kind LIKE 'client.%'
"""
# Written out, one state each, so that the partial indexes can serve them.
_ALL: Final = "inbox_event AS e"
_IN_STATE: Final = {
    "open": "(SELECT * FROM inbox_event WHERE state = 'new' UNION ALL"
    " SELECT * FROM inbox_event WHERE state = 'taken') AS e",
    "applied": "(SELECT * FROM inbox_event WHERE state = 'applied') AS e",
    "skipped": "(SELECT * FROM inbox_event WHERE state = 'skipped') AS e",
    "dead": "(SELECT * FROM inbox_event WHERE state = 'dead') AS e",
}


@dataclass(frozen=True)
class EventView:
    """
    One event. `id` is the vendor's own; `source_id` the record that it is about, `contact` the client where it is one.
    """

    id: Id
    received_at: datetime
    kind: EventKind
    source_id: Id
    contact: ContactName | None
    state: Word
    reason: Word | None
    contact_version: int | None
    closed_at: datetime | None
    correlation_id: Id


@dataclass(frozen=True)
class EventDetail(EventView):
    """One event as it came: the body as text, or in base64 where it is not UTF-8."""

    headers: Document
    body: Body
    encoding: Word


def page(
    connection: Connection, paging: Paging, *, state: str | None = None, source_id: str | None = None
) -> Page[EventView]:
    """Events, the newest first; in one state, or about one record."""
    if state:
        one_of("state", state, STATES)
    events = _IN_STATE[state] if state else _ALL
    conditions, values = _conditions(connection, plain(source_id, "source_id"))
    after = paging.after(2)
    position = ""
    if after is not None:
        position = " AND (e.received_at, e.id) < (:at, :id)"
        values |= {"at": _moment(after[0]), "id": after[1] if type(after[1]) is int else 0}
    found = (
        f"SELECT {_COLUMNS} FROM {events} WHERE true {conditions} {position}"
        " ORDER BY e.received_at DESC, e.id DESC LIMIT :limit"
    )
    rows = connection.execute(
        text(f"{_WITH_NAMES.format(found=found)} ORDER BY found.received_at DESC, found.id DESC"),
        {**values, "limit": paging.limit + 1},
    ).all()
    total = connection.execute(
        text(f"SELECT count(*) FROM (SELECT FROM {events} WHERE true {conditions} LIMIT :most) AS t"),
        {**values, "most": COUNT_CAP + 1},
    ).scalar_one()
    keys = [[row.received_at.isoformat(), row.id] for row in rows]
    return paging.page([_view(row) for row in rows], keys, total, capped=True)


def one(connection: Connection, event_id: str) -> EventDetail:
    """One event by the vendor's id; NotFound where it was never received, or is too old to be kept."""
    row = find(connection, event_id)
    if row is None:
        raise NotFound(f"no event {event_id[:80]!r} is kept here")
    body = bytes(row.body)
    try:
        content, encoding = body.decode(), "text"
    except UnicodeDecodeError:
        content, encoding = base64.b64encode(body).decode("ascii"), "base64"
    return EventDetail(**vars(_view(row)), headers=row.headers, body=content, encoding=encoding)


def find(connection: Connection, event_id: str) -> Row[Any] | None:
    """The row of an event, through its key, which knows the partition."""
    if not event_id or "\x00" in event_id or len(event_id) > 200:
        return None
    found = (
        f"SELECT {_COLUMNS}, e.headers, e.body, e.contact_id FROM inbox_key AS k JOIN inbox_event AS e"
        " ON e.received_at = k.received_at AND e.source = k.source AND e.event_id = k.event_id"
        " WHERE k.source = :source AND k.event_id = :id"
    )
    statement = text(_WITH_NAMES.format(found=found))
    return connection.execute(statement, {"source": SOURCE, "id": event_id}).one_or_none()


def _conditions(connection: Connection, source_id: str | None) -> tuple[str, dict[str, Any]]:
    conditions = ""
    values: dict[str, Any] = {}
    if source_id:
        # An event that nobody has taken yet has no contact, and there are few of those.
        found = connection.execute(
            text("SELECT id FROM contact WHERE source = :source AND source_id = :id"),
            {"source": SOURCE, "id": source_id},
        ).scalar_one_or_none()
        conditions += " AND (e.contact_id = :contact OR (e.state = 'new' AND e.source_id = :source_id))"
        values |= {"contact": found, "source_id": source_id}
    return conditions, values


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise Unfit("cursor is none that was given out here") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _view(row: Row[Any]) -> EventView:
    return EventView(
        row.event_id,
        row.received_at,
        row.kind,
        row.source_id,
        ContactName(row.source_id, row.client_name, row.client_kind) if row.kind.startswith("client.") else None,
        "open" if row.state in ("new", "taken") else row.state,
        row.reason,
        row.contact_version,
        row.closed_at,
        row.correlation_id,
    )
