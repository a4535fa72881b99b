"""
Store what was fetched: contact, events, links and the log of requests, in one statement that is a transaction.

One way to the database in place of six (begin, four statements, commit), of the thirteen that a change took with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.core.fuse import Rest
from worker.errors import LeaseLost
from worker.store import attempts, contacts, inbox, requests
from worker.store.contacts import FetchClaim

_HELD = "EXISTS (SELECT FROM finished)"

# All hangs on `finished`: whoever lost the lease finds it empty, and changes nothing anywhere. Blanks are taken out,
# since psycopg parses a statement of more than 4,096 characters anew each time.
_SQL = " ".join(
    f"""
    WITH finished AS ({contacts.FINISH}),
    {inbox.CLOSED.format(when=_HELD)},
    owed AS ({requests.WANT.format(when=_HELD)}),
    logged AS ({attempts.INSERT} WHERE {_HELD})
    SELECT finished.fetch_state, owed.id, owed.system, owed.state FROM finished LEFT JOIN owed ON true ORDER BY owed.id
    """.split()
).replace(", ", ",")
_STORE = text(_SQL).bindparams(
    *(bindparam(name, type_=JSONB(none_as_null=True)) for name in ("canonical", "raw", "fuse", "back"))
)


@dataclass(frozen=True)
class Contents:
    """What a fetch found: the contact's content with its version, whether it takes part, whether it is gone."""

    version: int
    content_hash: str | None
    canonical: Mapping[str, Any] | None
    raw: Mapping[str, Any] | None
    taking_part: bool = True
    gone: bool = False
    fuse: Mapping[str, Any] | None = None
    rest: Rest | None = None
    """The contact waits so long, whatever hints came or will come."""
    back: Mapping[str, Any] | None = None
    """The merge patch that leads back to the contents before, where they changed."""


@dataclass(frozen=True)
class Closed:
    """How the contact's events end that the fetch covers; `skipped` has a reason, `version` is what they led to."""

    state: Literal["applied", "skipped"]
    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Stored:
    """What is to be done next: whether hints came that ask for another fetch, and (link id, system) of what is due."""

    again: bool
    due: list[tuple[int, str]]


def store(
    connection: Connection,
    claim: FetchClaim,
    contents: Contents,
    now: datetime,
    *,
    closed: Closed,
    systems: Sequence[str],
    logged: Mapping[str, Any],
) -> Stored:
    """
    End the claim. `systems` are owed the version, `logged` is `attempts.values`.

    LeaseLost when another worker holds the contact by now; then nothing is stored.
    """
    rest = contents.rest
    values = {
        "id": claim.contact_id,
        "contact": claim.contact_id,
        "fence": claim.fence,
        "seq": claim.seq,
        "version": contents.version,
        "hash": contents.content_hash,
        "name": contents.canonical.get("name") if contents.canonical else None,
        "canonical": contents.canonical,
        "raw": contents.raw,
        "taking_part": contents.taking_part,
        "gone_at": now if contents.gone else None,
        "changed": contents.version != claim.version,
        "now": now,
        "quiet": inbox.QUIET_SECONDS,
        "burst_quiet": inbox.BURST_QUIET_SECONDS,
        "fuse": contents.fuse,
        "back": [contents.back] if contents.back else [],
        "resting": rest is not None,
        "rest": rest.seconds if rest else 0.0,
        "rest_reason": rest.reason if rest else None,
        "rest_message": rest.message if rest else None,
        "state": closed.state,
        "reason": closed.reason,
        "closed_version": closed.version,
        "systems": list(systems),
        "priority": claim.priority,
        "restore": claim.forced,
        "correlation": claim.correlation_id,
    }
    rows = connection.execute(_STORE, {**logged, **values}).all()
    if not rows:
        raise LeaseLost(f"another worker has taken over the fetch of contact {claim.contact_id}")
    return Stored(rows[0].fetch_state == "due", [(row.id, row.system) for row in rows if row.state == "due"])
