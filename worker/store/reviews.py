"""What waits for a person: ask once, keep the question up to date, take it back when it has answered itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Question:
    """One thing a person must decide. `path` is "" for a match."""

    kind: str
    path: str
    reason: str
    message: str
    detail: Mapping[str, Any]


_ASK = text(
    """
    INSERT INTO review AS r (link_id, kind, path, reason, message, detail, created_at)
    VALUES (:link, :kind, :path, :reason, :message, CAST(:detail AS jsonb), :now)
    ON CONFLICT (link_id, path) WHERE resolved_at IS NULL DO UPDATE SET
        kind = excluded.kind, reason = excluded.reason, message = excluded.message, detail = excluded.detail
    """
)

_CANDIDATES = text(
    """
    SELECT detail -> 'candidates' AS candidates FROM review
    WHERE link_id = :link AND kind = 'match' AND resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT 1
    """
)

_OPEN_MATCH = text(
    """
    SELECT kind, path, reason, message, detail FROM review
    WHERE link_id = :link AND path = '' AND resolved_at IS NULL AND id = CAST(:id AS bigint)
    """
)

_OPEN_OF = text(
    """
    SELECT link_id, id FROM review
    WHERE link_id = ANY(CAST(:links AS bigint[])) AND resolved_at IS NULL ORDER BY id
    """
)

_WITHDRAW = text(
    """
    UPDATE review SET resolved_at = :now, choice = 'settled', resolved_by = 'contactsync'
    WHERE link_id = :link AND resolved_at IS NULL AND NOT (path = ANY(CAST(:paths AS text[])))
    """
)


def ask(connection: Connection, link_id: int, questions: Sequence[Question], now: datetime) -> None:
    """These are the open questions of a link; others that were open have settled themselves."""
    for question in questions:
        connection.execute(
            _ASK,
            {
                "link": link_id,
                "kind": question.kind,
                "path": question.path,
                "reason": question.reason,
                "message": question.message,
                "detail": orjson.dumps(dict(question.detail)).decode(),
                "now": now,
            },
        )
    connection.execute(_WITHDRAW, {"link": link_id, "paths": [question.path for question in questions], "now": now})


def open_match(connection: Connection, link_id: int, review_id: str) -> Question | None:
    """This question about the record of a link, if it is still open."""
    row = connection.execute(_OPEN_MATCH, {"link": link_id, "id": review_id}).one_or_none()
    return Question(**row._mapping) if row is not None else None


def last_candidates(connection: Connection, link_id: int) -> list[dict[str, Any]]:
    """The records that the last answered question about a match showed."""
    found: list[dict[str, Any]] | None = connection.execute(_CANDIDATES, {"link": link_id}).scalar()
    return found or []


def open_of(connection: Connection, link_ids: Sequence[int]) -> dict[int, list[str]]:
    """The ids of the questions that are open about each of these links; one without any is left out."""
    found: dict[int, list[str]] = {}
    for row in connection.execute(_OPEN_OF, {"links": list(link_ids)}):
        found.setdefault(row.link_id, []).append(str(row.id))
    return found
