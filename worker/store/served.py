"""
Links to systems that the settings do not serve: disabled ones, and the source where nothing is written back.

Nobody delivers them, so they are owed nothing until the settings say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from worker.config import SYSTEM_NAMES

BATCH: Final = 1_000

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


def leave_out(connection: Connection, served: Sequence[str]) -> int:
    """What waits for a system that is not served is left out, so many at a time; returns how many that were."""
    reason = "disabled"
    values = {"others": sorted({*SYSTEM_NAMES} - {*served}), "reason": reason, "most": BATCH}
    return connection.execute(_LEAVE_OUT, values).rowcount


def take_in(connection: Connection, served: Sequence[str], now: datetime) -> int:
    """What was left out while its system was not served is due again, so many at a time; returns how many that were."""
    reason = "disabled"
    values = {"served": list(served), "reason": reason, "most": BATCH, "now": now}
    return connection.execute(_TAKE_IN, values).rowcount
