"""
The statements that write down what came in, and the connection that they run on.

One statement, one round trip, one transaction: the key decides what is new, the event is stored exactly when its key
is, and the tally counts what was stored. Arrays are built in PostgreSQL's binary form here, since a batch of a
thousand bodies of 4 kB would otherwise be written out in hexadecimal first.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

from worker.config.servers import postgres_parameters

if TYPE_CHECKING:
    from psycopg.abc import Buffer

SOURCE: Final = "robaws"
CONNECT_SECONDS: Final = 2
STATEMENT_SECONDS: Final = 5

_STORE: Final = """
WITH fresh AS (
    INSERT INTO inbox_key (source, event_id)
    SELECT %(source)s, event_id FROM unnest(%(event_ids)s) AS incoming(event_id)
    ON CONFLICT DO NOTHING
    RETURNING event_id
), stored AS (
    INSERT INTO inbox_event (source, event_id, kind, source_id, headers, body, correlation_id)
    SELECT %(source)s, event_id, kind, source_id, headers::jsonb, body, correlation_id
    FROM unnest(%(event_ids)s, %(kinds)s, %(source_ids)s, %(headers)s, %(bodies)s, %(correlations)s)
        AS incoming(event_id, kind, source_id, headers, body, correlation_id)
    JOIN fresh USING (event_id)
), counted AS (
    INSERT INTO event_tally (received) SELECT count(*) FROM fresh HAVING count(*) > 0
)
SELECT event_id FROM fresh
"""

_REJECT: Final = """
WITH trimmed AS (
    DELETE FROM inbox_reject WHERE id IN (
        SELECT id FROM inbox_reject ORDER BY id DESC OFFSET %(keep)s FOR UPDATE SKIP LOCKED)
), stored AS (
    INSERT INTO inbox_reject (source, problem, headers, body)
    SELECT %(source)s, problem, headers::jsonb, body
    FROM unnest(%(problems)s, %(headers)s, %(bodies)s) AS incoming(problem, headers, body)
)
INSERT INTO event_tally (rejected) VALUES (%(count)s)
"""

_HEADER: Final = Struct("!iiIii")
_LENGTH: Final = Struct("!i")
_TEXT_OID: Final = 25
_BYTEA_OID: Final = 17


class TextArray:
    """A `text[]` of UTF-8 bytes."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[bytes]) -> None:
        self.items = items


class BytesArray(TextArray):
    """A `bytea[]`."""

    __slots__ = ()


class _ArrayDumper(Dumper):
    """PostgreSQL's array_recv: dimensions, no nulls, element type, size, lower bound; each element with its length."""

    format = Format.BINARY
    element_oid: ClassVar[int]

    @override
    def dump(self, obj: TextArray) -> Buffer | None:
        items = obj.items
        pack = _LENGTH.pack
        parts = [_HEADER.pack(1, 0, self.element_oid, len(items), 1)]
        for item in items:
            parts.append(pack(len(item)))
            parts.append(item)
        return b"".join(parts)


class _TextArrayDumper(_ArrayDumper):
    oid = 1009
    element_oid = _TEXT_OID


class _BytesArrayDumper(_ArrayDumper):
    oid = 1001
    element_oid = _BYTEA_OID


async def connect(url: str) -> AsyncConnection[Any]:
    """A connection of the receiver's own, each statement a transaction. OperationalError where there is none."""
    own = {
        "application_name": "receiver",
        "connect_timeout": CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": STATEMENT_SECONDS * 1000,
        "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s",
    }
    connection = await AsyncConnection.connect(
        autocommit=True, prepare_threshold=0, **{**postgres_parameters(url), **own}
    )
    connection.adapters.register_dumper(TextArray, _TextArrayDumper)
    connection.adapters.register_dumper(BytesArray, _BytesArrayDumper)
    return connection


def cut(connection: AsyncConnection[Any]) -> None:
    """
    End a connection that does not answer.

    The socket is shut rather than the statement cancelled: a cancellation asks the same server, which is silent, and
    whoever waits on the connection learns of it at once.
    """
    try:
        line = socket.socket(fileno=os.dup(connection.fileno()))
    except (psycopg.Error, OSError):
        return
    with line:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


async def store_events(
    connection: AsyncConnection[Any],
    *,
    event_ids: Sequence[bytes],
    kinds: Sequence[bytes],
    source_ids: Sequence[bytes],
    headers: Sequence[bytes],
    bodies: Sequence[bytes],
    correlations: Sequence[bytes],
) -> set[str]:
    """Commit these events, whose ids differ; returns the ids that were new. Any psycopg.Error: nothing is certain."""
    cursor = await connection.execute(
        _STORE,
        {
            "source": SOURCE,
            "event_ids": TextArray(event_ids),
            "kinds": TextArray(kinds),
            "source_ids": TextArray(source_ids),
            "headers": TextArray(headers),
            "bodies": BytesArray(bodies),
            "correlations": TextArray(correlations),
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def store_rejects(
    connection: AsyncConnection[Any],
    *,
    problems: Sequence[bytes],
    headers: Sequence[bytes],
    bodies: Sequence[bytes],
    limit: int,
) -> None:
    """Commit these to the quarantine, count them, and let the oldest go beyond `limit`."""
    kept = slice(max(0, len(problems) - limit), None)
    await connection.execute(
        _REJECT,
        {
            "source": SOURCE,
            "problems": TextArray(problems[kept]),
            "headers": TextArray(headers[kept]),
            "bodies": BytesArray(bodies[kept]),
            "count": len(problems),
            "keep": max(0, limit - len(problems)),
        },
    )
