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
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.chosen import TAKEN_BACK
from worker.core.field_merge import REFUSED
from worker.core.identity import IdShape
from worker.core.mapping import EVERYTHING, PERSONS, FieldRow
from worker.store import answer_rules, answered_fields, link_rows, operating_links, undoing
from worker.store.asked_questions import AskedQuestion, GivenAnswer, candidates_of
from worker.store.link_rows import LinkRow
from worker.store.listing import number, reason_given
from worker.store.listing_reviews import version_of
from worker.store.operating import Acted, Actor, Owed, record
from worker.store.refusals import Conflict, Forbidden, NotFound, Unfit

SYNONYMS: Final = {"robaws": "ours", "system": "theirs", "record": "link"}

SEARCHED_AGAIN: Final = (
    "it is none of these: the system is searched once more at the next delivery, which is due now, and a new record is"
    " made if nothing else is found"
)

_LINK_OF: Final = text(
    "SELECT l.id, l.system, r.kind, r.path FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id"
)

_READ: Final = text(
    """
    SELECT id, kind, path, reason, detail, resolved_at, choice, resolved_by FROM review WHERE id = :id FOR UPDATE
    """
)

_SHOWN: Final = text("SELECT l.system, r.detail FROM review AS r JOIN link AS l ON l.id = r.link_id WHERE r.id = :id")

_RESOLVE: Final = text(
    "UPDATE review SET resolved_at = :now, choice = :choice, resolved_by = :by, resolve_reason = :why WHERE id = :id"
)


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
    rule: bool = False,
    approval_above: int | None = None,
) -> Acted:
    """
    Answer a question with one of the words that it takes (`core.questions`); another one is Unfit.

    `link` wants the `external_id` of the record. `shape_of` a system says what its ids look like, and another is Unfit;
    so is a record that is not among those which the question shows, without `force`. `value` is the person's own, a
    text, or one for each member of an address; `row_of` a system and a path is the table's row, which says what fits.
    `rule`: every question about that field of that system is answered so from now on, those that are open at once; with
    more of these than `approval_above` that wants an admin.

    Conflict while the link is being delivered, where a create is open that the question is not about, and where
    `version` is not the question's (any more).
    """
    row_id = number(review_id, "question")
    of = connection.execute(_LINK_OF, {"id": row_id}).one_or_none()
    if of is None:
        raise NotFound(f"there is no question {review_id}")
    word = SYNONYMS.get(choose, choose)
    wanted = operating_links.checked(of.system, external_id, shape_of(of.system)) if word == "link" else None
    others = _others(connection, of, word, actor, approval_above) if rule else []
    link, holder = link_rows.lock(connection, of.id, of.system, wanted)
    asked = _open(connection, row_id, link, holder, version)
    if word not in asked.options.choices:
        raise Unfit(asked.options.refusal(word))
    given = GivenAnswer(word, wanted, value, row_of, force)
    why = reason_given(reason)
    after, message = _answer(connection, asked, given, actor, now, why)
    owed = [(link.id, link.system)] if after.state == "due" else []
    if rule:
        answer_rules.make(connection, row_id, of.system, asked.path, word, actor, now, why)
        answered = {other: by_rules(connection, other, now) for other in others if other != link.id}
        owed += [(other, link.system) for other, outcomes in answered.items() if "due" in outcomes]
        many = sum(map(len, answered.values()))
        message = (
            f"{message}. From now on every question about this field of {link.system} is answered so, {many} more now"
        )
    return Acted(str(row_id), "resolved", message, Owed(links=tuple(owed)))


def by_rules(connection: Connection, link_id: int, now: datetime) -> list[str]:
    """
    Answer the open questions of a link that a rule answers; the state that the link has after each answer.

    The caller holds the link, and it is not being delivered. What the system refused, or whose answer a person took
    back, waits for a person all the same.
    """
    states: list[str] = []
    for one in answer_rules.answers(connection, link_id):
        asked = _open(connection, one.review, link_rows.own(connection, link_id), None, None)
        if one.choice not in asked.options.choices or asked.options.rule in (REFUSED, TAKEN_BACK):
            continue
        after, _ = _answer(connection, asked, GivenAnswer(one.choice), Actor(one.by, "rule"), now, one.reason)
        states.append(after.state)
    return states


def _others(connection: Connection, of: Any, word: str, actor: Actor, approval_above: int | None) -> list[int]:
    """The links whose questions a rule answers with this one, locked; Unfit where there can be no rule."""
    if of.kind != "field" or of.path in (EVERYTHING, PERSONS) or word not in answer_rules.CHOICES:
        raise Unfit("a rule is for a question about one field or address, with `ours` or `theirs`")
    found = answer_rules.lock_links(connection, of.system, of.path)
    if approval_above is not None and len(found) > approval_above and not actor.is_admin:
        raise Forbidden(
            f"{len(found)} questions are open about this field, and more than {approval_above} (ops.approval_above)"
            " want an admin: ask one, or answer some of them first"
        )
    return found


def _open(
    connection: Connection, row_id: int, link: LinkRow, holder: LinkRow | None, version: str | None
) -> AskedQuestion:
    """The question, locked. Conflict where it is answered, or another one by now."""
    row = connection.execute(_READ, {"id": row_id}).one()
    if row.resolved_at is not None:
        raise Conflict(f"this question has been answered already: {row.choice} by {row.resolved_by}")
    if version is not None and version != version_of(row):
        raise Conflict("the question has changed since it was shown: look at it again before you answer")
    return AskedQuestion(row.id, row.kind, row.path, row.reason, row.detail, link, holder)


def _answer(
    connection: Connection, asked: AskedQuestion, given: GivenAnswer, actor: Actor, now: datetime, why: str | None
) -> tuple[LinkRow, str]:
    """Write the answer down, and what follows from it for the link."""
    link, word = asked.link, given.word
    choice = f"link:{given.external_id}" if given.external_id is not None else word
    connection.execute(_RESOLVE, {"id": asked.id, "now": now, "choice": choice, "by": actor.name, "why": why})
    if word in ("ours", "theirs") and asked.kind == "field":
        after, message = answered_fields.side(connection, asked, word, actor, now)
    elif word == "value":
        after, message = answered_fields.third_value(asked, given, actor, now)
    elif word == "link":
        after, message = _link(connection, asked, given, actor, now, why)
    else:
        after, message = _match(asked, word, now)
    if not asked.path:
        after = replace(after, answers=replace(after.answers, match_again=""))
    link_rows.save(connection, link, after, now)
    if word == "exclude":
        link_rows.withdraw_questions(connection, link.id, actor.name, "exclude", now)
    took_from = asked.holder.source_id if asked.holder is not None else None
    undoing.keep(connection, asked.id, asked.path, asked.detail, link, after, took_from)
    _record(connection, asked, given, actor, now, why)
    return after, message


def _record(
    connection: Connection, asked: AskedQuestion, given: GivenAnswer, actor: Actor, now: datetime, why: str | None
) -> None:
    details = {
        "review": str(asked.id),
        "kind": asked.kind,
        "system": asked.link.system,
        "path": asked.path or None,
        "field": asked.detail.get("field"),
        "choose": given.word,
        "external_id": given.external_id,
        "value": given.value if given.word == "value" else None,
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
    return None if wanted in candidates_of(row.detail) else str(row.system)


def _link(
    connection: Connection, asked: AskedQuestion, given: GivenAnswer, actor: Actor, now: datetime, why: str | None
) -> tuple[LinkRow, str]:
    """It is this record. Of a create that is open: this is what came of it, or nothing did."""
    external_id = str(given.external_id)
    if asked.link.intent is not None and external_id not in asked.candidates:
        _must_be_settled(asked, now)
    elif asked.link.intent is not None and not asked.is_about_the_create():
        raise _open_create()
    after = operating_links.bound(connection, asked.link, asked.holder, external_id, actor, now, why)
    if asked.candidates and external_id not in asked.candidates and not given.force:
        raise Unfit(
            f"record {external_id} is not among those that this question shows ({', '.join(asked.candidates)}): look at"
            ' it there, and if it is the one all the same, answer with --force (in the API: "force": true)'
        )
    said = f"linked to record {external_id}: at the next delivery, which is due now, what is empty there is filled in"
    return after.due(now), f"{said}, and each field that differs is asked about"


def _match(asked: AskedQuestion, word: str, now: datetime) -> tuple[LinkRow, str]:
    link = asked.link
    if word == "ours" and asked.kind == "unusable" and link.external_id is not None:
        agreed = (link.external_id, str(asked.detail.get("why")))
        link = replace(link, answers=replace(link.answers, unusable=link.answers.unusable | {agreed}))
        return answered_fields.soon(link, now, "what differs is written into that record")
    if word == "create":
        return _create(asked, now)
    if word == "exclude":
        link_rows.must_stay_out(link)
        # An open create stays written down: it may have been made, and whoever takes part again looks for it.
        message = "a person left this client out of the system"
        return (
            replace(link.resting("excluded", reason="excluded_by_person", message=message), restore=False),
            f"client {link.source_id} is left out of {link.system} until it is included again",
        )
    raise Unfit(asked.options.refusal(word))


def _create(asked: AskedQuestion, now: datetime) -> tuple[LinkRow, str]:
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


def _must_be_settled(asked: AskedQuestion, now: datetime) -> None:
    if not asked.is_about_the_create():
        raise _open_create()
    if not asked.had_its_time(now):
        raise Conflict("the create that was not answered may still arrive there: answer again in a minute")


def _open_create() -> Conflict:
    return Conflict(
        "a create for this client was sent since and not answered, and may have been made: it is looked for first"
    )
