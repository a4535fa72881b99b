"""A person's answer to a question about a field: whose value stands, or a third one, and when it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.chosen import A_PERSONS_VALUE, typed
from worker.core.differences import kept_by_a_person
from worker.core.mapping import FieldRow
from worker.store.asked_questions import AskedQuestion, GivenAnswer
from worker.store.link_rows import LinkRow
from worker.store.operating import Actor
from worker.store.refusals import Unfit

_OPEN: Final = text("SELECT kind, message FROM review WHERE link_id = :id AND resolved_at IS NULL ORDER BY path")


def side(connection: Connection, asked: AskedQuestion, word: str, actor: Actor, now: datetime) -> tuple[LinkRow, str]:
    link, path, detail = asked.link, asked.path, asked.detail
    if path in link.answers.again:
        values_ = detail.get("members") or {path: detail}
        chosen = {member: value.get(word) for member, value in values_.items()}
        because = kept_by_a_person(actor.name, now.isoformat(), asked.id)
        text_ = "Robaws's value" if word == "ours" else "the value that was there before"
        return soon(_choosing(asked, chosen, because), now, f"{text_} is written at the next delivery")
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
        link, message = soon(link, now, "Robaws's value is written at the next delivery")
    else:
        for member, value in values.items():
            ours[member], theirs[member] = value.get("ours"), value.get("theirs")
            because[member] = kept_by_a_person(actor.name, now.isoformat(), asked.id)
        message = "the value there is kept until it changes in Robaws; nothing is written"
        link = _rested(connection, link, now)
    settled = {**snapshot, "ours": ours, "theirs": theirs, "because": because}
    return replace(link, snapshot=settled, parked=parked), message


def third_value(asked: AskedQuestion, given: GivenAnswer, actor: Actor, now: datetime) -> tuple[LinkRow, str]:
    """A third value: kept with the link until the next delivery, which writes it over what the question showed."""
    if given.row_of is None:
        raise Unfit("no value can be taken here, as it is not known what the field holds")
    shown: Mapping[str, Any] = asked.detail.get("members") or {asked.path: asked.detail}
    rows = {path: given.row_of(asked.link.system, path) for path in shown}
    try:
        new = _typed(asked, rows, given.value)
    except ValueError as refusal:
        raise Unfit(str(refusal)) from refusal
    because = {"rule": A_PERSONS_VALUE, "by": actor.name, "at": now.isoformat(), "review": str(asked.id)}
    chosen = {path: new.get(path, one.get("theirs")) for path, one in shown.items()}
    return soon(_choosing(asked, chosen, because), now, "your value is written at the next delivery")


def _choosing(asked: AskedQuestion, chosen: Mapping[str, Any], because: Mapping[str, Any]) -> LinkRow:
    """The link with the values that its next delivery writes, over what was shown, or is there since."""
    link, path = asked.link, asked.path
    shown: Mapping[str, Any] = asked.detail.get("members") or {path: asked.detail}
    again: Mapping[str, Any] = (link.answers.again.get(path) or {}).get("members") or {}
    values = {
        member: {
            "value": value,
            "ours": shown[member].get("ours"),
            "theirs": [shown[member].get("theirs"), *([again[member]["holds"]] if member in again else [])],
            "because": dict(because),
        }
        for member, value in chosen.items()
    }
    parked = {name: one for name, one in link.parked.items() if name != path}
    still = {name: one for name, one in link.answers.again.items() if name != path}
    answers = replace(link.answers, values={**link.answers.values, **values}, again=still)
    return replace(link, parked=parked, answers=answers)


def _typed(asked: AskedQuestion, rows: Mapping[str, FieldRow], given: str | Mapping[str, str] | None) -> dict[str, str]:
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


def soon(link: LinkRow, now: datetime, what: str) -> tuple[LinkRow, str]:
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
