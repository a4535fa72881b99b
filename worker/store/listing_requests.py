"""The log of requests for people: what was sent, what came back, and the rule behind each field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from worker.core.masks import Body, Document, DocumentList, Id, RequestPath, Word

MOST: Final = 100

_COLUMNS: Final = """
    at, system, operation, method, path, sent, decisions, idempotency_key, status, answer, error, duration_ms,
    correlation_id, contact_version, mapping_version
"""


@dataclass(frozen=True)
class RequestView:
    """One request to a vendor. `status` is null where no answer came; `error` then says what happened on the way."""

    at: datetime
    system: Word
    operation: Word
    method: Word
    path: RequestPath
    sent: Document | None
    decisions: DocumentList | None
    idempotency_key: Id | None
    status: int | None
    answer: Body | None
    error: str | None
    duration_ms: int
    correlation_id: Id | None
    contact_version: int | None
    mapping_version: Word | None


def of_link(connection: Connection, link_id: int) -> list[RequestView]:
    """The newest requests of a link."""
    return _read(connection, "link_id = :id", link_id)


def of_fetch(connection: Connection, contact_id: int) -> list[RequestView]:
    """The newest requests that fetched a contact."""
    return _read(connection, "contact_id = :id AND link_id IS NULL", contact_id)


def of_contact(connection: Connection, contact_id: int) -> list[RequestView]:
    """The newest requests about a contact, to all systems."""
    return _read(connection, "contact_id = :id", contact_id)


def _read(connection: Connection, condition: str, row_id: int) -> list[RequestView]:
    statement = text(f"SELECT {_COLUMNS} FROM attempt WHERE {condition} ORDER BY at DESC, id DESC LIMIT :most")
    return [RequestView(*row) for row in connection.execute(statement, {"id": row_id, "most": MOST})]
