"""The log of requests: one row for each, added with the commit that keeps what it taught, and never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Final

import orjson
from sqlalchemy import Connection, text

from worker.core import sensitive
from worker.core.wire import Exchange

INSERT = """
    INSERT INTO attempt (at, contact_id, link_id, system, operation, method, path, sent, decisions, idempotency_key,
        status, answer, error, duration_ms, correlation_id, contact_version, mapping_version, fence)
    SELECT r.at, :contact_id, :link_id, r.system, r.operation, r.method, r.path, r.sent, r.decisions,
        r.key, r.status, r.answer, r.error, r.ms, :correlation_id, :contact_version, :mapping_version, :fence
    FROM jsonb_to_recordset(CAST(:requests AS jsonb)) AS r(at timestamptz, system text, operation text, method text,
        path text, sent jsonb, decisions jsonb, key text, status bigint, answer text, error text, ms bigint)
"""
"""
With the parameters of `values`; a statement of one's own may hold it as a part. The requests are one text: an array for
each column would be bound, quoted and taken apart one by one.
"""

_INSERT = text(INSERT)

_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL, which PostgreSQL stores in no text; not the six characters of its escape, before which a backslash stands."""


Decisions = Sequence[Sequence[Mapping[str, Any]]]
"""For each exchange, in order, why it said what it said; none at all for all of them."""


@dataclass(frozen=True)
class AttemptContext:
    """Whose requests they are."""

    contact_id: int | None = None
    link_id: int | None = None
    correlation_id: str | None = None
    contact_version: int | None = None
    mapping_version: str | None = None
    fence: int | None = None


def add(
    connection: Connection,
    exchanges: Sequence[Exchange],
    context: AttemptContext,
    decisions: Decisions = (),
) -> None:
    """Add what was sent, in order. `decisions` says why, field by field, for each exchange. No-op without exchanges."""
    if exchanges:
        connection.execute(_INSERT, values(exchanges, context, decisions))


def values(exchanges: Sequence[Exchange], context: AttemptContext, decisions: Decisions = ()) -> dict[str, Any]:
    """What `INSERT` is given for these; no row without exchanges."""
    return {
        "contact_id": context.contact_id,
        "link_id": context.link_id,
        "correlation_id": context.correlation_id,
        "contact_version": context.contact_version,
        "mapping_version": context.mapping_version,
        "fence": context.fence,
        "requests": _storable([_row(one, why) for one, why in zip_longest(exchanges, decisions)]),
    }


def _row(exchange: Exchange, decisions: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    request = exchange.request
    return {
        "at": datetime.fromtimestamp(exchange.started_at, UTC),
        "system": exchange.system,
        "operation": request.operation,
        "method": request.method,
        "path": sensitive.clean_text(_path(exchange)),
        "sent": sensitive.clean(_document(request.logged)),
        "decisions": sensitive.clean(list(decisions)) if decisions else None,
        "key": request.idempotency_key,
        "status": exchange.status,
        "answer": exchange.answer,
        "error": exchange.error,
        "ms": round(exchange.duration_seconds * 1000),
    }


def _path(exchange: Exchange) -> str:
    query = "&".join(f"{name}={value}" for name, value in exchange.request.query)
    return f"{exchange.request.path}?{query}" if query else exchange.request.path


def _document(value: Any) -> Any:
    return value if value is None or isinstance(value, Mapping) else {"value": value}


def _storable(rows: list[dict[str, Any]]) -> str:
    text = orjson.dumps(rows).decode()
    return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def calls_since(connection: Connection, system: str, since: datetime) -> int:
    """How many requests went to a system since then; the budget's truth when Redis has lost its counter."""
    statement = text("SELECT count(*) FROM attempt WHERE system = :system AND at >= :since")
    return int(connection.execute(statement, {"system": system, "since": since}).scalar_one())
