"""
Links: what each system is owed for each contact. Claim, commit what was learned, finish, postpone, park.

Every write after a claim is guarded by the fencing token: a worker whose lease has ended finds that its update
touches no row, and stops with LeaseLost instead of writing over what another one learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from worker.core.contact import Json
from worker.errors import AmbiguousMatch, LeaseLost
from worker.store import attempts

DUE = "state IN ('due', 'working', 'waiting', 'unknown') AND next_attempt_at <= :now"

REFUSED = ("rejected", "rejected_unclear", "validation", "missing_required", "does_not_fit", "mapping")
"""Reasons that lie in the contact's own data: a new version of the contact is reason enough to try at once."""

WANT = """
    INSERT INTO link AS l (contact_id, system, state, wanted_version, priority, next_attempt_at, since, restore,
        correlation_id)
    SELECT :contact, system, 'due', :version, :priority, :now, :now, false, :correlation
    FROM unnest(CAST(:systems AS text[])) AS wanted(system) WHERE {when} ORDER BY system
    ON CONFLICT (contact_id, system) DO UPDATE SET
        wanted_version = :version,
        restore = l.restore OR :restore,
        overtaken = CASE WHEN l.state = 'working' THEN :back || l.overtaken ELSE l.overtaken END,
        priority = :priority,
        correlation_id = :correlation,
        state = CASE
            WHEN l.state IN ('working', 'unknown', 'due') THEN l.state
            WHEN l.state = 'waiting' AND NOT (l.reason = ANY(CAST(:refused AS text[]))) THEN l.state
            ELSE 'due' END,
        attempts = CASE WHEN l.state IN ('working', 'unknown', 'due') THEN l.attempts
            WHEN l.state = 'waiting' AND NOT (l.reason = ANY(CAST(:refused AS text[]))) THEN l.attempts ELSE 0 END,
        crashes = CASE WHEN l.state IN ('synced', 'review', 'dead', 'excluded') THEN 0 ELSE l.crashes END,
        since = CASE WHEN l.state IN ('synced', 'excluded') THEN :now ELSE COALESCE(l.since, :now) END,
        next_attempt_at = CASE
            WHEN l.state IN ('working', 'unknown') THEN l.next_attempt_at
            WHEN l.state = 'waiting' AND NOT (l.reason = ANY(CAST(:refused AS text[]))) THEN l.next_attempt_at
            WHEN l.state = 'due' THEN LEAST(l.next_attempt_at, :now)
            ELSE :now END
    WHERE (l.wanted_version < :version AND l.state <> 'excluded')
        OR (:restore AND NOT (l.state = 'excluded' AND l.reason IN ('unlinked', 'taken_over')))
        OR (l.state = 'excluded' AND l.reason = 'filtered')
    RETURNING l.id, l.system, l.state
"""
"""
A part of a statement: these systems are owed this version of the contact, `when` something holds.

`back` leads back to the contents before, as a list of merge patches: a link that is being delivered keeps it, as its
worker may be lost. A link that gave up, or waits because its data was refused, is due at once, since the data changed;
one that waits for its vendor goes on waiting, and one that is being delivered is due again when that is done. One that
a person left out stays out until a person asks for it (`restore`).
"""

# Columns by name: a newer release may add one while this one has the statement prepared, which would then fail.
_CLAIM = """
    WITH next AS (
        SELECT id FROM link WHERE {due} {which}
        ORDER BY priority, next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE link AS l SET
            state = 'working',
            fence = l.fence + 1,
            crashes = l.crashes + CASE WHEN l.state = 'working' THEN 1 ELSE 0 END,
            attempts = l.attempts + CASE WHEN l.state = 'working' THEN 1 ELSE 0 END,
            intent = CASE WHEN l.state = 'working' AND l.intent IS NOT NULL THEN
                jsonb_set(l.intent, '{{sent_at}}', to_jsonb(GREATEST(extract(epoch FROM l.next_attempt_at) - :slack,
                    COALESCE(CAST(l.intent ->> 'sent_at' AS double precision) + :timeout, 0))))
                ELSE l.intent END,
            next_attempt_at = :until
        FROM next WHERE l.id = next.id
        RETURNING l.id, l.contact_id, l.system, l.external_id, l.wanted_version, l.snapshot, l.intent, l.parked,
            l.decided, l.restore, l.repair, l.overtaken, l.attempts, l.crashes, l.fence, l.priority, l.reason,
            l.correlation_id, l.reads
    )
    SELECT claimed.*, c.source_id, c.canonical, c.version AS contact_version, c.taking_part, c.gone_at,
        EXISTS (SELECT FROM review WHERE link_id = claimed.id AND resolved_at IS NULL) AS asked
    FROM claimed JOIN contact AS c ON c.id = claimed.contact_id
"""
_CLAIM_ONE = text(_CLAIM.format(due=DUE, which="AND id = :id AND (:creates OR external_id IS NOT NULL)"))
_CLAIM_NEXT = text(_CLAIM.format(due=DUE, which="AND system = :system AND (:creates OR external_id IS NOT NULL)"))
_CLAIM_BEGUN = text(
    _CLAIM.format(
        due=DUE,
        which=f"""AND id = :id AND system = :system AND (:creates OR external_id IS NOT NULL) AND priority <= (
            SELECT priority FROM link WHERE system = :system AND {DUE} ORDER BY priority, next_attempt_at LIMIT 1)""",
    )
)
"""A link that was begun goes on before the others, but not before those of a higher priority."""

_HELD = "id = :id AND fence = :fence AND state = 'working'"

_RENEW = text(f"UPDATE link SET next_attempt_at = :until WHERE {_HELD}")
_INTEND = text(f"UPDATE link SET intent = :intent WHERE {_HELD}").bindparams(
    bindparam("intent", type_=JSONB(none_as_null=True))
)
_BIND = text(
    f"UPDATE link SET external_id = :external_id, intent = :intent, snapshot = :snapshot, repair = '[]' WHERE {_HELD}"
).bindparams(bindparam("intent", type_=JSONB(none_as_null=True)), bindparam("snapshot", type_=JSONB(none_as_null=True)))
_EXPECT = text(f"UPDATE link SET snapshot = :snapshot, repair = :repair WHERE {_HELD}").bindparams(
    bindparam("snapshot", type_=JSONB(none_as_null=True)), bindparam("repair", type_=JSONB())
)
_FINISH = text(
    f"""
    WITH held AS (
        UPDATE link SET
            snapshot = :snapshot, parked = :parked, unheld = :unheld, intent = NULL, restore = false,
            repair = '[]', overtaken = '[]', reads = NULL,
            decided = CASE WHEN :settled THEN decided - 'ours' - 'linked' ELSE decided END,
            synced_version = :version, synced_at = :now, attempts = 0, crashes = 0,
            reason = :reason, message = :message, status = NULL, fields = NULL, fingerprint = NULL, operation = NULL,
            state = CASE WHEN wanted_version > :version THEN 'due' ELSE :state END,
            since = CASE WHEN wanted_version > :version THEN CAST(:now AS timestamptz) WHEN :state = 'synced' THEN NULL
                ELSE COALESCE(since, :now) END,
            next_attempt_at = CASE WHEN wanted_version > :version THEN CAST(:now AS timestamptz) ELSE NULL END
        WHERE {_HELD}
        RETURNING state
    ), logged AS ({attempts.INSERT} WHERE EXISTS (SELECT FROM held))
    SELECT state FROM held
    """
).bindparams(
    bindparam("snapshot", type_=JSONB(none_as_null=True)),
    bindparam("parked", type_=JSONB()),
    bindparam("unheld", type_=JSONB()),
)
_POSTPONE = text(
    f"""
    UPDATE link SET state = :state, next_attempt_at = :at, attempts = :attempts, reason = :reason,
        message = :message, operation = :operation, status = :status, fields = :fields, fingerprint = :fingerprint,
        repair = :repair, overtaken = '[]', since = COALESCE(since, :now), reads = :reads
    WHERE {_HELD}
    """
).bindparams(
    bindparam("fields", type_=JSONB(none_as_null=True)),
    bindparam("repair", type_=JSONB()),
    bindparam("reads", type_=JSONB(none_as_null=True)),
)


@dataclass(frozen=True)
class LinkClaim:
    """A link that this worker holds until `until`, with the contact as it is to be delivered."""

    id: int
    contact_id: int
    source_id: str
    system: str
    external_id: str | None
    contact: Json
    version: int
    wanted: int
    snapshot: dict[str, Any] | None
    intent: dict[str, Any] | None
    parked: dict[str, Any]
    decided: dict[str, Any]
    restore: bool
    repair: list[str]
    overtaken: list[Any]
    attempts: int
    crashes: int
    fence: int
    priority: int
    reason: str | None
    taking_part: bool
    gone: bool
    correlation_id: str | None
    until: datetime
    asked: bool = False
    """Whether a question about it is open."""
    reads: dict[str, Any] | None = None
    """What an earlier attempt had read when a rate limit put it off."""


def claim(
    connection: Connection,
    system: str,
    now: datetime,
    lease_seconds: float,
    *,
    link_id: int | None = None,
    begun: int | None = None,
    creates: bool = True,
    slack_seconds: float = 0.0,
    timeout_seconds: float = 0.0,
) -> LinkClaim | None:
    """
    Claim one link, or the next of a system that is due; None when there is none to be had. With `begun` that link is
    the next one, unless one of a higher priority is due.

    `creates` False leaves out links without a record there (the subscription is full). A lease that ended with its
    worker is counted as a crash; `overtaken` then tells what that worker may have written there, and a create that it
    may have sent counts as given up `slack_seconds` before the lease ended, and not before a request may have
    taken `timeout_seconds`: a lease may be shorter than that, and a worker that lost it waits on.
    """
    until = now + timedelta(seconds=lease_seconds)
    values: dict[str, Any] = {"now": now, "until": until, "creates": creates, "slack": slack_seconds}
    values |= {"timeout": timeout_seconds, "system": system, "id": begun if link_id is None else link_id}
    row = connection.execute(_CLAIM_ONE, values).one_or_none() if link_id is not None else None
    if begun is not None and link_id is None:
        row = connection.execute(_CLAIM_BEGUN, values).one_or_none()
    if row is None and link_id is None:
        row = connection.execute(_CLAIM_NEXT, values).one_or_none()
    if row is None:
        return None
    return LinkClaim(
        id=row.id,
        contact_id=row.contact_id,
        source_id=row.source_id,
        system=row.system,
        external_id=row.external_id,
        contact=row.canonical or {},
        version=row.contact_version,
        wanted=row.wanted_version,
        snapshot=row.snapshot,
        intent=row.intent,
        parked=row.parked,
        decided=row.decided,
        restore=row.restore,
        repair=row.repair,
        overtaken=row.overtaken,
        attempts=row.attempts,
        crashes=row.crashes,
        fence=row.fence,
        priority=row.priority,
        reason=row.reason,
        taking_part=row.taking_part,
        gone=row.gone_at is not None,
        correlation_id=row.correlation_id,
        until=until,
        asked=row.asked,
        reads=row.reads,
    )


def _held(connection: Connection, claim: LinkClaim, statement: Any, values: Mapping[str, Any]) -> Any:
    result = connection.execute(statement, {"id": claim.id, "fence": claim.fence, **values})
    if result.rowcount != 1:
        raise _lost(claim)
    return result


def _lost(claim: LinkClaim) -> LeaseLost:
    return LeaseLost(f"another worker has taken over link {claim.id}")


def renew(connection: Connection, claim: LinkClaim, until: datetime) -> None:
    """Hold the claim until then. LeaseLost as above."""
    _held(connection, claim, _RENEW, {"until": until})


def intend(connection: Connection, claim: LinkClaim, intent: Mapping[str, Any] | None) -> None:
    """Write down a create before its request leaves (None: it was never sent, or is settled)."""
    _held(connection, claim, _INTEND, {"intent": intent})


def bind(
    connection: Connection,
    claim: LinkClaim,
    external_id: str | None,
    *,
    intent: Mapping[str, Any] | None = None,
    snapshot: Mapping[str, Any] | None = None,
) -> None:
    """
    Write down which record there is this contact's, the moment it is known; None takes it back.

    AmbiguousMatch when another contact's link holds that record.
    """
    try:
        with connection.begin_nested():
            _held(connection, claim, _BIND, {"external_id": external_id, "intent": intent, "snapshot": snapshot})
    except IntegrityError as error:
        raise AmbiguousMatch(
            f"record {external_id} in {claim.system} belongs to another client already", reason="match_taken"
        ) from error


def expect(connection: Connection, claim: LinkClaim, snapshot: Mapping[str, Any], repair: Sequence[str]) -> None:
    """Write down what a change is about to bring there, and what to put right should it not. LeaseLost as above."""
    _held(connection, claim, _EXPECT, {"snapshot": snapshot, "repair": list(repair)})


def finish(
    connection: Connection,
    claim: LinkClaim,
    *,
    state: str,
    snapshot: Mapping[str, Any] | None,
    parked: Mapping[str, Any],
    unheld: Sequence[str],
    reason: str | None,
    message: str | None,
    now: datetime,
    logged: Mapping[str, Any],
    version: int | None = None,
    settled: bool = False,
) -> bool:
    """
    End the claim as `synced`, `review` or `excluded` with the version delivered (the contact's, unless another is
    given), and log its requests (`attempts.values`), in one statement. LeaseLost as above.

    `settled`: every field was decided about, so that a person's `ours` and `linked` have been carried out.

    Returns whether the link is due again, because the contact changed in the meantime.
    """
    values = {
        "state": state,
        "snapshot": snapshot,
        "parked": dict(parked),
        "unheld": list(unheld),
        "version": claim.version if version is None else version,
        "reason": reason,
        "message": message,
        "now": now,
        "settled": settled,
    }
    row = connection.execute(_FINISH, {**logged, "id": claim.id, "fence": claim.fence, **values}).one_or_none()
    if row is None:
        raise _lost(claim)
    return bool(row.state == "due")


def postpone(
    connection: Connection,
    claim: LinkClaim,
    *,
    state: str,
    at: datetime | None,
    attempts: int,
    reason: str,
    message: str,
    now: datetime,
    operation: str | None = None,
    status: int | None = None,
    fields: Mapping[str, str] | None = None,
    fingerprint: str | None = None,
    repair: Sequence[str] = (),
    reads: Mapping[str, Any] | None = None,
) -> None:
    """
    End the claim undelivered: `due`, `waiting` or `unknown` until `at`, `review` or `dead`. LeaseLost as above.

    `repair` are the paths that a change of ours may have written; no others are put right by the next delivery.
    """
    values = {
        "state": state,
        "at": at,
        "attempts": attempts,
        "reason": reason,
        "message": message,
        "operation": operation,
        "status": status,
        "fields": dict(fields) if fields else None,
        "fingerprint": fingerprint,
        "repair": list(repair),
        "reads": dict(reads) if reads else None,
        "now": now,
    }
    _held(connection, claim, _POSTPONE, values)


def due_links(connection: Connection, system: str, now: datetime, limit: int) -> list[int]:
    """The ids of a system's links that are due, the most urgent first."""
    statement = text(
        f"SELECT id FROM link WHERE system = :system AND {DUE} ORDER BY priority, next_attempt_at LIMIT :limit"
    )
    return [row.id for row in connection.execute(statement, {"system": system, "now": now, "limit": limit})]


def taken_ids(connection: Connection, system: str, external_ids: Sequence[str], but: int) -> frozenset[str]:
    """Which of these records belong to another contact's link already."""
    statement = text("SELECT external_id FROM link WHERE system = :s AND external_id = ANY(:ids) AND id <> :but")
    rows = connection.execute(statement, {"s": system, "ids": list(external_ids), "but": but})
    return frozenset(row.external_id for row in rows)


def open_references(connection: Connection, system: str, references: Sequence[str], but: int) -> frozenset[str]:
    """Under which of these references another contact's create is open: a record that bears one may have come of it."""
    if not references:
        return frozenset()
    statement = text(
        "SELECT intent ->> 'reference' AS reference FROM link WHERE system = :s AND intent IS NOT NULL AND id <> :but "
        "AND intent ->> 'reference' = ANY(:references)"
    )
    rows = connection.execute(statement, {"s": system, "references": list(references), "but": but})
    return frozenset(row.reference for row in rows)
