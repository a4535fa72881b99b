"""Contact persons for tests: a small table, made-up people, and a system that does what a plan says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from worker.core.mapping import FieldRow, OurPerson, PersonTable
from worker.core.persons import SELF, PersonPlan, TheirPerson, settle_persons
from worker.core.planning import Snapshot

TABLE: Final = PersonTable(
    (
        FieldRow("first_name", "first"),
        FieldRow("last_name", "last"),
        FieldRow("email", "mail", "email"),
        FieldRow("phone", "tel", "phone"),
    ),
    build=lambda _: (),
    email=lambda fields: fields.get("mail"),
    name=lambda fields: " ".join(str(fields[part]) for part in ("first", "last") if fields.get(part)) or None,
)


def ours(key: str, first: str | None = None, last: str | None = None, *, main: bool = False, **more: Any) -> OurPerson:
    """One of ours; `:self` stands in with its name."""
    stand_in = ("first", "last") if key == SELF else ()
    return OurPerson(key, main, {"first": first, "last": last, **more}, placeholders=stand_in)


def theirs(
    external_id: str, first: str | None = None, last: str | None = None, *, main: bool = False, **more: Any
) -> TheirPerson:
    """One of theirs."""
    return TheirPerson(external_id, main, {"first": first, "last": last, **more})


def agreed(*persons: tuple[str, OurPerson], main: str | None = None) -> Snapshot:
    """A snapshot in which these of ours are these of theirs, with the same members on both sides."""
    entries = {
        person.key: {
            "external_id": external_id,
            "ours": dict(person.fields),
            "theirs": dict(person.fields),
            "main": person.key == main,
        }
        for external_id, person in persons
    }
    return Snapshot(persons=entries, main=main)


def patches(plan: PersonPlan) -> dict[str, Mapping[str, Any]]:
    """What is written to those who are there, by external id."""
    return {change.external_id: change.patch for change in plan.kept if change.patch}


def carry_out(plan: PersonPlan, there: Sequence[TheirPerson]) -> list[TheirPerson]:
    """What a system holds after a plan: it changes whom it is told to, and its list where that is to be written."""
    patches = {change.external_id: change.patch for change in plan.kept}
    changed = {
        person.external_id: TheirPerson(
            person.external_id, person.main, {**person.fields, **patches.get(person.external_id, {})}
        )
        for person in there
    }
    if not plan.list_changes:
        return list(changed.values())
    added = {person.key: person for person in plan.added}
    fresh = itertools.count(1 + max((int(person.external_id) for person in there), default=0))
    listed: list[TheirPerson] = []
    for external_id, key, main in plan.listing:
        if external_id is None:
            listed.append(TheirPerson(str(next(fresh)), main, dict(added[str(key)].fields)))
        else:
            listed.append(TheirPerson(external_id, main, changed[external_id].fields))
    return listed


def settle(
    persons: Sequence[OurPerson], base: Snapshot | None, plan: PersonPlan, after: Sequence[TheirPerson]
) -> Snapshot:
    """The snapshot after a plan, as the flows keep it."""
    return Snapshot(persons=settle_persons(TABLE, persons, base, after, plan.absent), main=plan.main)
