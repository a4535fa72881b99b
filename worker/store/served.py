"""
Links to systems that the settings do not serve: disabled ones, and the source where nothing is written back.

Nobody delivers them, so they are owed nothing until the settings say otherwise. Since when a system is disabled is
written down, so that what changed here meanwhile is owed to it when it is enabled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.config import SYSTEM_NAMES, TARGETS
from worker.store.requests import REQUESTED

BATCH: Final = 1_000
LATE_SECONDS: Final = 120.0
"""How long after a change of the settings a worker may still store what it fetched under those before."""
EARLY: Final = timedelta(hours=1)
"""How much earlier than it was noticed a system may have been disabled: workers start on their own."""
BACKGROUND: Final = 1

# What was sent and not answered, or is in work, keeps its state: it has to be found out about first.
_LEAVE_OUT: Final = text(
    """
    UPDATE link SET state = 'excluded', reason = :reason, message = 'the settings disable this system',
        next_attempt_at = NULL, since = NULL, attempts = 0, own_failures = 0, crashes = 0
    WHERE id IN (
        SELECT id FROM link WHERE system = ANY(CAST(:others AS text[])) AND state IN ('due', 'waiting')
        ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)
_TAKE_IN: Final = text(
    """
    UPDATE link SET state = CASE WHEN intent IS NULL THEN 'due' ELSE 'unknown' END, reason = NULL, message = NULL,
        next_attempt_at = :now, since = :now, request_seq = request_seq + 1
    WHERE id IN (
        SELECT id FROM link WHERE state = 'excluded' AND reason = :reason AND system = ANY(CAST(:served AS text[]))
        ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)
# One that was never served, and has no link, is none that is enabled again.
_NOTE: Final = text(
    """
    INSERT INTO checkpoint (system, name, cursor, at)
    SELECT system, 'disabled', '{}', :now FROM unnest(CAST(:others AS text[])) AS other(system)
    WHERE EXISTS (SELECT FROM link WHERE link.system = other.system) ORDER BY system
    ON CONFLICT (system, name) DO UPDATE SET at = excluded.at WHERE checkpoint.at > excluded.at
    """
)
_NOTED: Final = text(
    """
    SELECT system, at FROM checkpoint WHERE name = 'disabled' AND system = ANY(CAST(:served AS text[]))
    ORDER BY system
    """
)
_FORGET: Final = text("DELETE FROM checkpoint WHERE name = 'disabled' AND system = ANY(CAST(:served AS text[]))")
_CATCH_UP: Final = text(
    f"""
    UPDATE link AS l SET
        wanted_version = behind.version,
        priority = CASE WHEN l.next_attempt_at IS NULL THEN :priority ELSE LEAST(l.priority, :priority) END,{REQUESTED}
    FROM (
        SELECT l.id, c.version FROM link AS l JOIN contact AS c ON c.id = l.contact_id
        WHERE l.system = :system AND c.taking_part AND c.gone_at IS NULL
            AND CASE WHEN l.state = 'excluded' THEN l.reason IN ('filtered', 'gone')
                ELSE l.wanted_version < c.version END
        ORDER BY l.contact_id, l.system LIMIT :most FOR NO KEY UPDATE OF l SKIP LOCKED) AS behind
    WHERE l.id = behind.id
    """
)
_BEGIN: Final = text(
    """
    INSERT INTO link (contact_id, system, state, wanted_version, request_seq, priority, next_attempt_at, since)
    SELECT c.id, :system, 'due', c.version, 1, :priority, :now, :now FROM contact AS c
    WHERE c.changed_at >= :since AND c.taking_part AND c.gone_at IS NULL
        AND NOT EXISTS (SELECT FROM link WHERE contact_id = c.id AND system = :system)
    ORDER BY c.id LIMIT :most
    ON CONFLICT (contact_id, system) DO NOTHING
    """
)


def note(connection: Connection, served: Sequence[str], now: datetime) -> None:
    """Write down since when systems are disabled; what is written down already stays."""
    connection.execute(_NOTE, {"others": sorted({*TARGETS} - {*served}), "now": now})


def forget(connection: Connection, served: Sequence[str]) -> None:
    """All that was missed while these systems were disabled is owed to them."""
    connection.execute(_FORGET, {"served": list(served)})


def leave_out(connection: Connection, served: Sequence[str]) -> int:
    """What waits for a system that is not served is left out, so many at a time; returns how many that were."""
    reason = "disabled"
    values = {"others": sorted({*SYSTEM_NAMES} - {*served}), "reason": reason, "most": BATCH}
    return connection.execute(_LEAVE_OUT, values).rowcount


def take_in(connection: Connection, served: Sequence[str], now: datetime) -> int:
    """
    What was left out while its system was not served is due again, so many at a time; returns how many that were.

    With it what changed here meanwhile, and clients that are new since: behind live traffic. A client that a person
    left out there stays out.
    """
    reason = "disabled"
    values: dict[str, Any] = {"served": list(served), "reason": reason, "most": BATCH, "now": now}
    owed = connection.execute(_TAKE_IN, values).rowcount
    for row in connection.execute(_NOTED, {"served": list(served)}).all():
        values = {"system": row.system, "priority": BACKGROUND, "most": BATCH, "now": now}
        owed += connection.execute(_CATCH_UP, values).rowcount
        owed += connection.execute(_BEGIN, {**values, "since": row.at - EARLY}).rowcount
    return owed
