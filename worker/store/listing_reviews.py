"""What waits for a person's choice, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.config import SYSTEM_NAMES
from worker.core import contact as canonical
from worker.core.echo import content_hash
from worker.core.masks import Document, DocumentList, FieldName, Id, Sentence, Sentences, Value, Word
from worker.core.questions import AnswerOptions
from worker.store.listing import Page, Paging, number, plain
from worker.store.listing_retries import ContactName
from worker.store.refusals import NotFound, Unfit, near, one_of
from worker.store.states import REVIEW_KINDS

_SELECT: Final = """
    SELECT r.id, r.kind, c.source_id, c.name, c.canonical, l.system, l.id AS link_id, r.path, r.reason, r.message,
        r.detail, r.created_at, r.resolved_at, r.choice, r.resolved_by, r.resolve_reason,
        l.external_id IS NOT NULL AND l.snapshot IS NOT NULL AS made, l.snapshot -> 'theirs' AS agreed,
        EXISTS (SELECT FROM answer_rule AS a WHERE a.review_id = r.id AND a.ended_at IS NULL) AS rule
    FROM review AS r JOIN link AS l ON l.id = r.link_id JOIN contact AS c ON c.id = l.contact_id
"""
_COUNT: Final = "SELECT count(*) FROM review AS r JOIN link AS l ON l.id = r.link_id"
_ABOUT_FIELD: Final = "(r.detail ->> 'field' = :field OR r.path = :field OR r.path = :unit)"
_FIELDS: Final = text(
    """
    SELECT DISTINCT COALESCE(NULLIF(detail ->> 'field', ''), path) AS field FROM review
    WHERE resolved_at IS NULL AND kind = 'field' ORDER BY field LIMIT 40
    """
)


@dataclass(frozen=True)
class CandidateView:
    """
    A record that could be the client: `fields` by canonical path as the record held them, `evidence` what speaks for
    it and against. `held_by` is the client that it belongs to already.
    """

    external_id: Id
    name: str | None
    strength: Word | None
    fields: Document
    evidence: DocumentList
    held_by: Document | None


@dataclass(frozen=True)
class ReviewView:
    """
    One question. `field` is the canonical field that it is about, `path` the vendor's; both are empty for a question
    about a record. `ours` is what Robaws holds, `theirs` what the system does (of a match `ours` is the client by
    field, and `candidates` are the records), `agreed` what both sides last agreed on. `why` is the stable word for why
    it is asked. `choices` are the words that answer it, `effect` says what each does, and `advice` what else helps.

    `version` changes with the question: an answer that names an older one is refused. `by`, `choice` and `reason` are
    who answered, what and why; `rule`: every question about that field is answered so until the answer is taken back.
    """

    id: Id
    kind: Word
    contact: ContactName
    system: Word
    link: Id
    field: FieldName
    path: FieldName
    why: Word
    message: str
    ours: Value
    theirs: Value
    agreed: Value
    candidates: list[CandidateView]
    choices: list[Word]
    effect: Sentences
    advice: Sentence
    version: Id
    detail: Document
    opened_at: datetime
    resolved_at: datetime | None
    by: str | None
    choice: Word | None
    reason: str | None
    rule: bool


@dataclass(frozen=True)
class ReviewFilter:
    """Which questions; every part that is given must hold. `field` is a canonical field or a vendor's own path."""

    system: str | None = None
    field: str | None = None
    kind: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for, which stands for everything."""
        return not any((given or "").strip() for given in (self.system, self.field, self.kind))

    def to_json(self) -> dict[str, str]:
        """What was given."""
        return {name: value for name, value in vars(self).items() if value}


def page(connection: Connection, paging: Paging, wanted: ReviewFilter | None = None) -> Page[ReviewView]:
    """The open questions, the oldest first."""
    after = paging.after(1)
    if after is not None and type(after[0]) is not int:
        raise Unfit("cursor is none that was given out here")
    condition, values = _condition(connection, wanted or ReviewFilter())
    rows = connection.execute(
        text(f"{_SELECT} WHERE {condition} AND r.id > :after ORDER BY r.id LIMIT :limit"),
        {**values, "after": after[0] if after else 0, "limit": paging.limit + 1},
    ).all()
    total = connection.execute(text(f"{_COUNT} WHERE {condition}"), values).scalar_one()
    return paging.page([_view(row) for row in rows], [[row.id] for row in rows], total)


def one(connection: Connection, review_id: str) -> ReviewView:
    """One question, open or answered."""
    row_id = number(review_id, "question")
    row = connection.execute(text(f"{_SELECT} WHERE r.id = :id"), {"id": row_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    return _view(row)


def found(connection: Connection, wanted: ReviewFilter) -> list[ReviewView]:
    """All open questions that a filter finds, the oldest first."""
    condition, values = _condition(connection, wanted)
    return [_view(row) for row in connection.execute(text(f"{_SELECT} WHERE {condition} ORDER BY r.id"), values)]


def version_of(row: Any) -> str:
    """What a question asks, as one short text: another one means that something else is asked by now."""
    asked = {"kind": row.kind, "path": row.path, "reason": row.reason, "detail": row.detail}
    return content_hash(asked)[:12]


def _condition(connection: Connection, wanted: ReviewFilter) -> tuple[str, dict[str, Any]]:
    given = {name: value for name, raw in vars(wanted).items() if (value := plain(raw, name)) is not None}
    one_of("system", given.get("system", SYSTEM_NAMES[0]), SYSTEM_NAMES)
    one_of("kind", given.get("kind", REVIEW_KINDS[0]), REVIEW_KINDS)
    conditions = ["r.resolved_at IS NULL"]
    conditions += [f"{column} = :{name}" for name, column in _COLUMNS.items() if name in given]
    if "field" in given:
        _must_be_a_field(connection, given["field"])
        conditions.append(_ABOUT_FIELD)
        given["unit"] = f"{given['field']}.*"
    return " AND ".join(conditions), given


_COLUMNS: Final = {"system": "l.system", "kind": "r.kind"}


def _must_be_a_field(connection: Connection, field: str) -> None:
    """A slip must not look like peace."""
    if field in canonical.BY_PATH or field in canonical.UNITS:
        return
    asked = [row.field for row in connection.execute(_FIELDS)]
    found = connection.execute(
        text("SELECT EXISTS (SELECT FROM review WHERE path = :path AND resolved_at IS NULL)"), {"path": field}
    ).scalar_one()
    if not found:
        known = f"questions are open about {', '.join(asked)}" if asked else "no question about a field is open"
        raise Unfit(f"no field is called {field[:60]!r} here: {known}{near(field, asked)}")


def _view(row: Row[Any]) -> ReviewView:
    options = AnswerOptions(row.kind, row.path, row.reason, row.detail, row.system, row.made)
    still = row.resolved_at is None
    client: Mapping[str, Any] = row.canonical or {}
    detail: Mapping[str, Any] = row.detail
    about_record = row.kind != "field"
    return ReviewView(
        id=str(row.id),
        kind=row.kind,
        contact=ContactName(row.source_id, row.name, client.get("kind")),
        system=row.system,
        link=f"link-{row.link_id}",
        field="" if about_record else options.field,
        path=row.path,
        why=row.reason,
        message=row.message,
        ours=_fields_of(client) if about_record else detail.get("ours"),
        theirs=None if about_record else detail.get("theirs"),
        agreed=_agreed(row.agreed or {}, row.path, detail) if still and not about_record else None,
        candidates=[_candidate(one) for one in detail.get("candidates") or () if one.get("external_id") is not None],
        choices=list(options.choices) if still else [],
        effect=options.effects if still else {},
        advice=options.advice if still else "",
        version=version_of(row),
        detail=row.detail,
        opened_at=row.created_at,
        resolved_at=row.resolved_at,
        by=row.resolved_by,
        choice=row.choice,
        reason=row.resolve_reason,
        rule=row.rule,
    )


def _agreed(theirs: Mapping[str, Any], path: str, detail: Mapping[str, Any]) -> Any:
    members = detail.get("members")
    if not members:
        return theirs.get(path)
    return {member: theirs[member] for member in members if member in theirs} or None


def _candidate(one: Mapping[str, Any]) -> CandidateView:
    fields = {path: value for path, value in (one.get("values") or {}).items() if value not in (None, "", [])}
    emails = one.get("emails") or []
    if emails:
        fields["email"] = ", ".join(map(str, emails))
    if one.get("name"):
        fields["name"] = one["name"]
    # An earlier release kept plain texts.
    evidence = [row if isinstance(row, dict) else {"field": "", "says": str(row), "for": True} for row in _rows(one)]
    return CandidateView(
        str(one["external_id"]), one.get("name"), one.get("strength"), fields, evidence, one.get("held_by")
    )


def _rows(one: Mapping[str, Any]) -> Sequence[Any]:
    rows: Sequence[Any] = one.get("evidence") or ()
    return rows


def _fields_of(client: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a client that are shown beside those of a record; of its persons the names and e-mails."""
    found = {
        known.path: value
        for known in canonical.FIELDS
        if known.path not in ("persons", "notes") and (value := canonical.get(client, known.path)) not in (None, "", [])
    }
    persons = [_person(person) for person in client.get("persons") or ()]
    return found | ({"persons": "; ".join(filter(None, persons))} if any(persons) else {})


def _person(person: Mapping[str, Any]) -> str:
    name = " ".join(str(person[part]) for part in ("first_name", "last_name") if person.get(part))
    return f"{name} <{person['email']}>" if person.get("email") else name
