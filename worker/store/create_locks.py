"""
One create at a time for each number, and for each e-mail with a name, in a system.

Two contacts of one company that arrive together both search, find nothing, and would both create. So the transaction
that commits an intent also takes the contact's keys; whoever comes second takes none and waits, without a transaction
that stays open across a vendor's call. A key is free again when its link's intent is settled and that delivery has
ended, and after a crash when the create has been resolved. It is remembered for a day: a contact that searched before
the record was there does not create one beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from worker.core.contact import leaves
from worker.core.evidence import CHECKED_NUMBER
from worker.core.matching import Match, compare
from worker.core.matching_keys import Candidate, keys_of_contact
from worker.errors import AlreadyBeingMade

if TYPE_CHECKING:
    from worker.core.contact import Json
    from worker.store.links import LinkClaim

KEPT: Final = timedelta(days=1)
_SHORTEST_WAIT_SECONDS: Final = 2.0
_LONGEST_WAIT_SECONDS: Final = 600.0
_MOST_KEYS: Final = 100

# Sorted, so that two contacts with several keys in common never wait for each other.
_TAKE = text(
    """
    INSERT INTO create_lock AS k (system, key, link_id, at)
    SELECT :system, key, :link, :now FROM unnest(CAST(:keys AS text[])) AS wanted(key) ORDER BY key
    ON CONFLICT (system, key) DO UPDATE SET at = excluded.at WHERE k.link_id = excluded.link_id
    RETURNING key
    """
)
_HOLD = text("SELECT key FROM create_lock WHERE system = :system AND key = ANY(:keys) ORDER BY key FOR UPDATE")
_HOLDERS = text(
    """
    SELECT DISTINCT l.id, l.external_id, l.state, l.next_attempt_at, l.intent IS NOT NULL AS open, c.source_id,
        c.canonical
    FROM create_lock AS k JOIN link AS l ON l.id = k.link_id JOIN contact AS c ON c.id = l.contact_id
    WHERE k.system = :system AND k.key = ANY(:keys) AND l.id <> :link ORDER BY l.id
    """
)
_MOVE = text("UPDATE create_lock SET link_id = :link, at = :now WHERE system = :system AND key = ANY(:keys)")
_FORGET = text(
    """
    DELETE FROM create_lock WHERE (system, key) IN (
        SELECT system, key FROM create_lock AS k WHERE at < :before
            AND NOT EXISTS (SELECT FROM link WHERE link.id = k.link_id AND intent IS NOT NULL)
        ORDER BY system, key FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True)
class _Holder:
    """The link of another contact that has one of the keys."""

    id: int
    external_id: str | None
    state: str
    next_attempt_at: datetime | None
    open: bool
    source_id: str
    canonical: Any

    def is_at_work(self, now: datetime) -> bool:
        """Whether its create may still bring a record, or brought one that a search may not show yet."""
        working = self.state == "working" and self.next_attempt_at is not None and self.next_attempt_at > now
        return working or (self.open and self.state != "excluded")

    def wait_seconds(self, now: datetime) -> float:
        """Until when another look is worth while."""
        if self.state == "working":
            return _SHORTEST_WAIT_SECONDS
        if self.next_attempt_at is None:
            return _LONGEST_WAIT_SECONDS
        seconds = (self.next_attempt_at - now).total_seconds() + 1.0
        return min(_LONGEST_WAIT_SECONDS, max(_SHORTEST_WAIT_SECONDS, seconds))


def keys_of(contact: Json) -> list[str]:
    """What may be made once at a time, as digests: each number, and each e-mail with the name."""
    keys = keys_of_contact(contact)
    words = [f"number:{key}" for key in sorted(keys.numbers)]
    if keys.name:
        words += [f"email:{email} name:{keys.name}" for email in sorted(keys.emails)]
    return sorted(sha256(word.encode()).hexdigest()[:32] for word in words[:_MOST_KEYS])


def take(connection: Connection, claim: LinkClaim, now: datetime, *, known: frozenset[str]) -> Match | None:
    """
    Take the contact's keys for its create, in the transaction that commits the intent.

    AlreadyBeingMade while another contact's create is under way. Returns the record of one that has just ended, if it
    would be this contact's too and is not among the `known` ones, which were compared or refused: then nothing may be
    created.
    """
    keys = keys_of(claim.contact)
    if not keys:
        return None
    values = {"system": claim.system, "link": claim.id, "now": now}
    taken = {row.key for row in connection.execute(_TAKE, {**values, "keys": keys})}
    missing = [key for key in keys if key not in taken]
    if not missing:
        return None
    # Held first and looked at then: a holder that settles its create in between has settled it for the look.
    connection.execute(_HOLD, {"system": claim.system, "keys": missing}).all()
    for holder in _holders(connection, claim, missing):
        _wait_for(claim, holder, now)
        if holder.external_id is not None and holder.external_id not in known:
            match = _compare(claim, holder)
            if match.strength == "certain" or CHECKED_NUMBER.intersection(match.evidence):
                return match
    connection.execute(_MOVE, {**values, "keys": missing})
    return None


def look(connection: Connection, claim: LinkClaim, now: datetime) -> None:
    """AlreadyBeingMade while another contact's create holds one of the keys; nothing is taken."""
    for holder in _holders(connection, claim, keys_of(claim.contact)):
        _wait_for(claim, holder, now)


def forget(connection: Connection, now: datetime) -> None:
    """Remove the keys of creates that ended long ago."""
    connection.execute(_FORGET, {"before": now - KEPT})


def _holders(connection: Connection, claim: LinkClaim, keys: list[str]) -> Iterator[_Holder]:
    rows = connection.execute(_HOLDERS, {"system": claim.system, "keys": keys, "link": claim.id})
    return (_Holder(*row) for row in rows.all())


def _wait_for(claim: LinkClaim, holder: _Holder, now: datetime) -> None:
    if holder.is_at_work(now):
        raise AlreadyBeingMade(
            f"client {holder.source_id}, who has the same number or the same e-mail and name, is being made in "
            f"{claim.system}; this one waits until that is settled",
            wait_seconds=holder.wait_seconds(now),
        )


def _compare(claim: LinkClaim, holder: _Holder) -> Match:
    contact = holder.canonical or {}
    values = {path: value for path, value in leaves(contact) if value not in (None, "", [])}
    emails = tuple(keys_of_contact(contact).emails)
    return compare(claim.contact, Candidate(str(holder.external_id), contact.get("name"), values, emails))
