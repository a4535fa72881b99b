"""
A client that is gone from the source: what was owed and asked for its sake ends, and begins again should it be back.

Records that it has stay as they are; no new one is made. A create that may have been made is still found out about, so
that no record is left that nobody knows of.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

SOURCE: Final = "robaws"
MESSAGE: Final = "the client is gone from Robaws"

# A question about anything but a field is about a record, and which one does not matter any more.
_WITHHOLD: Final = text(
    """
    UPDATE link AS l SET state = 'excluded', reason = 'gone', message = :message, next_attempt_at = NULL, since = NULL,
        attempts = 0, own_failures = 0, crashes = 0, restore = false
    WHERE contact_id = :contact AND state NOT IN ('working', 'synced', 'excluded') AND intent IS NULL
        AND (external_id IS NULL OR system = :source OR state = 'dead' OR EXISTS (
            SELECT FROM review WHERE link_id = l.id AND resolved_at IS NULL AND kind <> 'field'))
    """
)
_SETTLE: Final = text(
    """
    UPDATE link SET parked = '{}', reason = NULL, message = NULL,
        state = CASE WHEN synced_version >= wanted_version THEN 'synced' ELSE 'due' END,
        since = CASE WHEN synced_version >= wanted_version THEN NULL ELSE COALESCE(since, :now) END,
        next_attempt_at = CASE WHEN synced_version >= wanted_version THEN NULL ELSE CAST(:now AS timestamptz) END
    WHERE contact_id = :contact AND state = 'review' AND intent IS NULL
    """
)
_LOOK: Final = text(
    """
    UPDATE link SET request_seq = request_seq + 1,
        state = CASE WHEN state = 'dead' THEN 'unknown' ELSE state END,
        next_attempt_at = CASE WHEN state = 'dead' THEN CAST(:now AS timestamptz) ELSE next_attempt_at END
    WHERE contact_id = :contact AND (state = 'working' OR (state = 'dead' AND intent IS NOT NULL))
    """
)
_WITHDRAW: Final = text(
    """
    UPDATE review SET resolved_at = :now, choice = 'gone', resolved_by = 'contactsync'
    WHERE resolved_at IS NULL AND link_id IN (
        SELECT id FROM link WHERE contact_id = :contact AND intent IS NULL AND state <> 'working')
    """
)
_LOCK: Final = text("SELECT FROM link WHERE contact_id = :contact ORDER BY contact_id, system FOR NO KEY UPDATE")
_WRITE_BACK: Final = text(
    """
    UPDATE link SET state = 'due', reason = NULL, message = NULL, next_attempt_at = :now, since = :now,
        wanted_version = wanted_version + 1, request_seq = request_seq + 1
    WHERE contact_id = :contact AND system = :source AND state = 'excluded' AND reason = 'gone'
    """
)


def left(connection: Connection, contact_id: int, now: datetime) -> None:
    """The client is gone. What has yet to be looked at is due, and found by the sweep."""
    values: dict[str, Any] = {"contact": contact_id, "now": now, "source": SOURCE, "message": MESSAGE}
    connection.execute(_LOCK, values)
    for statement in (_WITHHOLD, _SETTLE, _LOOK, _WITHDRAW):
        connection.execute(statement, values)


def returned(connection: Connection, contact_id: int, now: datetime) -> None:
    """The client is there again: the source is owed its ids again. Its new version is owed to the others."""
    connection.execute(_WRITE_BACK, {"contact": contact_id, "now": now, "source": SOURCE})
