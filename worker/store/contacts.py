"""Contacts and the fetches that they are owed: claim, finish, postpone. A claim is a lease with a fencing token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from worker.errors import LeaseLost

DUE = "fetch_state IN ('due', 'working', 'waiting') AND fetch_next_attempt_at <= :now"

_CLAIM = """
    WITH next AS (
        SELECT id, fetch_state FROM contact WHERE {due} {which}
        ORDER BY fetch_priority, fetch_next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE contact AS c SET
        fetch_state = 'working',
        fetch_fence = c.fetch_fence + 1,
        fetch_claimed = c.fetch_wanted,
        fetch_crashes = CASE WHEN {newer} THEN 0 ELSE c.fetch_crashes + {crashed} END,
        fetch_attempts = CASE WHEN {newer} THEN 0 ELSE c.fetch_attempts + {crashed} END,
        fetch_own_failures = CASE WHEN {newer} THEN 0 ELSE c.fetch_own_failures END,
        fetch_next_attempt_at = :until
    FROM next WHERE c.id = next.id
    RETURNING c.id, c.source, c.source_id, c.version, c.content_hash, c.canonical, c.fetch_wanted, c.fetch_attempts,
        c.fetch_crashes, c.fetch_fence, c.fetch_priority, c.fetch_forced, c.correlation_id, c.fetched_at, c.fetch_done,
        c.fuse, c.fetch_reason, c.fetch_own_failures, c.taking_part,
        c.gone_at IS NOT NULL AS gone,
        next.fetch_state = 'working' AS crashed
"""
_PARTS = {
    "due": DUE,
    "crashed": "CASE WHEN c.fetch_state = 'working' THEN 1 ELSE 0 END",
    "newer": "c.fetch_wanted > c.fetch_claimed",
}
_CLAIM_ONE = text(_CLAIM.format(**_PARTS, which="AND id = :id"))
_CLAIM_NEXT = text(_CLAIM.format(**_PARTS, which=""))

_HOLD = "id = :id AND fetch_fence = :fence AND fetch_state = 'working'"

_NEWER = "fetch_wanted > :seq"
"""
What every end of a claim asks: was a fetch requested since it began, by an event or a person? Then the contact is due
again at once, with all its attempts before it, whatever became of this one.
"""

_RESTS = "(:resting AND fetch_asked <= :seq)"
"""A rest does not begin where a person asked for a fetch in the meantime."""

FINISH = f"""
    UPDATE contact SET
        version = :version, content_hash = :hash, name = :name, canonical = :canonical, raw = :raw,
        taking_part = :taking_part, fetched_at = :now, gone_at = :gone_at,
        changed_at = CASE WHEN :changed THEN :now ELSE changed_at END,
        fuse = CASE WHEN fetch_asked > :seq THEN NULL ELSE CAST(:fuse AS jsonb) END, fetch_done = :seq,
        fetch_attempts = 0, fetch_own_failures = 0, fetch_crashes = 0, fetch_reason = :rest_reason,
        fetch_message = :rest_message, fetch_fingerprint = NULL,
        fetch_forced = fetch_forced AND fetch_asked > :seq,
        fetch_state = CASE WHEN {_RESTS} THEN 'waiting' WHEN fetch_wanted > :seq THEN 'due' ELSE 'idle' END,
        fetch_since = CASE WHEN {_RESTS} OR fetch_wanted > :seq THEN :now ELSE NULL END,
        fetch_next_attempt_at = CASE
            WHEN {_RESTS} THEN CAST(:now AS timestamptz) + make_interval(secs => :rest)
            WHEN fetch_wanted >= :seq + 3 THEN CAST(:now AS timestamptz) + make_interval(secs => :burst_quiet)
            WHEN fetch_wanted > :seq THEN CAST(:now AS timestamptz) + make_interval(secs => :quiet)
            ELSE NULL END
    WHERE {_HOLD}
    RETURNING fetch_state
"""
"""A part of the statement that stores what was fetched (`worker.store.fetched`)."""

_POSTPONE = text(
    f"""
    UPDATE contact SET
        fetch_state = CASE WHEN {_NEWER} THEN 'due' ELSE :state END,
        fetch_next_attempt_at = CASE WHEN {_NEWER} THEN :now ELSE CAST(:at AS timestamptz) END,
        fetch_attempts = CASE WHEN {_NEWER} THEN 0 ELSE :attempts END,
        fetch_own_failures = CASE WHEN {_NEWER} THEN 0 ELSE :own_failures END,
        fetch_crashes = CASE WHEN :reason = 'crashed' THEN fetch_crashes ELSE 0 END,
        fetch_reason = :reason, fetch_message = :message, fetch_fingerprint = :fingerprint,
        fetch_since = COALESCE(fetch_since, :now)
    WHERE {_HOLD}
    RETURNING fetch_state
    """
)

_WANT = text(
    """
    UPDATE contact SET
        fuse = NULL, fetch_wanted = fetch_wanted + 1, fetch_asked = fetch_wanted + 1,
        fetch_forced = fetch_forced OR :forced,
        fetch_attempts = CASE WHEN fetch_state = 'working' THEN fetch_attempts ELSE 0 END,
        fetch_crashes = CASE WHEN fetch_state = 'working' THEN fetch_crashes ELSE 0 END,
        fetch_since = CASE WHEN fetch_state IN ('idle', 'dead') THEN :now ELSE fetch_since END,
        fetch_next_attempt_at = CASE WHEN fetch_state = 'working' THEN fetch_next_attempt_at ELSE :now END,
        fetch_state = CASE WHEN fetch_state = 'working' THEN 'working' ELSE 'due' END,
        fetch_priority = CASE WHEN fetch_next_attempt_at IS NULL THEN :priority
            ELSE LEAST(fetch_priority, :priority) END,
        correlation_id = :correlation
    WHERE id IN (
        SELECT id FROM contact WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY source, source_id FOR NO KEY UPDATE)
    RETURNING id
    """
)


@dataclass(frozen=True)
class FetchClaim:
    """A fetch that this worker holds until `until`; `seq` is the hint that it covers."""

    contact_id: int
    source: str
    source_id: str
    version: int
    content_hash: str | None
    canonical: dict[str, Any] | None
    seq: int
    attempts: int
    own_failures: int
    crashes: int
    fence: int
    priority: int
    forced: bool
    correlation_id: str | None
    fetched_at: datetime | None
    done: int
    fuse: dict[str, Any] | None
    reason: str | None
    taking_part: bool
    gone: bool
    crashed: bool
    until: datetime


def claim_fetch(
    connection: Connection, now: datetime, lease_seconds: float, contact_id: int | None = None
) -> FetchClaim | None:
    """Claim the fetch of one contact, or of the next that is due; None when there is none to be had."""
    until = now + timedelta(seconds=lease_seconds)
    values: dict[str, Any] = {"now": now, "until": until}
    if contact_id is None:
        row = connection.execute(_CLAIM_NEXT, values).one_or_none()
    else:
        row = connection.execute(_CLAIM_ONE, {**values, "id": contact_id}).one_or_none()
    if row is None:
        return None
    return FetchClaim(
        row.id,
        row.source,
        row.source_id,
        row.version,
        row.content_hash,
        row.canonical,
        row.fetch_wanted,
        row.fetch_attempts,
        row.fetch_own_failures,
        row.fetch_crashes,
        row.fetch_fence,
        row.fetch_priority,
        row.fetch_forced,
        row.correlation_id,
        row.fetched_at,
        row.fetch_done,
        row.fuse,
        row.fetch_reason,
        row.taking_part,
        row.gone,
        row.crashed,
        until,
    )


def postpone_fetch(
    connection: Connection,
    claim: FetchClaim,
    *,
    state: str,
    at: datetime | None,
    attempts: int,
    own_failures: int,
    reason: str,
    message: str,
    fingerprint: str | None,
    now: datetime,
) -> str:
    """
    End the claim without a fetch: `waiting` or `due` until `at`, or `dead`. LeaseLost as above.

    Returns the state that the contact has now: `due` instead, where a fetch was requested in the meantime.
    """
    values = {
        "id": claim.contact_id,
        "fence": claim.fence,
        "seq": claim.seq,
        "state": state,
        "at": at,
        "attempts": attempts,
        "own_failures": own_failures,
        "reason": reason,
        "message": message,
        "fingerprint": fingerprint,
        "now": now,
    }
    row = connection.execute(_POSTPONE, values).one_or_none()
    if row is None:
        raise LeaseLost(f"another worker has taken over the fetch of contact {claim.contact_id}")
    return str(row.fetch_state)


def want_fetch(
    connection: Connection,
    contact_ids: Sequence[int],
    now: datetime,
    *,
    forced: bool = False,
    priority: int = 0,
    correlation_id: str | None = None,
) -> list[int]:
    """
    A person wants these contacts fetched now; a rest ends. `forced`: links are delivered again even if nothing changed.

    What is owed already with a higher priority keeps it.
    """
    values = {
        "ids": list(contact_ids),
        "now": now,
        "forced": forced,
        "priority": priority,
        "correlation": correlation_id,
    }
    return [row.id for row in connection.execute(_WANT, values)]


def record(connection: Connection, contact_id: int) -> dict[str, Any] | None:
    """The source's own record of a contact as it was last fetched; None where there is none."""
    found: dict[str, Any] | None = connection.execute(
        text("SELECT raw FROM contact WHERE id = :id"), {"id": contact_id}
    ).scalar()
    return found


def due_fetches(connection: Connection, now: datetime, limit: int) -> list[int]:
    """The ids of contacts whose fetch is due, the most urgent first."""
    statement = text(f"SELECT id FROM contact WHERE {DUE} ORDER BY fetch_priority, fetch_next_attempt_at LIMIT :limit")
    return [row.id for row in connection.execute(statement, {"now": now, "limit": limit})]


def names(connection: Connection, source: str, source_ids: Sequence[str]) -> dict[str, str | None]:
    """The names of those contacts that are there, by the source's id; one that is gone from the source is not."""
    statement = text(
        "SELECT source_id, name FROM contact WHERE source = :source AND source_id = ANY(:ids) AND gone_at IS NULL"
    )
    rows = connection.execute(statement, {"source": source, "ids": list(source_ids)})
    return {row.source_id: row.name for row in rows}
