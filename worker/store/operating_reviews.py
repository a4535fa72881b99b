"""
A person's answer to a question: which record it is, or which side's value stands.

Nothing is written to a vendor here. The answer is put where the next delivery looks: the snapshot (what both sides
last agreed on), the external id, or the list of records that are somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.core.answers import Answers
from worker.core.identity import IdShape
from worker.store import links
from worker.store.listing import number, plain
from worker.store.operating import Acted, Actor, Owed, record
from worker.store.refusals import Conflict, NotFound, Unfit

SYNONYMS: Final = {"robaws": "ours", "system": "theirs", "record": "link"}

_READ: Final = text(
    """
    SELECT r.id, r.link_id, r.kind, r.path, r.reason, r.detail, r.resolved_at, l.system, l.state, l.external_id,
        l.snapshot, l.parked, l.decided, l.synced_version >= l.wanted_version AS delivered
    FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id FOR UPDATE
    """
)

_RESOLVE: Final = text(
    "UPDATE review SET resolved_at = :now, choice = :choice, resolved_by = :by, resolve_reason = :why WHERE id = :id"
)

_DOCUMENTS: Final = (
    bindparam("snapshot", type_=JSONB(none_as_null=True)),
    bindparam("parked", type_=JSONB()),
    bindparam("decided", type_=JSONB()),
)

_CHANGE: Final = text(
    """
    UPDATE link SET external_id = :external_id, intent = CASE WHEN :settle THEN NULL ELSE intent END,
        snapshot = :snapshot, parked = :parked, decided = :decided, state = :state,
        reason = :reason, message = :message, attempts = 0, crashes = 0, next_attempt_at = :at,
        since = CASE WHEN :state IN ('synced', 'excluded') THEN NULL ELSE COALESCE(since, :now) END
    WHERE id = :id
    """
).bindparams(*_DOCUMENTS)

_KEEP: Final = text(
    "UPDATE link SET snapshot = :snapshot, parked = :parked, decided = :decided WHERE id = :id"
).bindparams(*_DOCUMENTS)


@dataclass
class _Link:
    """The link as it will be; starts as it is. `settle`: an open create is settled by the answer."""

    id: int
    system: str
    external_id: str | None
    snapshot: dict[str, Any] | None
    parked: dict[str, Any]
    answers: Answers
    state: str
    reason: str | None = None
    message: str | None = None
    settle: bool = False


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
    changes. `match`: `link` with the `external_id` that it is, `create` when it is none of the candidates, `exclude`
    to leave the contact out of that system. `shape_of` a system says what its ids look like, and another is Unfit.
    Conflict while the link is being delivered.
    """
    row = connection.execute(_READ, {"id": number(review_id, "question")}).one_or_none()
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    if row.resolved_at is not None:
        raise Conflict("this question has been answered already")
    if row.state == "working":
        raise Conflict("the link is being delivered at this moment: answer again in a few seconds")
    word = SYNONYMS.get(choose, choose)
    link = _Link(
        row.link_id,
        row.system,
        row.external_id,
        row.snapshot,
        dict(row.parked),
        Answers.from_json(row.decided),
        row.state,
    )
    if word == "link":
        _check_record(connection, link, external_id, shape_of(row.system))
    choice = f"link:{external_id}" if word == "link" else word
    why = plain(reason, "reason", most=1_000)
    connection.execute(_RESOLVE, {"id": row.id, "now": now, "choice": choice, "by": actor.name, "why": why})
    if row.kind == "field":
        message = _field(connection, row, link, word)
    else:
        message = _match(row, link, word, external_id)
    _save(connection, row, link, now)
    details = {"choose": word, "external_id": external_id, "path": row.path or None}
    record(connection, actor, "resolve", f"link-{link.id}", why, now, details)
    owed = Owed(links=((link.id, link.system),)) if link.state == "due" else Owed()
    return Acted(str(row.id), "resolved", message, owed)


def _field(connection: Connection, row: Any, link: _Link, word: str) -> str:
    if word not in ("ours", "theirs"):
        raise Unfit("choose `ours` or `theirs` for a field")
    if not link.snapshot or link.external_id is None:
        raise Unfit("the record is not made yet, as this value is missing or does not fit: change it in Robaws")
    path, detail = row.path, row.detail
    unfit = detail.get("rule") == "does not fit"
    ours, theirs = dict(link.snapshot.get("ours") or {}), dict(link.snapshot.get("theirs") or {})
    link.parked.pop(path, None)
    values: dict[str, Any] = detail.get("members") or {path: detail}
    if word == "ours":
        if unfit:
            raise Unfit("our value does not fit there: change it in Robaws, or choose `theirs`")
        # As if both sides had agreed on theirs, and ours had changed since.
        for member, value in values.items():
            ours[member] = theirs[member] = value.get("theirs")
        link.answers = replace(link.answers, ours=link.answers.ours | set(values))
        link.state, message = "due", "our value is written at the next delivery, which is due now"
    else:
        if not unfit:
            for member, value in values.items():
                ours[member], theirs[member] = value.get("ours"), value.get("theirs")
        message = "their value stands until ours changes"
        _settle_review(connection, row, link)
    link.snapshot = {**link.snapshot, "ours": ours, "theirs": theirs}
    return message


def _settle_review(connection: Connection, row: Any, link: _Link) -> None:
    """A link in review is synced once its last question is answered; others go on as they are."""
    if link.state != "review":
        return
    open_ones = connection.execute(
        text("SELECT message FROM review WHERE link_id = :id AND resolved_at IS NULL ORDER BY path"), {"id": link.id}
    ).scalars()
    messages = list(open_ones)
    if messages:
        link.reason, link.message = "field_conflict", "; ".join(messages)
    else:
        link.state = "synced" if row.delivered else "due"


def _match(row: Any, link: _Link, word: str, external_id: str | None) -> str:
    link.settle = True
    if word == "link":
        return _bind(link, external_id)
    if word == "create":
        candidates = [str(one["external_id"]) for one in row.detail.get("candidates") or () if "external_id" in one]
        link.answers = link.answers.refuse(candidates)
        link.external_id, link.snapshot, link.state = None, None, "due"
        return "a new record is made at the next delivery, which is due now"
    if word == "exclude":
        # An open create stays written down: it may have been made, and a later sync has to look for it.
        link.state, link.reason, link.settle = "excluded", "excluded_by_person", False
        link.message = "a person left this client out of the system"
        return "the contact is left out of this system"
    raise Unfit("choose `link` with an external_id, `create` or `exclude` for a match")


def _check_record(connection: Connection, link: _Link, external_id: str | None, shape: IdShape) -> None:
    if external_id is None or not shape.fits(external_id):
        raise Unfit(f"say which record: external_id is its id in {link.system}, and an id there is {shape.words}")
    if links.taken_ids(connection, link.system, [external_id], link.id):
        raise Conflict(f"record {external_id} in {link.system} belongs to another client already")


def _bind(link: _Link, external_id: str | None) -> str:
    link.external_id, link.snapshot, link.state = external_id, None, "due"
    link.answers = link.answers.accept(str(external_id))
    return f"linked to record {external_id}; what differs is settled at the next delivery, which is due now"


def _save(connection: Connection, row: Any, link: _Link, now: datetime) -> None:
    values = vars(link) | {"now": now, "at": now if link.state == "due" else None}
    values["decided"] = link.answers.to_json()
    if row.kind == "field" and link.state == row.state and link.state != "review":
        # It goes on as it was, for its own reasons; only what the next delivery looks at is changed.
        values = {name: values[name] for name in ("id", "snapshot", "parked", "decided")}
        connection.execute(_KEEP, values)
    else:
        connection.execute(_CHANGE, values)
