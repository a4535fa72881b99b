"""
The inbox from the worker's side: take new events, close them, open them again.

Every change of an event's state adds its count to the tally in the same transaction, so that
received = applied + skipped + open + dead holds at every moment and not only at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.fuse import Rest
from worker.store.requests import APART

BATCH: Final = 500
QUIET_SECONDS: Final = 0.1
"""How long a contact rests after a fetch: what came together is fetched together."""
BURST_QUIET_SECONDS: Final = 1.0
"""The same where hints keep coming: fifty events in a second cost the first fetch and one more, not one each."""


@dataclass(frozen=True)
class Taken:
    """What an intake did: the contacts that are owed a fetch now, and how many events it looked at."""

    contact_ids: tuple[int, ...]
    events: int


_NEW = text(
    """
    SELECT id, received_at, source, source_id, kind, correlation_id FROM inbox_event
    WHERE state = 'new' ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)

_ANEW = f"""(c.fetch_state IN ('idle', 'dead') OR c.fetch_state = 'waiting'
            AND NOT (COALESCE(c.fetch_reason, '') IN ('{Rest.reason}', '{APART}')))"""
"""A contact for which a hint begins anew, and at once: none that rests, and none that is to be tried apart."""

_HINT = text(
    f"""
    INSERT INTO contact AS c
        (source, source_id, fetch_state, fetch_wanted, fetch_next_attempt_at, fetch_since, correlation_id)
    SELECT source, source_id, 'due', 1, :now, :now, correlation_id
    FROM unnest(CAST(:sources AS text[]), CAST(:source_ids AS text[]), CAST(:correlations AS text[]))
        AS hint(source, source_id, correlation_id)
    ORDER BY source, source_id
    ON CONFLICT (source, source_id) DO UPDATE SET
        fetch_wanted = c.fetch_wanted + 1,
        fetch_state = CASE WHEN {_ANEW} THEN 'due' ELSE c.fetch_state END,
        fetch_attempts = CASE WHEN {_ANEW} THEN 0 ELSE c.fetch_attempts END,
        fetch_since = CASE WHEN c.fetch_state IN ('idle', 'dead') THEN :now ELSE c.fetch_since END,
        fetch_next_attempt_at = CASE
            WHEN {_ANEW} THEN GREATEST(:now, LEAST(c.fetched_at, :now) + make_interval(secs => :quiet))
            WHEN c.fetch_state = 'due' AND c.fetch_wanted - c.fetch_done >= 2 AND c.fetch_attempts = 0
                THEN GREATEST(c.fetch_next_attempt_at, LEAST(c.fetched_at, :now) + make_interval(secs => :burst_quiet))
            ELSE c.fetch_next_attempt_at END,
        fetch_priority = 0,
        correlation_id = excluded.correlation_id
    RETURNING id, source, source_id, fetch_wanted, fetch_state
    """
)

_TAKE = text(
    """
    UPDATE inbox_event AS e SET state = 'taken', contact_id = t.contact_id, fetch_seq = t.fetch_seq
    FROM unnest(CAST(:ids AS bigint[]), CAST(:ats AS timestamptz[]), CAST(:contacts AS bigint[]),
        CAST(:seqs AS bigint[]))
        AS t(id, received_at, contact_id, fetch_seq)
    WHERE e.received_at = t.received_at AND e.id = t.id
    """
)

_REOPEN = text(
    """
    UPDATE inbox_event AS e SET state = 'taken', reason = NULL, closed_at = NULL, fetch_seq = c.fetch_wanted
    FROM contact AS c
    WHERE e.contact_id = c.id AND e.state = 'dead' AND c.id = ANY(CAST(:contacts AS bigint[]))
    """
)

_SKIP = text(
    """
    UPDATE inbox_event AS e SET state = 'skipped', reason = :reason, closed_at = :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:ats AS timestamptz[])) AS t(id, received_at)
    WHERE e.received_at = t.received_at AND e.id = t.id
    """
)

CLOSED = """
    closed AS (
        UPDATE inbox_event SET state = :state, reason = :reason, contact_version = :closed_version, closed_at = :now
        WHERE contact_id = :contact AND state = 'taken' AND fetch_seq <= :seq AND {when}
        RETURNING state
    ), counted AS (
        INSERT INTO event_tally (applied, skipped)
        SELECT count(*) FILTER (WHERE state = 'applied'), count(*) FILTER (WHERE state = 'skipped') FROM closed
        HAVING bool_or(state IN ('applied', 'skipped'))
    )
"""
"""Parts of a statement: a contact's open events end, `when` something holds, and the tally counts them."""

_CLOSE = text(f"WITH {CLOSED.format(when='true')} SELECT count(*) FROM closed")

_TALLY = text("INSERT INTO event_tally (applied, skipped) VALUES (:applied, :skipped)")

_FOLD = text(
    """
    WITH gone AS (
        DELETE FROM event_tally WHERE id IN (SELECT id FROM event_tally ORDER BY id LIMIT 50000 FOR UPDATE SKIP LOCKED)
        RETURNING received, applied, skipped, rejected
    )
    INSERT INTO event_tally (received, applied, skipped, rejected)
    SELECT sum(received), sum(applied), sum(skipped), sum(rejected) FROM gone HAVING count(*) > 0
    """
)


def intake(connection: Connection, now: datetime, limit: int = BATCH) -> Taken:
    """
    Give each new event to its contact, which is then owed a fetch; one transaction, several workers at once.

    Events that are not about clients are skipped. A contact that nobody knew is made; a fetch that gave up or waits for
    its next attempt is due again. Only a contact that goes to and fro rests on, and one whose fetch ended workers waits
    for its time apart; they cover the new events then.
    """
    rows = connection.execute(_NEW, {"limit": limit}).all()
    if not rows:
        return Taken((), 0)
    others = [row for row in rows if not row.kind.startswith("client.")]
    clients = [row for row in rows if row.kind.startswith("client.")]
    if others:
        skip(connection, others, "not_a_client_event", now)
    if not clients:
        return Taken((), len(rows))
    hints = {(row.source, row.source_id): row.correlation_id for row in clients}
    found = connection.execute(
        _HINT,
        {
            "sources": [source for source, _ in hints],
            "source_ids": [source_id for _, source_id in hints],
            "correlations": list(hints.values()),
            "now": now,
            "quiet": QUIET_SECONDS,
            "burst_quiet": BURST_QUIET_SECONDS,
        },
    ).all()
    by_key = {(row.source, row.source_id): row for row in found}
    owners = [by_key[row.source, row.source_id] for row in clients]
    connection.execute(
        _TAKE,
        {
            "ids": [row.id for row in clients],
            "ats": [row.received_at for row in clients],
            "contacts": [owner.id for owner in owners],
            "seqs": [owner.fetch_wanted for owner in owners],
        },
    )
    connection.execute(_REOPEN, {"contacts": [row.id for row in found]})
    return Taken(tuple(row.id for row in found if row.fetch_state == "due"), len(rows))


def skip(connection: Connection, rows: Sequence[Any], reason: str, now: datetime) -> None:
    """End events that cause nothing, with the reason."""
    ids, ats = [row.id for row in rows], [row.received_at for row in rows]
    connection.execute(_SKIP, {"ids": ids, "ats": ats, "reason": reason, "now": now})
    connection.execute(_TALLY, {"applied": 0, "skipped": len(rows)})


def close(
    connection: Connection,
    contact_id: int,
    seq: int,
    *,
    state: str,
    reason: str | None,
    version: int | None,
    now: datetime,
) -> int:
    """
    End the contact's open events up to `seq`: `applied`, `skipped` (with a reason) or `dead`; returns how many.

    Dead events stay countable as rows, so only the other two go into the tally.
    """
    values = {
        "contact": contact_id,
        "seq": seq,
        "state": state,
        "reason": reason,
        "closed_version": version,
        "now": now,
    }
    return int(connection.execute(_CLOSE, values).scalar_one())


def reopen(connection: Connection, contact_ids: Sequence[int]) -> int:
    """Dead events of these contacts are open again, for the fetch that is owed now."""
    return connection.execute(_REOPEN, {"contacts": list(contact_ids)}).rowcount


def fold_tally(connection: Connection) -> None:
    """Fold the tally's rows into one, so that its sum stays cheap."""
    connection.execute(_FOLD)


def has_new(connection: Connection) -> bool:
    """Whether an event waits for its intake."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM inbox_event WHERE state = 'new')")).scalar_one())


def prune_rejects(connection: Connection, before: datetime) -> int:
    """Let what was no event go from the quarantine once it is older than that; it is in no month. Returns how many."""
    statement = text("DELETE FROM inbox_reject WHERE received_at < :before")
    return connection.execute(statement, {"before": before}).rowcount
