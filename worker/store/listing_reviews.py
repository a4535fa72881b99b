"""What waits for a person's choice, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.core.field_merge import DOES_NOT_FIT
from worker.core.masks import Document, FieldName, Id, Word
from worker.store.listing import Page, Paging, number, plain
from worker.store.listing_retries import ContactName
from worker.store.refusals import NotFound, Unfit

_SELECT: Final = """
    SELECT r.id, r.kind, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, l.system, l.id AS link_id, r.path,
        r.reason, r.message, r.detail, r.created_at, r.resolved_at, r.choice, r.resolved_by, r.resolve_reason,
        l.external_id IS NOT NULL AND l.snapshot IS NOT NULL AS agreed
    FROM review AS r JOIN link AS l ON l.id = r.link_id JOIN contact AS c ON c.id = l.contact_id
"""


@dataclass(frozen=True)
class ReviewView:
    """
    One question. `match`: `detail.candidates` are records that could be this contact. `field`: `path` is the vendor's,
    `detail` holds `ours`, `theirs` and the rule that parked it. `choices` are the words that answer it; there are none
    where only another value in Robaws does.
    """

    id: Id
    kind: Word
    contact: ContactName
    system: Word
    link: Id
    path: FieldName
    reason: Word
    message: str
    detail: Document
    choices: list[Word]
    created_at: datetime
    resolved_at: datetime | None
    choice: Word | None
    resolved_by: str | None
    resolve_reason: str | None


CHOICES: Final[dict[str, list[str]]] = {
    "field": ["ours", "theirs"],
    "match": ["link", "create", "exclude"],
    "gone": ["link", "create", "exclude"],
    "unusable": ["ours", "link", "create", "exclude"],
    "proposal": [],
    "brake": [],
}


def page(connection: Connection, paging: Paging, *, system: str | None = None) -> Page[ReviewView]:
    """The open questions, the oldest first."""
    after = paging.after(1)
    if after is not None and type(after[0]) is not int:
        raise Unfit("cursor is none that was given out here")
    system = plain(system, "system")
    condition = "r.resolved_at IS NULL" + (" AND l.system = :system" if system else "")
    values = {"system": system} if system else {}
    rows = connection.execute(
        text(f"{_SELECT} WHERE {condition} AND r.id > :after ORDER BY r.id LIMIT :limit"),
        {**values, "after": after[0] if after else 0, "limit": paging.limit + 1},
    ).all()
    total = connection.execute(
        text(f"SELECT count(*) FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE {condition}"), values
    ).scalar_one()
    return paging.page([_view(row) for row in rows], [[row.id] for row in rows], total)


def one(connection: Connection, review_id: str) -> ReviewView:
    """One question, open or answered."""
    row_id = number(review_id, "question")
    row = connection.execute(text(f"{_SELECT} WHERE r.id = :id"), {"id": row_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    return _view(row)


def _view(row: Row[Any]) -> ReviewView:
    return ReviewView(
        str(row.id),
        row.kind,
        ContactName(row.source_id, row.name, row.client_kind),
        row.system,
        f"link-{row.link_id}",
        row.path,
        row.reason,
        row.message,
        row.detail,
        _choices(row),
        row.created_at,
        row.resolved_at,
        row.choice,
        row.resolved_by,
        row.resolve_reason,
    )


def _choices(row: Row[Any]) -> list[str]:
    """As `operating_reviews` takes them: of a record that is not made yet no value could stand, or be written over."""
    if row.kind == "field" and not row.agreed:
        return []
    unfit = row.kind == "field" and row.detail.get("rule") == DOES_NOT_FIT
    return [word for word in CHOICES[row.kind] if not (unfit and word == "ours")]
