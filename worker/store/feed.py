"""What happens, as it happens: requests as they are logged and links as they stand, for somebody who watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

OVERLAP: Final = 200
"""Ids are given before the commit, so a row may appear after one with a greater id; so many are looked at again."""

_CALLS = text(
    """
    SELECT a.id, a.at, a.system, c.source_id, a.operation, a.method, a.path, a.status, a.error, a.sent, a.decisions
    FROM attempt AS a LEFT JOIN contact AS c ON c.id = a.contact_id
    WHERE a.id > :after ORDER BY a.id
    """
)

_LINKS = text(
    """
    SELECT c.source_id, c.name, l.system, l.external_id, l.state, l.wanted_version, l.synced_version, l.attempts,
        l.next_attempt_at, l.reason, l.message
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id
    WHERE CAST(:source_ids AS text[]) IS NULL OR c.source_id = ANY(:source_ids)
    ORDER BY c.id, l.system
    """
)


@dataclass(frozen=True)
class Call:
    """One request to a vendor, as the log keeps it; `status` is None where no answer came."""

    id: int
    at: datetime
    system: str
    source_id: str | None
    operation: str
    method: str
    path: str
    status: int | None
    error: str | None
    sent: Mapping[str, Any] | None
    decisions: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True)
class LinkNow:
    """One contact in one system at this moment."""

    source_id: str
    name: str | None
    system: str
    external_id: str | None
    state: str
    wanted_version: int
    synced_version: int
    attempts: int
    next_attempt_at: datetime | None
    reason: str | None
    message: str | None


class Follower:
    """Reads the log of requests from where it was; each request is given once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._last = 0

    def read(self, connection: Connection) -> list[Call]:
        """The requests that were logged since the last time, in the order in which they were made."""
        rows = connection.execute(_CALLS, {"after": max(0, self._last - OVERLAP)})
        fresh = [Call(**row._mapping) for row in rows if row.id not in self._seen]
        self._seen.update(call.id for call in fresh)
        self._last = max((call.id for call in fresh), default=self._last)
        return sorted(fresh, key=lambda call: (call.at, call.id))


def links(connection: Connection, source_ids: Sequence[str] | None = None) -> list[LinkNow]:
    """Where these contacts (None: all) stand in each system. For small tables: it reads every link."""
    rows = connection.execute(_LINKS, {"source_ids": list(source_ids) if source_ids is not None else None})
    return [LinkNow(**row._mapping) for row in rows]
