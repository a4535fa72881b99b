"""What both sides last agreed on about one contact, system by system, for whoever wants to know why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

SOURCE: Final = "robaws"


@dataclass(frozen=True)
class Agreement:
    """One link's snapshot, and the fields that wait for a person: ours, theirs and the rule, by vendor path."""

    system: str
    snapshot: dict[str, Any] | None
    parked: dict[str, Any]


def of_contact(connection: Connection, source_id: str) -> list[Agreement]:
    """Those of one contact; none for a contact that is not known."""
    statement = text(
        "SELECT l.system, l.snapshot, l.parked FROM link AS l JOIN contact AS c ON c.id = l.contact_id"
        " WHERE c.source = :source AND c.source_id = :id ORDER BY l.system"
    )
    rows = connection.execute(statement, {"source": SOURCE, "id": source_id})
    return [Agreement(row.system, row.snapshot, dict(row.parked)) for row in rows]
