"""
A person's answer to a question: which record it is, or which side's value stands.

Nothing is written to a vendor here. The answer is put where the next delivery looks: the snapshot (what both sides
last agreed on), the external id, or what is kept of a person's decisions (`core.answers`).

A create that was sent and not answered may have been made. No answer forgets it, but one to the question about that
create, and only once the vendor had its time to make it; any other answer about the record is refused until it is
known what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.chosen import A_PERSONS_VALUE, typed
from worker.core.differences import kept_by_a_person
from worker.core.identity import IdShape
from worker.core.mapping import FieldRow
from worker.core.questions import AnswerOptions
from worker.store import link_rows, operating_links
from worker.store.link_rows import LinkRow
from worker.store.listing import number, reason_given
from worker.store.listing_reviews import version_of
from worker.store.operating import Acted, Actor, Owed, record
from worker.store.refusals import Conflict, NotFound, Unfit

SYNONYMS: Final = {"robaws": "ours", "system": "theirs", "record": "link"}

ABOUT_A_CREATE: Final = ("several_made", "outcome_unknown")
"""Reasons of questions that are always about the create that is open."""

SEARCHED_AGAIN: Final = (
    "it is none of these: the system is searched once more at the next delivery, which is due now, and a new record is"
    " made if nothing else is found"
)

_LINK_OF: Final = text("SELECT l.id, l.system FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id")

_READ: Final = text(
    """
    SELECT id, kind, path, reason, detail, resolved_at, choice, resolved_by FROM review WHERE id = :id FOR UPDATE
    """
)

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
    def options(self) -> AnswerOptions:
        """Which answers it takes."""
        made = self.link.external_id is not None and bool(self.link.snapshot)
        return AnswerOptions(self.kind, self.path, self.reason, self.detail, self.link.system, made)

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
    row_of: Callable[[str, str], FieldRow] | None = None,
    external_id: str | None = None,
    value: str | Mapping[str, str] | None = None,
    reason: str | None = None,
    force: bool = False,
    version: str | None = None,
) -> Acted:
    """
    Answer a question with one of the words that it takes (`core.questions`); another one is Unfit.

    `link` wants the `external_id` of the record. `shape_of` a system says what its ids look like, and another is Unfit;
    so is a record that is not among those which the question shows, without `force`. `value` is the person's own, a
    text, or one for each member of an address; `row_of` a system and a path is the table's row, which says what fits.

    Conflict while the link is being delivered, where a create is open that the question is not about, and where
    `version` is not the question's (any more).
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
        raise Conflict(f"this question has been answered already: {row.choice} by {row.resolved_by}")
    if version is not None and version != version_of(row):
        raise Conflict("the question has changed since it was shown: look at it again before you answer")
    asked = _Asked(row.id, row.kind, row.path, row.reason, row.detail, link, holder)
    if word not in asked.options.choices:
        raise Unfit(asked.options.refusal(word))
    why = reason_given(reason)
    choice = f"link:{wanted}" if wanted is not None else word
    connection.execute(_RESOLVE, {"id": row.id, "now": now, "choice": choice, "by": actor.name, "why": why})
    if word in ("ours", "theirs") and row.kind == "field":
        after, message = _field(connection, asked, word, actor, now)
    elif word == "value":
        after, message = _value(asked, value, row_of, actor, now)
    elif word == "link":
        after, message = _link(connection, asked, str(wanted), actor, now, why, force=force)
    else:
        after, message = _match(asked, word, now)
    link_rows.save(connection, link, after, now)
    if word == "exclude":
        link_rows.withdraw_questions(connection, link.id, actor.name, "exclude", now)
    _record(connection, asked, word, wanted if word == "link" else value, actor, now, why)
    owed = Owed(links=((link.id, link.system),)) if after.state == "due" else Owed()
    return Acted(str(row.id), "resolved", message, owed)


def _record(
    connection: Connection,
    asked: _Asked,
    word: str,
    named: str | Mapping[str, str] | None,
    actor: Actor,
    now: datetime,
    why: str | None,
) -> None:
    details = {
        "review": str(asked.id),
        "kind": asked.kind,
        "system": asked.link.system,
        "path": asked.path or None,
        "field": asked.detail.get("field"),
        "choose": word,
        "external_id": named if word == "link" else None,
        "value": named if word == "value" else None,
    }
    record(connection, actor, "resolve", f"link-{asked.link.id}", why, now, details)


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
    link, path, detail = asked.link, asked.path, asked.detail
    snapshot = link.snapshot or {}
    ours, theirs = dict(snapshot.get("ours") or {}), dict(snapshot.get("theirs") or {})
    because = {**(snapshot.get("because") or {})}
    parked = {name: value for name, value in link.parked.items() if name != path}
    values: dict[str, Any] = detail.get("members") or {path: detail}
    if word == "ours":
        # As if both sides had agreed on theirs, and ours had changed since.
        for member, value in values.items():
            ours[member] = theirs[member] = value.get("theirs")
            because.pop(member, None)
        link = replace(link, answers=replace(link.answers, ours=link.answers.ours | set(values)))
        link, message = _soon(link, now, "Robaws's value is written at the next delivery")
    else:
        for member, value in values.items():
            ours[member], theirs[member] = value.get("ours"), value.get("theirs")
            because[member] = kept_by_a_person(actor.name, now.isoformat(), asked.id)
        message = "the value there stands until Robaws's changes; nothing is written"
        link = _rested(connection, link, now)
    settled = {**snapshot, "ours": ours, "theirs": theirs, "because": because}
    return replace(link, snapshot=settled, parked=parked), message


def _value(
    asked: _Asked,
    given: str | Mapping[str, str] | None,
    row_of: Callable[[str, str], FieldRow] | None,
    actor: Actor,
    now: datetime,
) -> tuple[LinkRow, str]:
    """A third value: kept with the link until the next delivery, which writes it over what the question showed."""
    if row_of is None:
        raise Unfit("no value can be taken here, as it is not known what the field holds")
    link, values = asked.link, asked.detail.get("members") or {asked.path: asked.detail}
    rows = {path: row_of(link.system, path) for path in values}
    try:
        new = _typed(asked, rows, given)
    except ValueError as refusal:
        raise Unfit(str(refusal)) from refusal
    because = {"rule": A_PERSONS_VALUE, "by": actor.name, "at": now.isoformat(), "review": str(asked.id)}
    kept = {
        path: {
            "value": new.get(path, shown.get("theirs")),
            "ours": shown.get("ours"),
            "theirs": [shown.get("theirs")],
            "because": because,
        }
        for path, shown in values.items()
    }
    parked = {name: one for name, one in link.parked.items() if name != asked.path}
    answers = replace(link.answers, values={**link.answers.values, **kept})
    return _soon(replace(link, parked=parked, answers=answers), now, "your value is written at the next delivery")


def _typed(asked: _Asked, rows: Mapping[str, FieldRow], given: str | Mapping[str, str] | None) -> dict[str, str]:
    """The values by vendor path. Of several fields each is named by the system's name, ours, or the end of ours."""
    if not asked.detail.get("members"):
        if isinstance(given, Mapping):
            raise ValueError("this question is about one field: give one value")
        [(path, row)] = rows.items()
        return {path: typed(row, given)}
    names = {
        name: path for path, row in rows.items() for name in (row.canonical.rpartition(".")[2], row.canonical, path)
    }
    known = ", ".join(dict.fromkeys(row.canonical.rpartition(".")[2] for row in rows.values()))
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"this question is about several fields: give the value of each that is another ({known})")
    if unknown := [name for name in given if name not in names]:
        raise ValueError(f"{unknown[0][:60]!r} is not a part of this question: there are {known}")
    return {names[name]: typed(rows[names[name]], value) for name, value in given.items()}


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
    connection: Connection,
    asked: _Asked,
    external_id: str,
    actor: Actor,
    now: datetime,
    why: str | None,
    *,
    force: bool,
) -> tuple[LinkRow, str]:
    """It is this record. Of a create that is open: this is what came of it, or nothing did."""
    if asked.link.intent is not None and external_id not in asked.candidates:
        _must_be_settled(asked, now)
    elif asked.link.intent is not None and not asked.is_about_the_create():
        raise _open_create()
    after = operating_links.bound(connection, asked.link, asked.holder, external_id, actor, now, why)
    if asked.candidates and external_id not in asked.candidates and not force:
        raise Unfit(
            f"record {external_id} is not among those that this question shows ({', '.join(asked.candidates)}): look at"
            ' it there, and if it is the one all the same, answer with --force (in the API: "force": true)'
        )
    said = f"linked to record {external_id}: at the next delivery, which is due now, what is empty there is filled in"
    return after.due(now), f"{said}, and each field that differs is asked about"


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
            f"client {link.source_id} is left out of {link.system} until it is included again",
        )
    raise Unfit(asked.options.refusal(word))


def _create(asked: _Asked, now: datetime) -> tuple[LinkRow, str]:
    # A record that is gone may stand in a list for a while, and one that may not be written to is there: either could
    # be found again as what it is, this client's.
    lost = asked.kind in ("unusable", "gone") or asked.reason == "gone"
    held = [asked.link.external_id] if lost and asked.link.external_id else []
    link = replace(asked.link, answers=asked.link.answers.refuse([*asked.candidates, *held]))
    if link.intent is None:
        return link.at_record(None).due(now), SEARCHED_AGAIN
    if not asked.is_about_the_create():
        raise _open_create()
    if not asked.had_its_time(now):
        return link.due(now), "it is none of these; when the create has had its time to arrive, it is sent again"
    after = replace(link.at_record(None), intent=None)
    return after.due(now), SEARCHED_AGAIN


def _must_be_settled(asked: _Asked, now: datetime) -> None:
    if not asked.is_about_the_create():
        raise _open_create()
    if not asked.had_its_time(now):
        raise Conflict("the create that was not answered may still arrive there: answer again in a minute")


def _open_create() -> Conflict:
    return Conflict(
        "a create for this client was sent since and not answered, and may have been made: it is looked for first"
    )
