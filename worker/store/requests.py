"""
What requests a delivery, as parts of statements: a new version, a person's command or answer, a wait that is lifted.

One rule for all of them. `request_seq` rises. A link that rests or waits is due; one that is being delivered stays with
its worker, and is due again when that claim ends, however it ends. The next claim finds that something was requested
since the one before, and counts attempts, failures and crashes anew (`links`). Only two things are waited for: a change
that was not answered and may yet be made (`settles_at`), and the time apart of a link that was in work when workers
ended.
"""

from __future__ import annotations

from typing import Final

REFUSED: Final = (
    "rejected",
    "rejected_unclear",
    "validation",
    "missing_required",
    "does_not_fit",
    "mapping",
    "internal_error",
)
"""Reasons that lie in the contact's own data, or in how it is handled here: no vendor's recovery helps."""

APART: Final = "crashed"
"""The reason of a link, or a fetch, that waits to be tried apart from what was in work beside it."""

_REQUESTED = """
        request_seq = l.request_seq + 1, attempts = 0,
        state = CASE WHEN l.state IN ('working', 'unknown') {apart} THEN l.state ELSE 'due' END,
        since = CASE WHEN l.state IN ('review', 'dead') THEN :now ELSE COALESCE(l.since, :now) END,
        next_attempt_at = CASE WHEN l.state = 'working' {apart} THEN l.next_attempt_at
            ELSE LEAST(l.next_attempt_at, GREATEST(CAST(:now AS timestamptz), l.settles_at)) END
"""

REQUESTED: Final = _REQUESTED.format(apart=f"OR (l.state = 'waiting' AND l.reason = '{APART}')")
"""Assignments for a link, aliased `l`: a delivery of it is requested."""

REQUESTED_BY_PERSON: Final = _REQUESTED.format(apart="")
"""The same where a person asks: nothing is waited for but an unanswered change."""

WANT: Final = f"""
    INSERT INTO link AS l (contact_id, system, state, wanted_version, request_seq, priority, next_attempt_at, since,
        restore, correlation_id)
    SELECT :contact, system, 'due', :version, 1, :priority, :now, :now, false, :correlation
    FROM unnest(CAST(:systems AS text[])) AS wanted(system) WHERE {{when}} ORDER BY system
    ON CONFLICT (contact_id, system) DO UPDATE SET
        wanted_version = :version,
        restore = l.restore OR :restore,
        overtaken = CASE WHEN l.state = 'working' THEN :back || l.overtaken ELSE l.overtaken END,
        restore_seq = CASE WHEN :restore THEN l.request_seq + 1 ELSE l.restore_seq END,
        priority = CASE WHEN l.next_attempt_at IS NULL THEN :priority ELSE LEAST(l.priority, :priority) END,
        correlation_id = :correlation,{REQUESTED}
    WHERE CASE WHEN l.state = 'excluded'
        THEN l.reason IN ('filtered', 'gone', 'disabled') OR (:restore AND l.reason NOT IN ('unlinked', 'taken_over'))
        ELSE l.wanted_version < :version OR :restore END
    RETURNING l.id, l.system, l.state
"""
"""
A part of a statement: these systems are owed this version of the contact, `when` something holds.

`back` leads back to the contents before, as a list of merge patches: a link that is being delivered keeps it, as its
worker may be lost. A link that a person left out stays out until a person asks for it (`restore`); one that the
settings, or the client's absence, left out does not. What waits with live priority keeps it.
"""
