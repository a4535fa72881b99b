"""Which client a record belongs to already, and whether a person may give it to another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.store.requests import REQUESTED

_READ: Final = text(
    """
    SELECT l.id, l.external_id, l.state, c.source_id, c.name, c.gone_at
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id
    WHERE l.system = :system AND l.external_id = ANY(:ids) AND l.id <> :but
    """
)

_AGREED: Final = text("SELECT snapshot -> 'theirs' AS theirs FROM link WHERE id = :id")

_LOOK_AGAIN: Final = text(
    f"""
    UPDATE link AS l SET
        repair = (SELECT jsonb_agg(DISTINCT path) FROM jsonb_array_elements(l.repair || :paths) AS one(path)),
        {REQUESTED}
    WHERE l.id = :id AND l.state <> 'excluded'
    """
).bindparams(bindparam("paths", type_=JSONB()))


@dataclass(frozen=True)
class Holder:
    """A client that holds a record, by its link."""

    link_id: int
    source_id: str
    name: str | None
    gone_at: datetime | None
    state: str

    @property
    def free(self) -> str:
        """Why the record may be taken over by a person's word; empty where the client lives and takes part."""
        if self.gone_at is not None:
            return "that client is gone from Robaws"
        return "that client is left out of the system" if self.state == "excluded" else ""

    def shown(self) -> dict[str, Any]:
        """As a question shows it."""
        return {"source_id": self.source_id, "name": self.name, "free": self.free}


def of_records(connection: Connection, system: str, external_ids: Sequence[str], but_link: int) -> dict[str, Holder]:
    """Those of these records that belong to another client's link, each with that client."""
    rows = connection.execute(_READ, {"system": system, "ids": list(external_ids), "but": but_link})
    return {row.external_id: Holder(row.id, row.source_id, row.name, row.gone_at, row.state) for row in rows}


def agreed(connection: Connection, link_id: int) -> dict[str, Any]:
    """What a link's record last held, by vendor path."""
    return dict(connection.execute(_AGREED, {"id": link_id}).scalar() or {})


def look_again(connection: Connection, link_id: int, paths: Sequence[str], now: datetime) -> None:
    """These fields of its record may have been written by somebody else's create: they are read, and put right."""
    connection.execute(_LOOK_AGAIN, {"id": link_id, "paths": list(paths), "now": now})
