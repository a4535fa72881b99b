"""
What waited for a vendor is due when the vendor is back: links to it, and for the source fetches.

Nothing is sent by that: due rows are worked off as ever, live ones first, no more at once than a system has slots, and
within its budget.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from worker.core.fuse import Rest
from worker.store.requests import APART, REFUSED

SOURCE: Final = "robaws"
FOR_OTHER_REASONS: Final = (*REFUSED, APART, Rest.reason)
"""Reasons that have nothing to do with the vendor being away."""

# Locked in the order that everybody keeps (docs/architecture.md). A change that was not answered keeps its time.
_LINKS: Final = text(
    """
    UPDATE link SET next_attempt_at = GREATEST(CAST(:now AS timestamptz), settles_at)
    WHERE id IN (
        SELECT id FROM link
        WHERE system = :system AND state IN ('waiting', 'unknown')
            AND next_attempt_at > GREATEST(CAST(:now AS timestamptz), settles_at)
            AND NOT (COALESCE(reason, '') = ANY(CAST(:others AS text[])))
        ORDER BY contact_id, system FOR NO KEY UPDATE)
    """
)

_FETCHES: Final = text(
    """
    UPDATE contact SET fetch_next_attempt_at = :now
    WHERE id IN (
        SELECT id FROM contact
        WHERE fetch_state = 'waiting' AND fetch_next_attempt_at > :now
            AND NOT (COALESCE(fetch_reason, '') = ANY(CAST(:others AS text[])))
        ORDER BY source, source_id FOR NO KEY UPDATE)
    """
)


def ease(connection: Connection, system: str, now: datetime) -> int:
    """Make due what waits for this vendor, and not for reasons of its own; returns how much that was."""
    values = {"system": system, "now": now, "others": list(FOR_OTHER_REASONS)}
    eased = 0
    if system == SOURCE:
        eased += connection.execute(_FETCHES, values).rowcount
    return eased + connection.execute(_LINKS, values).rowcount
