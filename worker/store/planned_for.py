"""What a plan of one client starts from: the contact and its links as they stand. Nothing is claimed, or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.contact import Json
from worker.store.links import LEFT_OUT, LinkClaim
from worker.store.listing_contacts import SOURCE

_CONTACT: Final = text(
    "SELECT id, version, content_hash, raw, gone_at IS NOT NULL AS gone FROM contact"
    " WHERE source = :source AND source_id = :id AND content_hash IS NOT NULL"
)
_LINKS: Final = text(
    """
    SELECT id, contact_id, system, external_id, wanted_version AS wanted, snapshot, intent, parked, decided, repair,
        overtaken, attempts, own_failures, crashes, fence, priority, state, reason,
        EXISTS (SELECT FROM review WHERE link_id = link.id AND resolved_at IS NULL) AS asked
    FROM link WHERE contact_id = :id
    """
)


@dataclass(frozen=True)
class KnownContact:
    """A contact that was fetched before; `raw` is the source's own record of then."""

    id: int
    version: int
    content_hash: str | None
    raw: dict[str, Any] | None
    gone: bool


@dataclass(frozen=True)
class KnownLink:
    """A link as a request of a person would find it: `left_out` where it stays excluded all the same."""

    claim: LinkClaim
    left_out: str | None


def contact(connection: Connection, source_id: str) -> KnownContact | None:
    """The contact; None where it was never fetched."""
    row = connection.execute(_CONTACT, {"source": SOURCE, "id": source_id}).one_or_none()
    return KnownContact(**row._mapping) if row is not None else None


def links(
    connection: Connection, known: KnownContact, source_id: str, canonical: Json, version: int, now: datetime
) -> dict[str, KnownLink]:
    """Its links by system, each as if it were claimed for these contents after `contacts sync`."""
    found: dict[str, KnownLink] = {}
    for row in connection.execute(_LINKS, {"id": known.id}):
        values = dict(row._mapping)
        state = values.pop("state")
        left_out = row.reason if state == "excluded" and row.reason in LEFT_OUT else None
        values |= {"source_id": source_id, "contact": canonical, "version": version, "restore": True}
        values |= {"taking_part": True, "gone": False, "correlation_id": None, "until": now}
        found[row.system] = KnownLink(LinkClaim(**values), left_out)
    return found


def new_link(system: str, source_id: str, canonical: Json, version: int, now: datetime) -> LinkClaim:
    """A system's link to a contact that it has none to, as it would be claimed first."""
    return LinkClaim(
        id=0,
        contact_id=0,
        source_id=source_id,
        system=system,
        external_id=None,
        contact=canonical,
        version=version,
        wanted=version,
        snapshot=None,
        intent=None,
        parked={},
        decided={},
        restore=False,
        repair=[],
        overtaken=[],
        attempts=0,
        own_failures=0,
        crashes=0,
        fence=0,
        priority=0,
        reason=None,
        taking_part=True,
        gone=False,
        correlation_id=None,
        until=now,
    )
