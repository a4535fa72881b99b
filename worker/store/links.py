"""
Links: what each system is owed for each contact. Claim, commit what was learned, finish, postpone, park.

Every write after a claim is guarded by the fencing token: a worker whose lease has ended finds that its update
touches no row, and stops with LeaseLost instead of writing over what another one learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from worker.core.contact import Json
from worker.errors import AmbiguousMatch, LeaseLost
from worker.store import attempts

SOURCE: Final = "robaws"
DUE = "state IN ('due', 'working', 'waiting', 'unknown') AND next_attempt_at <= :now"

# Columns by name: a newer release may add one while this one has the statement prepared, which would then fail.
_CLAIM = """
    WITH next AS (
        SELECT id, state FROM link WHERE {due} {which}
        ORDER BY priority, next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE link AS l SET
            state = 'working',
            fence = l.fence + 1,
            claimed_seq = l.request_seq,
            crashes = CASE WHEN {newer} THEN 0 ELSE l.crashes + {crashed} END,
            attempts = CASE WHEN {newer} THEN 0 ELSE l.attempts + {crashed} END,
            own_failures = CASE WHEN {newer} THEN 0 ELSE l.own_failures END,
            intent = CASE WHEN l.state = 'working' AND l.intent IS NOT NULL THEN
                jsonb_set(l.intent, '{{sent_at}}', to_jsonb(GREATEST(extract(epoch FROM l.next_attempt_at) - :slack,
                    COALESCE(CAST(l.intent ->> 'sent_at' AS double precision) + :timeout, 0))))
                ELSE l.intent END,
            next_attempt_at = :until
        FROM next WHERE l.id = next.id
        RETURNING l.id, l.contact_id, l.system, l.external_id, l.wanted_version AS wanted, l.snapshot, l.intent,
            l.parked, l.decided, l.restore, l.repair, l.overtaken, l.attempts, l.own_failures, l.crashes, l.fence,
            l.priority, l.reason, l.correlation_id, l.reads, next.state = 'working' AS crashed
    )
    SELECT claimed.*, c.source_id, COALESCE(c.canonical, '{{}}') AS contact, c.version, c.taking_part,
        c.gone_at IS NOT NULL AS gone,
        EXISTS (SELECT FROM review WHERE link_id = claimed.id AND resolved_at IS NULL) AS asked
    FROM claimed JOIN contact AS c ON c.id = claimed.contact_id
"""
_PARTS = {
    "due": DUE,
    "crashed": "CASE WHEN l.state = 'working' THEN 1 ELSE 0 END",
    "newer": "l.request_seq > l.claimed_seq",
}
_CLAIM_ONE = text(_CLAIM.format(**_PARTS, which="AND id = :id AND (:creates OR external_id IS NOT NULL)"))
_CLAIM_NEXT = text(_CLAIM.format(**_PARTS, which="AND system = :system AND (:creates OR external_id IS NOT NULL)"))
_CLAIM_BEGUN = text(
    _CLAIM.format(
        **_PARTS,
        which=f"""AND id = :id AND system = :system AND (:creates OR external_id IS NOT NULL) AND priority <= (
            SELECT priority FROM link WHERE system = :system AND {DUE} ORDER BY priority, next_attempt_at LIMIT 1)""",
    )
)
"""A link that was begun goes on before the others, but not before those of a higher priority."""

_HELD = "id = :id AND fence = :fence AND state = 'working'"

_NEWER = "(request_seq > claimed_seq OR wanted_version > :version)"
"""
What every end of a claim asks: was anything requested since it began? Then the link is due again at once, with all its
attempts before it, whatever became of this one. `:version` is what the claim covers.
"""

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
            snapshot = :snapshot, parked = :parked, unheld = :unheld, intent = NULL,
            restore = restore AND restore_seq > claimed_seq, repair = '[]', overtaken = '[]', reads = NULL,
            decided = CASE WHEN :settled THEN decided - 'ours' - 'linked' - 'values' ELSE decided END,
            synced_version = :version, synced_at = :now, attempts = 0, own_failures = 0, crashes = 0,
            reason = :reason, message = :message, status = NULL, fields = NULL, fingerprint = NULL, operation = NULL,
            settles_at = NULL,
            state = CASE WHEN {_NEWER} THEN 'due' ELSE :state END,
            since = CASE WHEN {_NEWER} THEN CAST(:now AS timestamptz) WHEN :state IN ('synced', 'excluded') THEN NULL
                ELSE COALESCE(since, :now) END,
            next_attempt_at = CASE WHEN {_NEWER} THEN CAST(:now AS timestamptz) ELSE NULL END
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
    UPDATE link SET
        state = CASE WHEN :state <> 'unknown' AND {_NEWER} THEN 'due' ELSE :state END,
        next_attempt_at = CASE WHEN {_NEWER} THEN GREATEST(CAST(:now AS timestamptz), :settles_at)
            ELSE CAST(:at AS timestamptz) END,
        attempts = CASE WHEN {_NEWER} THEN 0 ELSE :attempts END,
        own_failures = CASE WHEN {_NEWER} THEN 0 ELSE :own_failures END,
        crashes = CASE WHEN :reason = 'crashed' THEN crashes ELSE 0 END,
        reason = :reason, message = :message, operation = :operation, status = :status, fields = :fields,
        fingerprint = :fingerprint, settles_at = :settles_at, repair = :repair, overtaken = '[]',
        reads = :reads, since = COALESCE(since, :now)
    WHERE {_HELD}
    RETURNING state
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
    own_failures: int
    crashes: int
    fence: int
    priority: int
    reason: str | None
    taking_part: bool
    gone: bool
    correlation_id: str | None
    until: datetime
    crashed: bool = False
    """Whether it was found in work, after its worker's lease."""
    asked: bool = False
    """Whether a question about it is open."""
    reads: dict[str, Any] | None = None
    """What an earlier attempt had read when a rate limit put it off."""

    @property
    def covers(self) -> int:
        """The version that is delivered; the source itself has none, it is owed ids and counts how often."""
        return self.wanted if self.system == SOURCE else self.version


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
    return LinkClaim(**row._mapping, until=until)


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
    settled: bool = False,
) -> bool:
    """
    End the claim as `synced`, `review` or `excluded` with the version that it covers, and log its requests
    (`attempts.values`), in one statement. LeaseLost as above.

    `settled`: every field was decided about, so that a person's `ours` and `linked` have been carried out.

    Returns whether the link is due again, because something was requested in the meantime.
    """
    values = {
        "state": state,
        "snapshot": snapshot,
        "parked": dict(parked),
        "unheld": list(unheld),
        "version": claim.covers,
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
    own_failures: int,
    reason: str,
    message: str,
    now: datetime,
    operation: str | None = None,
    status: int | None = None,
    fields: Mapping[str, str] | None = None,
    fingerprint: str | None = None,
    repair: Sequence[str] = (),
    reads: Mapping[str, Any] | None = None,
    settles_at: datetime | None = None,
) -> str:
    """
    End the claim undelivered: `due`, `waiting` or `unknown` until `at`, `review` or `dead`. LeaseLost as above.

    Returns the state that the link has now: `due` instead, where something was requested in the meantime. `repair` are
    the paths that a change of ours may have written, no others are put right by the next delivery; `settles_at` is
    until when such a change may yet be made.
    """
    values = {
        "state": state,
        "at": at,
        "attempts": attempts,
        "own_failures": own_failures,
        "version": claim.covers,
        "settles_at": settles_at,
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
    row = _held(connection, claim, _POSTPONE, values).one()
    return str(row.state)


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


LEFT_OUT: Final = ("unlinked", "taken_over")
"""The reasons of a link that stays excluded whatever is requested, until a person links it or takes it in again."""


def left_out_by_a_person(connection: Connection, contact_id: int) -> list[str]:
    """The systems that a contact stays out of in that way."""
    statement = text(
        "SELECT system FROM link WHERE contact_id = :id AND state = 'excluded' AND reason = ANY(:reasons)"
        " ORDER BY system"
    )
    return list(connection.execute(statement, {"id": contact_id, "reasons": list(LEFT_OUT)}).scalars())
