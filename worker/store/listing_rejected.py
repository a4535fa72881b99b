"""The quarantine for people: requests that were signed rightly and are not an event, the newest first."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, text

from worker.core.masks import Body, Document, Refusal, Word
from worker.store.listing import Page, Paging
from worker.store.refusals import NotFound

_COLUMNS: Final = "id, received_at, problem, octet_length(body) AS kept_bytes"
_MOST_ID: Final = 2**63 - 1


@dataclass(frozen=True)
class RejectedView:
    """One request. `problem` is what it was answered with, `kept_bytes` how much of its body is kept, at most 64 kB."""

    id: int
    received_at: datetime
    problem: Refusal
    kept_bytes: int


@dataclass(frozen=True)
class RejectedDetail(RejectedView):
    """One request as it came, without bank data: the body as text, or in base64 where it is not UTF-8."""

    headers: Document
    body: Body
    encoding: Word


def page(connection: Connection, paging: Paging) -> Page[RejectedView]:
    """Requests in the quarantine, the newest first."""
    after = paging.after(1)
    last = _MOST_ID if after is None or type(after[0]) is not int else after[0]
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM inbox_reject WHERE id < :last ORDER BY id DESC LIMIT :limit"),
        {"last": min(last, _MOST_ID), "limit": paging.limit + 1},
    ).all()
    total = connection.execute(text("SELECT count(*) FROM inbox_reject")).scalar_one()
    return paging.page([_view(row) for row in rows], [[row.id] for row in rows], total)


def one(connection: Connection, number: str) -> RejectedDetail:
    """One of them by its number; NotFound where there is none, or it was let go for newer ones."""
    row = None
    if number.isascii() and number.isdigit() and int(number) <= _MOST_ID:
        statement = text(f"SELECT {_COLUMNS}, headers, body FROM inbox_reject WHERE id = :id")
        row = connection.execute(statement, {"id": int(number)}).one_or_none()
    if row is None:
        raise NotFound(f"nothing that was rejected has the number {number[:80]!r}: contactsync events rejected")
    body = bytes(row.body)
    try:
        content, encoding = body.decode(), "text"
    except UnicodeDecodeError:
        content, encoding = base64.b64encode(body).decode("ascii"), "base64"
    return RejectedDetail(**vars(_view(row)), headers=row.headers, body=content, encoding=encoding)


def _view(row: Row[tuple[object, ...]]) -> RejectedView:
    return RejectedView(row.id, row.received_at, row.problem, row.kept_bytes)
