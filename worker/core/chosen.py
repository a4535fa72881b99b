"""
A value that a person typed as the answer to a question: neither ours nor theirs, for one field of one system.

It is written once, and stands there until ours changes, as a value of theirs does that a person let stand. It holds for
what the question showed: where Robaws or the system has another value by then, nothing typed is written, and the field
is decided about as if nobody had answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from worker.core import sensitive
from worker.core.field_merge import Decision
from worker.core.mapping import COUNTRY_LENGTH, misfit
from worker.core.normalise import country_code
from worker.core.units import ask_together

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, Ours, VendorMapping

A_PERSONS_VALUE: Final = "a person gave this value"
TAKEN_BACK: Final = "the answer was taken back; what was written stays until it is answered anew"
NOT_A_VALUE: Final = "the value holds a line break or another character that no field takes"
MOST_CHARACTERS: Final = 2_000
"""Of a value that a person types: far more than any field takes, and few enough to be looked through at once."""

_EMAIL: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "email": (_EMAIL, "is not an e-mail address"),
    "phone": (re.compile(r"[+(]?[0-9][0-9 ()./-]{5,}"), "is not a phone number"),
    "vat": (re.compile(r"[A-Za-z]{0,2}[ .-]?[0-9A-Za-z .-]*[0-9][0-9A-Za-z .-]{4,}"), "is not a VAT number"),
    "url": (re.compile(r"\S+\.\S+"), "is not an address of a website"),
    "integer_text": (re.compile(r"[0-9]{1,6}"), "is not a whole number"),
}


def typed(row: FieldRow, given: Any) -> Any:
    """
    What a person typed, as the field takes it. ValueError, with a sentence, for what that field cannot hold.

    >>> from worker.core.mapping import FieldRow
    >>> typed(FieldRow("phone", "tel", "phone"), " 09 123 45 67 ")
    '09 123 45 67'
    """
    if not isinstance(given, str) or not given.strip():
        raise ValueError("say which value: a text that is not blank")
    value = given.strip()
    if len(value) > MOST_CHARACTERS:
        raise ValueError(f"the value has more than {MOST_CHARACTERS} characters")
    if not value.isprintable():
        raise ValueError(NOT_A_VALUE)
    if sensitive.clean_text(value) != value:
        raise ValueError("that looks like a bank account or a national number, which is never kept or sent on")
    if row.normaliser == "boolean" or row.direction == "in" or row.write == "create":
        raise ValueError(f"{row.label} takes no value of its own")
    form = _FORMS.get(row.normaliser)
    if form is not None and not form[0].fullmatch(value):
        raise ValueError(f"{value[:60]!r} {form[1]}")
    if row.normaliser == "country":
        code = country_code(value)
        if not code:
            raise ValueError(f"{value[:60]!r} is not a country that is known here")
        value = code if row.max_length == COUNTRY_LENGTH else value
    problem = misfit(row, value)
    if problem or row.key(value) == "":
        raise ValueError(problem or f"{value[:60]!r} says nothing in the field {row.label}")
    return value


def carry_out(
    mapping: VendorMapping,
    ours: Ours,
    decisions: Sequence[Decision],
    record: Mapping[str, Any] | None,
    chosen: Mapping[str, Mapping[str, Any]],
) -> list[Decision]:
    """
    The decisions with what people chose for single fields in their place.

    `chosen` is by vendor path: the `value`, `ours` as the question showed it, and the values that may be there
    (`theirs`). A value that the system refused in this delivery is not sent again.
    """
    if record is None or not chosen:
        return list(decisions)
    rows = {row.vendor: row for row in mapping.rows}
    made: dict[str, Decision] = {}
    for path, one in chosen.items():
        row = rows.get(path)
        if row is None or path not in record or path in ours.refused or not _still(row, ours, one, record[path]):
            continue
        there = row.key(record[path]) == row.key(one["value"])
        made[path] = Decision(path, "settle" if there else "write", one["value"], record[path], A_PERSONS_VALUE)
    kept = [one for one in decisions if made.keys().isdisjoint((one.path, *(member.path for member in one.members)))]
    return [*kept, *made.values()]


def ask_again(
    mapping: VendorMapping, ours: Ours, decisions: Sequence[Decision], again: Mapping[str, Mapping[str, Any]]
) -> list[Decision]:
    """The decisions with the questions in their place whose answers were taken back after they were carried out."""
    rows = {row.vendor for row in mapping.rows}
    asked: list[Decision] = []
    for path, one in again.items():
        shown = {name: value for name, value in (one.get("members") or {}).items() if name in rows}
        members = [
            Decision(name, "park", said(ours, name), value.get("theirs"), TAKEN_BACK) for name, value in shown.items()
        ]
        if members:
            asked.append(members[0] if members[0].path == path else ask_together(path, members, TAKEN_BACK))
    paths = {name for one in asked for name in (one.path, *(member.path for member in one.members))}
    kept = [one for one in decisions if paths.isdisjoint((one.path, *(member.path for member in one.members)))]
    return [*kept, *asked]


def _still(row: FieldRow, ours: Ours, one: Mapping[str, Any], held: Any) -> bool:
    """Whether both sides have what the question showed, or the system has the value already."""
    expected = {row.key(value) for value in (*one.get("theirs", ()), one["value"])}
    return row.key(said(ours, row.vendor)) == row.key(one.get("ours")) and row.key(held) in expected


def said(ours: Ours, path: str) -> Any:
    """What Robaws says about a field, whether or not it fits there."""
    return ours.fields.get(path, ours.misfits.get(path))
