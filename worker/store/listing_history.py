"""The history of one contact for people: its events, the requests about it, and what people did about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from sqlalchemy import Connection, text

from worker.core.masks import WORD, EventKind, FieldName, Id, Sentence, Value, Word
from worker.store.listing_requests import MOST, RequestView, of_contact


@dataclass(frozen=True)
class EventEntry:
    """A webhook event of the contact."""

    at: datetime
    kind: Annotated[Literal["event"], WORD]
    event_id: Id
    event: EventKind
    state: Word
    reason: Word | None
    contact_version: int | None
    correlation_id: Id


@dataclass(frozen=True)
class RequestEntry(RequestView):
    """A request about the contact."""

    kind: Annotated[Literal["request"], WORD] = "request"


@dataclass(frozen=True)
class ActionEntry:
    """
    What a person did about it. `system` is where; an answer to a question has the question's id in `review`, the field
    by the vendor's name in `path` and by ours in `field`, and what was chosen.
    """

    at: datetime
    kind: Annotated[Literal["action"], WORD]
    action: Word
    actor: str
    target: Id
    reason: str | None
    system: Word | None = None
    review: Id | None = None
    path: FieldName | None = None
    field: FieldName | None = None
    choice: Word | None = None
    external_id: Id | None = None
    value: Value = None


HistoryEntry = EventEntry | RequestEntry | ActionEntry


@dataclass(frozen=True)
class Because:
    """How a difference came about: the rule, and for a person's answer who gave it, when, and to which question."""

    rule: Sentence | None
    by: str | None
    at: datetime | None
    review: Id | None


@dataclass(frozen=True)
class DifferenceView:
    """
    A field in which a system holds another value than it should, by the vendor's name in `path`.

    `kind`: `not_accepted` (ours was sent), `decided` (a person kept theirs), `spelling`, `theirs` (the rule says so),
    `not_emptied` (it cannot be emptied there), `differs` (nobody wrote down why).
    """

    system: Word
    path: FieldName
    field: FieldName
    kind: Word
    ours: Value
    theirs: Value
    because: Because


_EVENTS = text(
    "SELECT received_at, 'event', event_id, kind, CASE WHEN state IN ('new', 'taken') THEN 'open' ELSE state"
    " END, reason, contact_version, correlation_id FROM inbox_event WHERE contact_id = :id"
    " ORDER BY received_at DESC LIMIT :most"
)

_ACTIONS = text(
    """
    SELECT at, action, actor, target, reason, filter AS details FROM operator_action
    WHERE target = ANY(CAST(:targets AS text[])) ORDER BY at DESC LIMIT :most
    """
)

_BULK = text(
    """
    SELECT a.at, a.action, a.actor, item ->> 'id' AS target, a.reason, CAST(NULL AS jsonb) AS details
    FROM operator_action AS a, jsonb_array_elements(a.results) AS item
    WHERE a.target = 'bulk' AND jsonb_exists_any(a.items, CAST(:targets AS text[]))
        AND item ->> 'id' = ANY(CAST(:targets AS text[])) AND item ->> 'outcome' <> 'skipped'
    ORDER BY a.at DESC LIMIT :most
    """
)
"""Of a bulk action, what it did to this contact."""


def history(
    connection: Connection, contact_id: int, source_id: str, systems: dict[str, str], source: str
) -> list[HistoryEntry]:
    """Newest first, the newest hundred of each kind. `systems` are those of its links, by the link's public id."""
    events = connection.execute(_EVENTS, {"id": contact_id, "most": MOST})
    systems = {**systems, f"fetch-{contact_id}": source}
    targets = {"targets": [f"contact-{source_id}", *systems], "most": MOST}
    actions = [*connection.execute(_ACTIONS, targets), *connection.execute(_BULK, targets)]
    found: list[HistoryEntry] = [EventEntry(*event) for event in events]
    found += [RequestEntry(**vars(request)) for request in of_contact(connection, contact_id)]
    found += [_action(row, systems.get(row.target)) for row in actions]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _action(row: Any, system: str | None) -> ActionEntry:
    details = row.details if isinstance(row.details, dict) else {}
    return ActionEntry(
        row.at,
        "action",
        row.action,
        row.actor,
        row.target,
        row.reason,
        details.get("system") or system,
        details.get("review"),
        details.get("path"),
        details.get("field"),
        details.get("choose"),
        details.get("external_id"),
        details.get("value"),
    )
