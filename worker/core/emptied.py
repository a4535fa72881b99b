"""
Many values of one client that go at once are held back, and a person is asked.

Who clears a phone number means it. Who clears number, e-mail, phone and address of a client in one go may as well have
struck the wrong key, or it was an import, or an answer of the source in which they are null for another reason; and by
then every system would have lost them. So where so many of the values go that a client is known by, none is emptied
there before somebody has looked. What else changed goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from worker.core.field_merge import REQUIRED_THERE, Decision
from worker.core.mapping import EVERYTHING, PERSONS, unit_path
from worker.core.person_matching import SELF
from worker.core.units import ask_together

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, Ours, VendorMapping
    from worker.core.persons import PersonPlan, TheirPerson
    from worker.core.snapshot import Snapshot

MANY_EMPTIED: Final = "emptied here together with others, and not yet there"
FEWEST: Final = 3
"""So many kinds of values that a client is known by, gone at once, are asked about."""

_KINDS: Final[Mapping[str, str]] = {
    "vat_number": "number",
    "registration_number": "number",
    "email": "email",
    "invoice_email": "email",
    "phone": "phone",
    "mobile": "phone",
    unit_path("address"): "address",
    unit_path("invoice_address"): "address",
    PERSONS: "persons",
}


def hold_back(
    mapping: VendorMapping,
    ours: Ours,
    base: Snapshot | None,
    decisions: Sequence[Decision],
    persons: PersonPlan | None,
    their_persons: Sequence[TheirPerson] | None,
    *,
    held_back: Collection[str],
    allowed: Collection[str],
) -> tuple[list[Decision], PersonPlan | None]:
    """
    The decisions, with those that empty something as one question where they are too many, and the plan of persons.

    `held_back` are paths that such a question is open about, which stay in it; `allowed` those that a person said are
    to be emptied. Persons whose members would be emptied wait with the others, all of them.
    """
    empties = [one for one in decisions if one.path not in allowed and _empties(mapping, ours, base, one)]
    writes = [one for one in empties if one.action == "write"]
    emptied_persons = set() if PERSONS in allowed else _emptied_persons(mapping, base, ours, persons)
    kinds = {kind for one in empties if (kind := _kind(mapping, ours, one.path))} | emptied_persons
    paths = {one.path for one in writes} | ({PERSONS} if emptied_persons else set())
    if len(kinds) < FEWEST and paths.isdisjoint(held_back):
        return list(decisions), persons
    waiting = [_seen(one, base) for one in writes]
    if emptied_persons:
        shown = [{"main": one.main, **one.fields} for one in ours.persons]
        held = [{"main": person.main, **person.fields} for person in their_persons or ()]
        waiting.append(Decision(PERSONS, "park", shown, held, MANY_EMPTIED))
    if not waiting:
        return list(decisions), persons
    rest = [one for one in decisions if one not in writes]
    question = ask_together(EVERYTHING, waiting, MANY_EMPTIED)
    return [*rest, question], None if emptied_persons else persons


def _empties(mapping: VendorMapping, ours: Ours, base: Snapshot | None, one: Decision) -> bool:
    """Whether a value that was agreed on goes away, or would if it were not required there."""
    if base is None or one.path not in base.ours or not (one.action == "write" or one.rule == REQUIRED_THERE):
        return False
    row = mapping.row(one.path)
    return _is_empty(row, ours) and row.key(base.ours[one.path]) != "" and one.path not in base.placeholders


def _is_empty(row: FieldRow, ours: Ours) -> bool:
    return row.vendor in ours.placeholders or row.key(ours.fields.get(row.vendor)) == ""


def _kind(mapping: VendorMapping, ours: Ours, path: str) -> str | None:
    """Which kind of value goes with this field; an address only goes if nothing of it is left."""
    row = mapping.row(path)
    if not row.unit:
        return _KINDS.get(row.canonical)
    whole = all(_is_empty(one, ours) for one in mapping.rows if one.unit == row.unit)
    return _KINDS.get(unit_path(row.unit)) if whole else None


def _emptied_persons(mapping: VendorMapping, base: Snapshot | None, ours: Ours, plan: PersonPlan | None) -> set[str]:
    """The kinds of values that go with what is emptied of persons, or with the last of them."""
    if plan is None or mapping.persons is None:
        return set()
    kinds = {
        _KINDS.get(row.canonical)
        for change in plan.kept
        if change.person.main
        for row in mapping.persons.rows
        if row.vendor in change.patch and row.key(change.patch[row.vendor]) == ""
    }
    had = [key for key in (base.persons if base else {}) if key != SELF]
    if had and plan.removed and not [one for one in ours.persons if one.key != SELF]:
        kinds.add(_KINDS[PERSONS])
    return {kind for kind in kinds if kind is not None}


def _seen(one: Decision, base: Snapshot | None) -> Decision:
    """With what the record held when it was last seen, where it was not read now."""
    if one.theirs is not None or base is None:
        return one
    return replace(one, theirs=base.theirs.get(one.path))
