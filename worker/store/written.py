"""What was written into a record, told by the log of requests: for a person who has to put it right there."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, text

_READ: Final = text(
    """
    SELECT decisions, operation, status FROM attempt
    WHERE link_id = :link AND (operation = 'create' OR path ~ :path) ORDER BY at, id
    """
)


def there(connection: Connection, link_id: int, external_id: str | None) -> str:
    """A sentence: which fields of that record were written for the client of this link, as far as the log goes back."""
    fields = written_fields(connection, link_id, external_id)
    if fields is None:
        return "That record came of a create of contactsync: it holds what was sent then"
    if not fields:
        return "Nothing was written into that record"
    told = ", ".join(f"{path} (was empty)" if not before else path for path, before in fields.items())
    return f"These fields of that record hold what contactsync wrote, and are left as they are: {told}"


def written_fields(connection: Connection, link_id: int, external_id: str | None) -> dict[str, Any] | None:
    """By the system's own name: what stood there before; None where the record was made by a create of ours."""
    if external_id is None:
        return {}
    fields: dict[str, Any] = {}
    path = rf"(^|[^0-9A-Za-z]){re.escape(external_id)}([^0-9A-Za-z]|$)"
    made = False
    for row in connection.execute(_READ, {"link": link_id, "path": path}):
        if row.operation == "create":
            made = row.status is not None and 200 <= row.status < 300
            continue
        for decision in row.decisions or ():
            if decision.get("action") == "write":
                fields.setdefault(str(decision.get("path")), decision.get("theirs"))
    return None if made and not fields else fields
