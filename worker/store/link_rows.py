"""
A link as a person's action finds it: locked, changed as a value, written back in one statement.

The link is locked before its questions, and two links in the order of contact and system, as everywhere else
(docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.core.answers import Answers
from worker.store.refusals import Conflict

_READ: Final = """
    SELECT l.id, l.contact_id, c.source_id, c.name, c.version, c.gone_at, c.taking_part, l.system, l.external_id,
        l.state, l.reason, l.message, l.snapshot, l.intent, l.parked, l.decided, l.next_attempt_at, l.wanted_version,
        l.synced_version, l.restore, l.repair, l.settles_at, c.fetch_forced AS asked_for
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id WHERE {which}
    ORDER BY l.contact_id, l.system FOR UPDATE OF l
"""
_ONE: Final = text(_READ.format(which="l.id = :id"))
_WITH_HOLDER: Final = text(
    _READ.format(which="l.id = :id OR (l.system = :system AND l.external_id = CAST(:external_id AS text))")
)
# With the links of the same contacts to the source, which may be owed something by what follows.
_IN_ORDER: Final = text(
    """
    SELECT FROM link WHERE system IN (:system, 'robaws') AND contact_id IN (
        SELECT contact_id FROM link
        WHERE id = :id OR (system = :system AND external_id = CAST(:external_id AS text)))
    ORDER BY contact_id, system FOR NO KEY UPDATE
    """
)
_OF_CONTACT: Final = text("SELECT id FROM link WHERE contact_id = :contact AND system = :system")
_ADD: Final = text(
    """
    INSERT INTO link (contact_id, system, state, wanted_version) SELECT id, :system, 'excluded', version
    FROM contact WHERE id = :contact ON CONFLICT (contact_id, system) DO NOTHING
    """
)

_WRITE: Final = text(
    """
    UPDATE link SET external_id = :external_id, intent = :intent, snapshot = :snapshot, parked = :parked,
        decided = :decided, state = :state, reason = :reason, message = :message, restore = :restore,
        repair = :repair, reads = NULL, settles_at = :settles_at, request_seq = request_seq + 1,
        wanted_version = :wanted_version, next_attempt_at = :next_attempt_at,
        attempts = CASE WHEN :anew THEN 0 ELSE attempts END, crashes = CASE WHEN :anew THEN 0 ELSE crashes END,
        since = CASE WHEN :state IN ('synced', 'excluded') THEN NULL ELSE COALESCE(since, :now) END
    WHERE id = :id
    """
).bindparams(
    bindparam("snapshot", type_=JSONB(none_as_null=True)),
    bindparam("intent", type_=JSONB(none_as_null=True)),
    bindparam("parked", type_=JSONB()),
    bindparam("decided", type_=JSONB()),
    bindparam("repair", type_=JSONB()),
)

_WITHDRAW: Final = text(
    """
    UPDATE review SET resolved_at = :now, choice = :choice, resolved_by = :by
    WHERE link_id = :link AND resolved_at IS NULL
    """
)


@dataclass(frozen=True)
class LinkRow:
    """
    One link with what its contact says of it: `version` is the contact's, `gone` that the source has it no more, and
    `asked_for` that a person wants the contact synchronised, and it was not fetched since.
    """

    id: int
    contact_id: int
    source_id: str
    name: str | None
    version: int
    gone: bool
    taking_part: bool
    system: str
    external_id: str | None
    state: str
    reason: str | None
    message: str | None
    snapshot: Mapping[str, Any] | None
    intent: Mapping[str, Any] | None
    parked: Mapping[str, Any]
    answers: Answers
    next_attempt_at: datetime | None
    wanted_version: int
    synced_version: int
    restore: bool
    repair: Sequence[str]
    settles_at: datetime | None
    asked_for: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the newest version that is wanted is there."""
        return self.synced_version >= self.wanted_version

    def due(self, now: datetime) -> LinkRow:
        """
        Delivered next, but not before a change that was not answered can no longer arrive. A create that is open stays
        unknown, so that it is looked for before anything is sent.
        """
        state = "unknown" if self.intent is not None else "due"
        at = max(now, self.settles_at) if self.settles_at is not None else now
        return replace(self, state=state, reason=None, message=None, next_attempt_at=at)

    def resting(self, state: str, *, reason: str | None = None, message: str | None = None) -> LinkRow:
        """In a state in which nothing is owed."""
        return replace(self, state=state, reason=reason, message=message, next_attempt_at=None)

    def at_record(self, external_id: str | None) -> LinkRow:
        """Another record, or none: nothing that was agreed on, asked or wanted about the one before is meant."""
        answers = replace(self.answers, ours=frozenset(), linked=False, values={}, again={}, match_again="")
        return replace(
            self,
            external_id=external_id,
            snapshot=None,
            parked={},
            restore=False,
            repair=[],
            settles_at=None,
            answers=answers,
        )


def find(connection: Connection, contact_id: int, system: str) -> int:
    """The id of a contact's link; one that is not there yet is made, left out until the caller says otherwise."""
    values = {"contact": contact_id, "system": system}
    connection.execute(_ADD, values)
    return int(connection.execute(_OF_CONTACT, values).scalar_one())


def existing(connection: Connection, contact_id: int, system: str) -> int | None:
    """The id of a contact's link, None where it never took part."""
    found: int | None = connection.execute(_OF_CONTACT, {"contact": contact_id, "system": system}).scalar()
    return found


def lock(
    connection: Connection, link_id: int, system: str, external_id: str | None = None
) -> tuple[LinkRow, LinkRow | None]:
    """
    The link, locked, and with it, if `external_id` is given, another one that holds that record.

    Conflict while either is being delivered: what a worker has in hand would be written over.
    """
    connection.execute(_IN_ORDER, {"id": link_id, "system": system, "external_id": external_id})
    if external_id is None:
        rows = connection.execute(_ONE, {"id": link_id}).all()
    else:
        values = {"id": link_id, "system": system, "external_id": external_id}
        rows = connection.execute(_WITH_HOLDER, values).all()
    found = {row.id: _row(row) for row in rows}
    if any(row.state == "working" for row in found.values()):
        raise Conflict("the link is being delivered at this moment: try again in a few seconds")
    link = found.pop(link_id)
    return link, next(iter(found.values()), None)


def own(connection: Connection, link_id: int) -> LinkRow:
    """A link that this transaction holds already, such as one whose delivery it has just ended."""
    return _row(connection.execute(_ONE, {"id": link_id}).one())


def save(connection: Connection, before: LinkRow, after: LinkRow, now: datetime) -> None:
    """Write back what was changed. One that is owed anew begins with all its attempts."""
    if before == after:
        return
    values = {name: value for name, value in vars(after).items() if name != "answers"}
    anew = after.next_attempt_at != before.next_attempt_at
    values |= {"decided": after.answers.to_json(), "now": now, "anew": anew, "parked": dict(after.parked)}
    connection.execute(_WRITE, values)


def must_stay_out(link: LinkRow) -> None:
    """Conflict where whoever is left out now would be taken in again, as a person asked for that before."""
    if link.asked_for:
        raise Conflict(
            f"a person asked for client {link.source_id} to be synchronised, and it was not fetched since: that would"
            " take it in again. Try again when it was fetched, or discard that fetch first"
            f" (contactsync retries discard fetch-{link.contact_id})"
        )


def withdraw_questions(connection: Connection, link_id: int, by: str, choice: str, now: datetime) -> None:
    """The open questions of a link are answered by something else that a person did."""
    connection.execute(_WITHDRAW, {"link": link_id, "by": by, "choice": choice, "now": now})


def _row(row: Any) -> LinkRow:
    values = dict(row._mapping)
    gone, decided = values.pop("gone_at"), values.pop("decided")
    return LinkRow(gone=gone is not None, answers=Answers.from_json(decided), **values)
