"""The log of requests: one row for each, added with the commit that keeps what it taught, and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from worker.core.wire import Exchange

INSERT = """
    INSERT INTO attempt (at, contact_id, link_id, system, operation, method, path, sent, decisions, idempotency_key,
        status, answer, error, duration_ms, correlation_id, contact_version, mapping_version, fence)
    SELECT t.at, :contact_id, :link_id, t.system, t.operation, t.method, t.path, t.sent::jsonb,
        CAST(:decisions AS jsonb), t.key, t.status, t.answer, t.error, t.ms, :correlation_id, :contact_version,
        :mapping_version, :fence
    FROM unnest(CAST(:ats AS timestamptz[]), CAST(:systems AS text[]), CAST(:operations AS text[]),
        CAST(:methods AS text[]), CAST(:paths AS text[]), CAST(:sents AS text[]), CAST(:keys AS text[]),
        CAST(:statuses AS bigint[]), CAST(:answers AS text[]), CAST(:errors AS text[]), CAST(:mss AS bigint[]))
        AS t(at, system, operation, method, path, sent, key, status, answer, error, ms)
"""
"""With the parameters of `values`; a statement of one's own may hold it as a part."""

_INSERT = text(INSERT)


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
    decisions: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Add what was sent, in order. `decisions` says why, field by field. No-op without exchanges."""
    if exchanges:
        connection.execute(_INSERT, values(exchanges, context, decisions))


def values(
    exchanges: Sequence[Exchange], context: AttemptContext, decisions: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """What `INSERT` is given for these; no row without exchanges."""
    return {
        "contact_id": context.contact_id,
        "link_id": context.link_id,
        "correlation_id": context.correlation_id,
        "contact_version": context.contact_version,
        "mapping_version": context.mapping_version,
        "fence": context.fence,
        "decisions": orjson.dumps(list(decisions)).decode() if decisions else None,
        "ats": [datetime.fromtimestamp(one.started_at, UTC) for one in exchanges],
        "systems": [one.system for one in exchanges],
        "operations": [one.request.operation for one in exchanges],
        "methods": [one.request.method for one in exchanges],
        "paths": [_path(one) for one in exchanges],
        "sents": [_logged(one.request.logged) for one in exchanges],
        "keys": [one.request.idempotency_key for one in exchanges],
        "statuses": [one.status for one in exchanges],
        "answers": [_storable(one.answer) for one in exchanges],
        "errors": [one.error for one in exchanges],
        "mss": [round(one.duration_seconds * 1000) for one in exchanges],
    }


def _path(exchange: Exchange) -> str:
    query = "&".join(f"{name}={value}" for name, value in exchange.request.query)
    return f"{exchange.request.path}?{query}" if query else exchange.request.path


def _logged(value: Any) -> str | None:
    if value is None:
        return None
    logged = value if isinstance(value, Mapping) else {"value": value}
    return orjson.dumps(logged).decode().replace("\\u0000", "")


def _storable(answer: str | None) -> str | None:
    return None if answer is None else answer.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def calls_since(connection: Connection, system: str, since: datetime) -> int:
    """How many requests went to a system since then; the budget's truth when Redis has lost its counter."""
    statement = text("SELECT count(*) FROM attempt WHERE system = :system AND at >= :since")
    return int(connection.execute(statement, {"system": system, "since": since}).scalar_one())
