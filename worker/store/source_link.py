"""The links to the source itself: which ids of other systems it is owed, and what of ours it has been written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from worker.store.requests import REQUESTED

_WANT_BACK = text(
    f"""
    INSERT INTO link AS l (contact_id, system, external_id, state, wanted_version, next_attempt_at, since,
        correlation_id)
    SELECT c.id, 'robaws', c.source_id, 'due', 1, :now, :now, :correlation FROM contact AS c WHERE c.id = :contact
    ON CONFLICT (contact_id, system) DO UPDATE SET
        wanted_version = l.wanted_version + 1,{REQUESTED}
    WHERE l.state <> 'excluded'
    RETURNING id, state
    """
)

_WANT_AGAIN = text(
    f"""
    UPDATE link AS l SET wanted_version = l.wanted_version + 1,{REQUESTED}
    WHERE l.contact_id = :contact AND l.system = 'robaws' AND l.state <> 'excluded'
    """
)


_LOCK_BOTH = text(
    "SELECT FROM link WHERE contact_id = :contact AND system IN (:system, 'robaws') "
    "ORDER BY contact_id, system FOR NO KEY UPDATE"
)


def lock_both(connection: Connection, contact_id: int, system: str) -> None:
    """Lock a contact's link to a system and its link to the source, in the order that everybody keeps."""
    connection.execute(_LOCK_BOTH, {"contact": contact_id, "system": system})


def want_write_back(connection: Connection, contact_id: int, now: datetime, correlation_id: str | None) -> int | None:
    """
    Owe the source the ids that its contact has elsewhere; the link's id where it is due now.

    Where a person left the write-back out, nothing is owed until a person asks for it again.
    """
    values = {"contact": contact_id, "now": now, "correlation": correlation_id}
    row = connection.execute(_WANT_BACK, values).one_or_none()
    return int(row.id) if row is not None and row.state == "due" else None


def want_again(connection: Connection, contact_id: int, now: datetime) -> None:
    """A record is no longer this contact's: where ids were written back, what stands there is put right."""
    connection.execute(_WANT_AGAIN, {"contact": contact_id, "now": now})


def external_ids(connection: Connection, contact_id: int) -> dict[str, str]:
    """The record of this contact in each system that has one."""
    statement = text("SELECT system, external_id FROM link WHERE contact_id = :c AND external_id IS NOT NULL")
    return {row.system: row.external_id for row in connection.execute(statement, {"c": contact_id})}


def written_back_since(connection: Connection, contact_id: int, since: datetime | None) -> bool:
    """Whether we wrote into the source after that time: then an unchanged contact is our own echo."""
    statement = text(
        "SELECT EXISTS (SELECT FROM link WHERE contact_id = :c AND system = 'robaws' "
        "AND synced_at >= COALESCE(:since, '-infinity'::timestamptz))"
    )
    return bool(connection.execute(statement, {"c": contact_id, "since": since}).scalar_one())
