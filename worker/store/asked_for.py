"""
Clients that a person asks for by their id, before any webhook event has named them.

The row is made when the person asks, so that the fetch waits, fails and is retried like every other one. It is counted
as a contact and not as an event: no event was received. Where Robaws turns out to have no client of that id, the row
ends like that of an event for a client that is gone: nothing is owed for it any more.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from worker.core.identity import WHOLE_NUMBER
from worker.store.refusals import NotFound

SOURCE: Final = "robaws"

_MAKE: Final = text(
    "INSERT INTO contact (source, source_id) VALUES (:source, :id) ON CONFLICT (source, source_id) DO NOTHING"
)
_HOLD: Final = text("SELECT id FROM contact WHERE source = :source AND source_id = :id FOR NO KEY UPDATE")


def may_be_a_client(source_id: str) -> str:
    """The id, if a client in Robaws can have it; else NotFound."""
    if WHOLE_NUMBER.fits(source_id):
        return source_id
    raise NotFound(f"{source_id[:40]!r} is not the id of a client in Robaws: an id there is {WHOLE_NUMBER.words}")


def make_known(connection: Connection, source_id: str) -> tuple[int, bool]:
    """
    The row of a client, held, and whether it was made just now. NotFound for an id that no client can have.
    """
    values = {"source": SOURCE, "id": source_id}
    is_made = False
    if source_id.isascii() and source_id.isdigit():
        found = connection.execute(_HOLD, values).scalar_one_or_none()
        if found is not None:
            return int(found), is_made
    values["id"] = may_be_a_client(source_id)
    is_made = connection.execute(_MAKE, values).rowcount == 1
    return int(connection.execute(_HOLD, values).scalar_one()), is_made
