"""
A person's answer to a question: which record it is, or which side's value stands.

Nothing is written to a vendor here. The answer is put where the next delivery looks: the snapshot (what both sides
last agreed on), the external id, or what is kept of a person's decisions (`core.answers`).

A create that was sent and not answered may have been made. No answer forgets it, but one to the question about that
create, and only once the vendor had its time to make it; any other answer about the record is refused until it is
known what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.differences import kept_by_a_person
from worker.core.field_merge import DOES_NOT_FIT
from worker.core.identity import IdShape
from worker.store import link_rows, operating_links
from worker.store.link_rows import LinkRow
from worker.store.listing import number, reason_given
from worker.store.operating import Acted, Actor, Owed, record
from worker.store.refusals import Conflict, NotFound, Unfit

SYNONYMS: Final = {"robaws": "ours", "system": "theirs", "record": "link"}

ABOUT_A_CREATE: Final = ("several_made", "outcome_unknown")
"""Reasons of questions that are always about the create that is open."""

_LINK_OF: Final = text("SELECT l.id, l.system FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id")

_READ: Final = text("SELECT id, kind, path, reason, detail, resolved_at FROM review WHERE id = :id FOR UPDATE")

_SHOWN: Final = text("SELECT l.system, r.detail FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id")

_RESOLVE: Final = text(
    "UPDATE review SET resolved_at = :now, choice = :choice, resolved_by = :by, resolve_reason = :why WHERE id = :id"
)

_OPEN: Final = text("SELECT kind, message FROM review WHERE link_id = :id AND resolved_at IS NULL ORDER BY path")


@dataclass(frozen=True)
class _Asked:
    """A question, locked after its link, with the link and another one that holds the record that was named."""

    id: int
    kind: str
    path: str
    reason: str
    detail: dict[str, Any]
    link: LinkRow
    holder: LinkRow | None

    def is_about_the_create(self) -> bool:
        """Whether the create that is open is the one that was asked about."""
        intent = self.link.intent or {}
        return self.reason in ABOUT_A_CREATE or self.detail.get("create") == intent.get("key")

    def had_its_time(self, now: datetime) -> bool:
        """Whether what was sent then would have been made by now."""
        return now.timestamp() >= float(self.detail.get("settled_at") or 0.0)

    @property
    def candidates(self) -> list[str]:
        """The ids of the records that were shown."""
        return _candidates(self.detail)


def resolve(
    connection: Connection,
    review_id: str,
    choose: str,
    actor: Actor,
    now: datetime,
    *,
    shape_of: Callable[[str], IdShape],
    external_id: str | None = None,
    reason: str | None = None,
) -> Acted:
    """
    Answer a question.

    `field`: `ours` writes our value at the next delivery, `theirs` lets the other side's value stand until ours
    changes. `match`, `gone`, `unusable`: `link` with the `external_id` that it is, `create` when it is none of the
    candidates, `exclude` to leave the contact out of that system; for `unusable` also `ours`, to write on into the
    record as it is. `shape_of` a system says what its ids look like, and another is Unfit.

    Conflict while the link is being delivered, and where a create is open that the question is not about.
    """
    row_id = number(review_id, "question")
    of = connection.execute(_LINK_OF, {"id": row_id}).one_or_none()
    if of is None:
        raise NotFound(f"there is no question {review_id}")
    word = SYNONYMS.get(choose, choose)
    wanted = operating_links.checked(of.system, external_id, shape_of(of.system)) if word == "link" else None
    link, holder = link_rows.lock(connection, of.id, of.system, wanted)
    row = connection.execute(_READ, {"id": row_id}).one()
    if row.resolved_at is not None:
        raise Conflict("this question has been answered already")
    asked = _Asked(row.id, row.kind, row.path, row.reason, row.detail, link, holder)
    why = reason_given(reason)
    choice = f"link:{wanted}" if wanted is not None else word
    connection.execute(_RESOLVE, {"id": row.id, "now": now, "choice": choice, "by": actor.name, "why": why})
    if row.kind == "field":
        after, message = _field(connection, asked, word, actor, now)
    elif word == "link":
        after, message = _link(connection, asked, str(wanted), actor, now, why)
    else:
        after, message = _match(asked, word, now)
    link_rows.save(connection, link, after, now)
    details = {
        "review": str(row.id),
        "kind": row.kind,
        "system": of.system,
        "path": row.path or None,
        "field": row.detail.get("field"),
        "choose": word,
        "external_id": wanted,
    }
    record(connection, actor, "resolve", f"link-{link.id}", why, now, details)
    owed = Owed(links=((link.id, link.system),)) if after.state == "due" else Owed()
    return Acted(str(row.id), "resolved", message, owed)


def unseen(
    connection: Connection, review_id: str, external_id: str | None, *, shape_of: Callable[[str], IdShape]
) -> str | None:
    """The system in which a record is to be looked up before it is linked: None for one that the question shows."""
    row = connection.execute(_SHOWN, {"id": number(review_id, "question")}).one_or_none()
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    wanted = operating_links.checked(row.system, external_id, shape_of(row.system))
    return None if wanted in _candidates(row.detail) else str(row.system)


def _field(connection: Connection, asked: _Asked, word: str, actor: Actor, now: datetime) -> tuple[LinkRow, str]:
    link = asked.link
    if word not in ("ours", "theirs"):
        raise Unfit("choose `ours` or `theirs` for a field")
    if not link.snapshot or link.external_id is None:
        raise Unfit("the record is not made yet, as this value is missing or does not fit: change it in Robaws")
    path, detail = asked.path, asked.detail
    unfit = detail.get("rule") == DOES_NOT_FIT
    ours, theirs = dict(link.snapshot.get("ours") or {}), dict(link.snapshot.get("theirs") or {})
    because = {**(link.snapshot.get("because") or {})}
    parked = {name: value for name, value in link.parked.items() if name != path}
    values: dict[str, Any] = detail.get("members") or {path: detail}
    if word == "ours":
        if unfit:
            raise Unfit("our value does not fit there: change it in Robaws, or choose `theirs`")
        # As if both sides had agreed on theirs, and ours had changed since.
        for member, value in values.items():
            ours[member] = theirs[member] = value.get("theirs")
            because.pop(member, None)
        link = replace(link, answers=replace(link.answers, ours=link.answers.ours | set(values)))
        link, message = _soon(link, now, "our value is written at the next delivery")
    else:
        for member, value in values.items():
            ours[member], theirs[member] = value.get("ours"), value.get("theirs")
            because[member] = kept_by_a_person(actor.name, now.isoformat(), asked.id)
        message = "their value stands until ours changes"
        link = _rested(connection, link, now)
    snapshot = {**(link.snapshot or {}), "ours": ours, "theirs": theirs, "because": because}
    return replace(link, snapshot=snapshot, parked=parked), message


def _candidates(detail: dict[str, Any]) -> list[str]:
    shown = detail.get("candidates") or ()
    return [str(one["external_id"]) for one in shown if one.get("external_id") is not None]


def _soon(link: LinkRow, now: datetime, what: str) -> tuple[LinkRow, str]:
    """
    Due now, unless something else comes first: a change or a create that was not answered and may yet be made, which
    what is sent now could be overtaken by, or that the client is left out there.
    """
    if link.state == "unknown" or link.intent is not None:
        return link, f"{what}, when it is known what became of the request that was not answered"
    if link.state == "excluded":
        return link, f"{what}, when the client takes part there again"
    return link.due(now), f"{what}, which is due now"


def _rested(connection: Connection, link: LinkRow, now: datetime) -> LinkRow:
    """A link in review is synced once its last question is answered; others go on as they are."""
    if link.state != "review":
        return link
    still = connection.execute(_OPEN, {"id": link.id}).all()
    if still:
        reason = "unusable" if any(row.kind == "unusable" for row in still) else "field_conflict"
        return link.resting("review", reason=reason, message="; ".join(row.message for row in still))
    return link.resting("synced") if link.delivered else link.due(now)


def _link(
    connection: Connection, asked: _Asked, external_id: str, actor: Actor, now: datetime, why: str | None
) -> tuple[LinkRow, str]:
    """It is this record. Of a create that is open: this is what came of it, or nothing did."""
    if asked.link.intent is not None and external_id not in asked.candidates:
        _must_be_settled(asked, now)
    elif asked.link.intent is not None and not asked.is_about_the_create():
        raise _open_create()
    after = operating_links.bound(connection, asked.link, asked.holder, external_id, actor, now, why)
    return after.due(
        now
    ), f"linked to record {external_id}; what differs is settled at the next delivery, which is due now"


def _match(asked: _Asked, word: str, now: datetime) -> tuple[LinkRow, str]:
    link = asked.link
    if word == "ours" and asked.kind == "unusable" and link.external_id is not None:
        agreed = (link.external_id, str(asked.detail.get("why")))
        link = replace(link, answers=replace(link.answers, unusable=link.answers.unusable | {agreed}))
        return _soon(link, now, "what differs is written into that record")
    if word == "create":
        return _create(asked, now)
    if word == "exclude":
        # An open create stays written down: it may have been made, and whoever takes part again looks for it.
        message = "a person left this client out of the system"
        return (
            replace(link.resting("excluded", reason="excluded_by_person", message=message), restore=False),
            "the contact is left out of this system",
        )
    raise Unfit("choose `link` with an external_id, `create` or `exclude` for a record")


def _create(asked: _Asked, now: datetime) -> tuple[LinkRow, str]:
    # A record that is gone may stand in a list for a while, and one that may not be written to is there: either could
    # be found again as what it is, this client's.
    lost = asked.kind in ("unusable", "gone") or asked.reason == "gone"
    held = [asked.link.external_id] if lost and asked.link.external_id else []
    link = replace(asked.link, answers=asked.link.answers.refuse([*asked.candidates, *held]))
    if link.intent is None:
        return link.at_record(None).due(now), "a new record is made at the next delivery, which is due now"
    if not asked.is_about_the_create():
        raise _open_create()
    if not asked.had_its_time(now):
        return link.due(now), "it is none of these; when the create has had its time to arrive, it is sent again"
    after = replace(link.at_record(None), intent=None)
    return after.due(now), "a new record is made at the next delivery, which is due now"


def _must_be_settled(asked: _Asked, now: datetime) -> None:
    if not asked.is_about_the_create():
        raise _open_create()
    if not asked.had_its_time(now):
        raise Conflict("the create that was not answered may still arrive there: answer again in a minute")


def _open_create() -> Conflict:
    return Conflict(
        "a create for this client was sent since and not answered, and may have been made: it is looked for first"
    )
