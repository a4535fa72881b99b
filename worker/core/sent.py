"""
What a request that changes a record says, field by field and person by person, and the rule behind each of them.

A delivery may take several requests, and a plan may hold more than one of them carries. So each request is told from
what stood in it: a decision about a field that is not there is not told of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from worker.core.field_merge import EMPTY_THERE, RESTORED, ROBAWS_OWNS
from worker.core.mapping import PERSONS
from worker.core.persons import MAIN_PATH

if TYPE_CHECKING:
    from worker.core.mapping import OurPerson, PersonTable
    from worker.core.persons import PersonChange, PersonPlan
    from worker.core.planning import Decision
    from worker.core.snapshot import Snapshot
    from worker.core.wire import Request

PERSON_ADDED: Final = "a contact person here, and not there"
PERSON_REMOVED: Final = "no contact person here any more"
MAIN_PERSON: Final = "the main contact person here"
RULES: Final = (PERSON_ADDED, PERSON_REMOVED, MAIN_PERSON)

ENVELOPES: Final = ("contact", "extraFields")
"""Members that a vendor wants around what is sent."""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """A change that is carried out: its decisions, and its plan of contact persons with their table and base."""

    decisions: Sequence[Decision]
    persons: PersonPlan | None = None
    table: PersonTable | None = None
    base: Snapshot | None = None


def members(sent: Any) -> Mapping[str, Any]:
    """
    The members of a body, without what a vendor wants around them.

    >>> members({"contact": {"name": "Ada"}})
    {'name': 'Ada'}
    """
    if not isinstance(sent, Mapping):
        return {}
    for envelope in ENVELOPES:
        inner = sent.get(envelope)
        if isinstance(inner, Mapping) and len(sent) == 1:
            return inner
    return sent


def entries(request: Request, planned: Planned) -> list[Entry]:
    """What a request of a planned change says; nothing for a read."""
    if not request.writes or request.creates:
        return []
    if request.person is not None:
        changes = planned.persons.kept if planned.persons else ()
        return [
            entry
            for change in changes
            if change.external_id == request.person
            for entry in _changed(change, members(request.logged), planned)
        ]
    said = members(request.logged)
    found = [_entry(one) for one in planned.decisions if one.action == "write" and one.path in said]
    return [*found, *(_listed(planned) if request.lists_persons else ())]


def questions(decisions: Sequence[Decision]) -> list[Entry]:
    """The decisions that ask a person."""
    return [_entry(one) for one in decisions if one.action == "park"]


def _entry(one: Decision) -> Entry:
    return {"path": one.path, "action": one.action, "rule": one.rule, "theirs": one.theirs}


def _changed(change: PersonChange, said: Mapping[str, Any], planned: Planned) -> list[Entry]:
    return [
        {
            "path": f"{PERSONS}.{member}",
            "action": "write",
            "rule": _rule(change, member, planned.table, planned.base),
            "theirs": change.theirs.fields.get(member),
            **_who(change.key, change.person.fields, planned.table),
        }
        for member in change.patch
        if member in said
    ]


def person_changes(
    plan: PersonPlan, table: PersonTable | None, base: Snapshot | None
) -> Iterator[tuple[PersonChange, str, str]]:
    """What is changed of persons who are there: who, which member, and by which rule."""
    for change in plan.kept:
        for member in change.patch:
            yield change, member, _rule(change, member, table, base)


def _rule(change: PersonChange, member: str, table: PersonTable | None, base: Snapshot | None) -> str:
    row = next((row for row in table.rows if row.vendor == member), None) if table else None
    if row is not None and row.key(change.theirs.fields.get(member)) == "":
        return EMPTY_THERE
    agreed = (base.persons.get(change.key) or {}) if base else {}
    before = agreed.get("ours") or {}
    unchanged = row is not None and member in before and row.key(before[member]) == row.key(change.patch[member])
    return RESTORED if unchanged else ROBAWS_OWNS


def _listed(planned: Planned) -> list[Entry]:
    """What a list of persons changes: who is added and removed, and who is the main one."""
    plan = planned.persons
    if plan is None or not plan.list_changes:
        return []
    known = planned.base.persons if planned.base else {}
    found = [
        {
            "path": PERSONS,
            "action": "add",
            "rule": PERSON_ADDED,
            "ours": {name: value for name, value in person.fields.items() if value not in (None, "")},
            **_who(person.key, person.fields, planned.table),
        }
        for person in plan.added
    ]
    for key, _ in plan.removed:
        held = (known.get(key) or {}).get("theirs") or {}
        told = {name: value for name, value in held.items() if value not in (None, "")}
        found.append(
            {"path": PERSONS, "action": "remove", "rule": PERSON_REMOVED, "theirs": told}
            | _who(key, held, planned.table)
        )
    return [*found, *_main(plan, planned)]


def _main(plan: PersonPlan, planned: Planned) -> list[Entry]:
    """The main person, where that is another one than was marked there."""
    there = {change.external_id: change.theirs for change in plan.kept} | {one.external_id: one for one in plan.others}
    place = next((place for place in plan.listing if place[2]), None)
    if place is None or not (there or plan.removed):
        return []
    external_id, key, _ = place
    held = there.get(external_id) if external_id is not None else None
    if held is not None and held.main:
        return []
    added = next((person for person in plan.added if person.key == key), None)
    fields = _fields(added) or (held.fields if held is not None else {})
    before = next((one for one in there.values() if one.main), None)
    return [
        {"path": MAIN_PATH, "action": "write", "rule": MAIN_PERSON, **_who(key, fields, planned.table)}
        | ({"theirs": _name(before.fields, planned.table)} if before is not None else {})
    ]


def _fields(person: OurPerson | None) -> Mapping[str, Any]:
    return person.fields if person is not None else {}


def _who(key: str | None, fields: Mapping[str, Any], table: PersonTable | None) -> Entry:
    return {"person": key, "name": _name(fields, table)}


def _name(fields: Mapping[str, Any], table: PersonTable | None) -> str | None:
    return table.name(fields) if table is not None else None
