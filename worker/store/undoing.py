"""
Taking a person's answer back: what was decided is asked again, and a rule that the answer made ends.

What an answer wrote at a vendor stays there until the question is answered anew. Where nothing was written yet, the
link is as it was before the answer; where something was, the link remembers that the question is open (`Answers.again`
for a field, `match_again` for a record), so that no delivery settles it by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.core.answers import Answers
from worker.core.echo import content_hash
from worker.core.mapping import EVERYTHING, PERSONS
from worker.store import answer_rules, link_rows, source_link, written
from worker.store.link_rows import LinkRow
from worker.store.listing import number, reason_given
from worker.store.operating import Acted, Actor, Owed, record
from worker.store.refusals import Conflict, NotFound

MADE_BEFORE: Final = "made by the answer that was taken back"
_SIDES: Final = ("ours", "theirs", "because")

_LINK_OF: Final = text("SELECT l.id, l.system FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id")
_BEFORE: Final = text("SELECT before -> 'link' ->> 'external_id' AS external_id FROM review WHERE id = :id")
_READ: Final = text(
    """
    SELECT id, link_id, kind, path, reason, message, detail, resolved_at, choice, resolved_by, before
    FROM review WHERE id = :id FOR UPDATE
    """
)
_OPEN: Final = text("SELECT id FROM review WHERE link_id = :link AND path = :path AND resolved_at IS NULL")
_OPEN_MESSAGES: Final = text("SELECT message FROM review WHERE link_id = :link AND resolved_at IS NULL ORDER BY path")
_SINCE: Final = text(
    """
    SELECT id, path, detail FROM review
    WHERE link_id = :link AND id <> :id AND before IS NOT NULL AND before ->> 'taken_back' IS NULL
        AND resolved_at IS NOT NULL AND (resolved_at, id) > (:at, :id) ORDER BY resolved_at, id
    """
)
_KEEP: Final = text("UPDATE review SET before = :before WHERE id = :id").bindparams(bindparam("before", type_=JSONB()))
_REOPEN: Final = text(
    """
    UPDATE review AS r SET resolved_at = NULL, choice = NULL, resolved_by = NULL, resolve_reason = NULL,
        before = CASE WHEN r.id = :id THEN jsonb_build_object('taken_back', true) ELSE r.before END,
        detail = CASE WHEN r.id = :id THEN :detail ELSE r.detail END
    WHERE r.id = :id OR (r.link_id = :link AND r.resolved_at = :at AND r.choice = 'exclude'
        AND (r.before IS NULL OR r.before ->> 'taken_back' = 'true')
        AND NOT EXISTS (SELECT FROM review AS o WHERE o.link_id = r.link_id AND o.path = r.path
            AND o.resolved_at IS NULL))
    """
).bindparams(bindparam("detail", type_=JSONB()))


def keep(
    connection: Connection,
    review_id: int,
    path: str,
    detail: Mapping[str, Any],
    before: LinkRow,
    after: LinkRow,
    took_from: str | None = None,
) -> None:
    """Keep what an answer replaced: of a field its part of the agreement, of a record all of the link."""
    members = detail.get("members") or {path: detail}
    kept: dict[str, Any] = {
        "took_from": took_from,
        "writes": any(member in after.answers.values for member in members),
        "again": before.answers.again.get(path),
        "parked": before.parked.get(path),
        "after": _mark(after),
    }
    if path:
        agreed = before.snapshot or {}
        kept["agreed"] = {
            side: {member: value for member, value in (agreed.get(side) or {}).items() if member in members}
            for side in _SIDES
        }
    if not path or after.state == "excluded":
        names = ("external_id", "snapshot", "intent", "parked", "state", "reason", "message")
        kept["link"] = {name: getattr(before, name) for name in names} | {"decided": before.answers.to_json()}
    connection.execute(_KEEP, {"id": review_id, "before": kept})


def _mark(link: LinkRow) -> str:
    """What a link is, as far as an answer decides it."""
    parts = [link.external_id, link.snapshot, link.intent, link.answers.to_json(), link.state == "excluded"]
    return content_hash(parts)


def undo(connection: Connection, review_id: str, actor: Actor, now: datetime, reason: str | None) -> Acted:
    """
    Ask a question again that a person answered.

    Conflict while the link is being delivered, where nobody answered it, where it is asked again already, and where
    something else was decided since.
    """
    row_id = number(review_id, "question")
    of = connection.execute(_LINK_OF, {"id": row_id}).one_or_none()
    if of is None:
        raise NotFound(f"there is no question {review_id}")
    had = connection.execute(_BEFORE, {"id": row_id}).scalar()
    link, holder = link_rows.lock(connection, of.id, of.system, had)
    row = connection.execute(_READ, {"id": row_id}).one()
    _must_be_answered(connection, row, link)
    if row.before.get("link"):
        after, message, detail = _record(connection, row, link, holder, now)
    else:
        after, message, detail = _field(row, link)
    connection.execute(_REOPEN, {"id": row.id, "link": link.id, "at": row.resolved_at, "detail": detail})
    if after.state == "review":
        open_ones = connection.execute(_OPEN_MESSAGES, {"link": link.id}).scalars()
        after = replace(after, message="; ".join(open_ones))
    link_rows.save(connection, link, after, now)
    if answer_rules.end(connection, row.id, actor, now):
        message = f"{message}; the rule that it made is ended"
    details = {
        "review": str(row.id),
        "kind": row.kind,
        "system": link.system,
        "path": row.path or None,
        "field": row.detail.get("field"),
        "choose": row.choice,
    }
    record(connection, actor, "undo", f"link-{link.id}", reason_given(reason), now, details)
    return Acted(str(row.id), "asked_again", f"the question is open again: {message}", Owed())


def _must_be_answered(connection: Connection, row: Any, link: LinkRow) -> None:
    if row.resolved_at is None:
        raise Conflict("this question is open: there is no answer to take back")
    if row.before is None or row.before.get("taken_back"):
        raise Conflict(
            f"this question ended with {row.choice!r} by {row.resolved_by}, which cannot be taken back here:"
            " contacts include, link and unlink change who takes part where"
        )
    again = connection.execute(_OPEN, {"link": row.link_id, "path": row.path}).scalar()
    if again is not None:
        raise Conflict(f"it is asked again already: answer question {again}")
    if link.gone:
        raise Conflict(f"client {link.source_id} is gone from Robaws: nothing is asked about it")
    for later in connection.execute(_SINCE, {"link": row.link_id, "id": row.id, "at": row.resolved_at}):
        if _about(row) & _about(later):
            raise Conflict(
                f"something else was decided since {row.choice!r} was answered: question {later.id} is about the same,"
                " and it is its answer that can be taken back"
            )


def _about(row: Any) -> frozenset[str]:
    """The paths that a question is about; of one about a record that is ""."""
    return frozenset(row.detail.get("members") or (row.path,))


# ------------------------------------------------------------------------------------------------------------- fields
def _field(row: Any, link: LinkRow) -> tuple[LinkRow, str, dict[str, Any]]:
    if link.state == "excluded" or link.external_id is None:
        raise Conflict(f"client {link.source_id} does not take part in {link.system} now: include it first")
    members: Mapping[str, Any] = row.detail.get("members") or {row.path: row.detail}
    is_pending = _pending(row, members, link)
    if is_pending and not set(link.repair).isdisjoint(members):
        raise Conflict(
            "the change that carries this answer out was sent and not answered, and may have been made: try again when"
            " it was delivered"
        )
    if is_pending or (row.choice == "theirs" and not row.before["writes"]):
        after, message = _as_before(row, members, link), "nothing was written"
    else:
        after, message = _carried_out(row, members, link)
    if after.state in ("synced", "review"):
        after = after.resting("review", reason="field_conflict", message=row.message)
    parked = {**after.parked, row.path: row.before.get("parked") or {}}
    return replace(after, parked=parked), message, dict(row.detail)


def _pending(row: Any, members: Mapping[str, Any], link: LinkRow) -> bool:
    """Whether no delivery has carried the answer out yet."""
    if link.answers.ours.intersection(members):
        return True
    mine = (link.answers.values.get(member) or {} for member in members)
    return any((one.get("because") or {}).get("review") == str(row.id) for one in mine)


def _as_before(row: Any, members: Mapping[str, Any], link: LinkRow) -> LinkRow:
    snapshot = dict(link.snapshot or {})
    kept = (snapshot.get("because") or {}).get(next(iter(members))) or {}
    if row.choice == "theirs" and not row.before["writes"] and kept.get("review") != str(row.id):
        raise _overtaken(row)
    for side in _SIDES:
        others = {name: value for name, value in (snapshot.get(side) or {}).items() if name not in members}
        snapshot[side] = {**others, **row.before["agreed"][side]}
    answers = replace(
        link.answers,
        ours=link.answers.ours - set(members),
        values={name: one for name, one in link.answers.values.items() if name not in members},
        again={**link.answers.again, **({row.path: row.before["again"]} if row.before.get("again") else {})},
    )
    return replace(link, snapshot=snapshot, answers=answers)


def _carried_out(row: Any, members: Mapping[str, Any], link: LinkRow) -> tuple[LinkRow, str]:
    """What was written stays; the question shows what was there before, and an answer may put that back."""
    if row.path in (EVERYTHING, PERSONS):
        raise Conflict(f"what was written cannot be put back by itself: correct it in Robaws, or in {link.system}")
    snapshot = link.snapshot or {}
    ours, theirs = snapshot.get("ours") or {}, snapshot.get("theirs") or {}
    if any(ours.get(name) != shown.get("ours") for name, shown in members.items()):
        raise _overtaken(row)
    held = {name: {**shown, "holds": theirs.get(name)} for name, shown in members.items()}
    answers = replace(link.answers, again={**link.answers.again, row.path: {"members": held}})
    return replace(link, answers=answers), "what was written stays there until it is answered anew"


# ------------------------------------------------------------------------------------------------------------ records
def _record(
    connection: Connection, row: Any, link: LinkRow, holder: LinkRow | None, now: datetime
) -> tuple[LinkRow, str, dict[str, Any]]:
    detail = dict(row.detail)
    if row.before.get("took_from"):
        raise Conflict(
            f"the record was taken over from client {row.before['took_from']}: say with contacts link whose it is"
        )
    if row.before["after"] == _mark(link):
        had = dict(row.before["link"])
        if holder is not None:
            raise Conflict(f"record {holder.external_id} belongs to client {holder.source_id} by now")
        answers = Answers.from_json(had.pop("decided"))
        return replace(link, **{**had, "state": "review", "answers": answers, "next_attempt_at": None}), "", detail
    if link.intent is not None:
        raise Conflict("a create for this client was sent since and not answered: it is looked for first")
    word, _, record_id = str(row.choice).partition(":")
    if word == "ours" and row.kind == "unusable" and link.external_id is not None:
        unusable = {one for one in link.answers.unusable if one[0] != link.external_id}
        answers = replace(link.answers, unusable=frozenset(unusable))
        after = replace(link, answers=answers).resting("review", reason="unusable", message=row.message)
        return after, "what was written stays there", detail
    if link.external_id is None or (word == "link" and link.external_id != record_id) or word not in ("link", "create"):
        raise _overtaken(row)
    told = written.there(connection, link.id, link.external_id)
    if word == "create":
        made: dict[str, Any] = {"external_id": link.external_id, "name": link.name, "values": {}, "evidence": [_MADE]}
        detail["candidates"] = [*(detail.get("candidates") or ()), made]
    answers = replace(link.answers, match_again=str(row.id), refused=link.answers.refused - _shown(detail))
    after = replace(link.at_record(None), answers=replace(answers, linked=False, ours=frozenset(), values={}, again={}))
    source_link.want_again(connection, link.contact_id, now)
    return (
        after.resting("review", reason=row.reason, message=row.message),
        f"record {link.external_id} stays. {told}",
        detail,
    )


_MADE: Final = {"field": "", "says": MADE_BEFORE, "for": True}


def _shown(detail: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(one["external_id"]) for one in detail.get("candidates") or () if one.get("external_id"))


def _overtaken(row: Any) -> Conflict:
    return Conflict(f"something else was decided since {row.choice!r} was answered: there is nothing to take back")
