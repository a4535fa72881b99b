"""
What a delivery would write for one client, as values that can be printed and compared: the plan of one client.

The decisions are those of `planning` and `matching`; here they only get the shape in which people and programs read
them. A field has `from` (what the system holds), `to`, the `rule` behind it, and `action`: `write`, `park` where the
field would be asked about and left as it is, or `keep` where an answer that holds from now on leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from worker.core.chosen import TAKEN_BACK
from worker.core.field_merge import DOES_NOT_FIT, REFUSED, REQUIRED_THERE
from worker.core.masks import BY_WORD, ClientName, Document, DocumentList, FieldName, Id, Word
from worker.core.persons import MAIN_PATH, person_path
from worker.core.planning import Update, parked_at_create
from worker.core.sent import MAIN_PERSON, PERSON_ADDED, PERSON_REMOVED, person_changes

if TYPE_CHECKING:
    from worker.core.mapping import Ours, Owner, VendorMapping
    from worker.core.planning import Create, Decision, Nothing, Review, Snapshot

ACTIONS: Final = ("create", "update", "link", "review", "nothing", "gone", "undecided")
"""`undecided`: the system could not be asked, or waits for something; nobody can tell what would be written."""
NEW_RECORD: Final = "new record"
ANSWERED_OURS: Final = "written, by an answer that holds from now on"
ANSWERED_THEIRS: Final = "theirs stands, by an answer that holds from now on"
ITS_ID: Final = "the id of its record there"

Fields = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class PlannedItem:
    """
    What would happen to one client in one system. `why` is the sentence for it, `candidates` the records that a person
    would choose from, `unheld` the fields that the system has no place for.
    """

    system: Word
    source_id: Id
    name: ClientName | None
    kind: Word | None
    action: Word
    external_id: Id | None = None
    fields: Document = field(default_factory=dict)
    why: str = ""
    candidates: DocumentList = field(default_factory=list)
    unheld: list[FieldName] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether anything would be written there."""
        return any(one["action"] == "write" for one in self.fields.values()) or self.action == "create"

    @property
    def asks(self) -> bool:
        """Whether a person would be asked."""
        return self.action in ("review", "gone") or any(one["action"] == "park" for one in self.fields.values())


@dataclass(frozen=True)
class ClientPlan:
    """
    What `contacts sync` would do with one client, as its systems are at `made_at`. `known`: whether it is known here
    already; `version` is the one that it would have.
    """

    source_id: Id
    name: ClientName | None
    kind: Word | None
    made_at: datetime
    known: bool
    version: int
    taking_part: bool
    gone: bool
    systems: list[Word]
    counts: Annotated[Mapping[str, Mapping[str, int]], BY_WORD]
    items: list[PlannedItem]

    @property
    def changes(self) -> bool:
        """Whether anything would be written, linked or asked, or nobody can tell."""
        return any(item.writes or item.asks or item.action in ("link", "undecided") for item in self.items)


def counts(items: Sequence[PlannedItem]) -> dict[str, dict[str, int]]:
    """By system, how many of each action."""
    return {item.system: {action: int(action == item.action) for action in ACTIONS} for item in items}


def of_create(mapping: VendorMapping, ours: Ours, owners: Mapping[str, Owner], plan: Create) -> Fields:
    """The fields and contact persons of a new record; what does not fit is left out of it, and asked about."""
    found = {path: _field(mapping, path, None, value, NEW_RECORD) for path, value in plan.fields.items()}
    if mapping.persons is not None:
        for person in ours.persons:
            found[person_path(person.key)] = _entry(None, _given(person.fields), NEW_RECORD)
    return found | dict(_parked(mapping, parked_at_create(mapping, ours, owners)))


def of_change(mapping: VendorMapping, base: Snapshot | None, plan: Update | Nothing) -> Fields:
    """The fields and contact persons that a change writes, and those that it asks about."""
    written = plan.patch if isinstance(plan, Update) else {}
    found = {
        one.path: _field(mapping, one.path, one.theirs, one.ours, one.rule)
        for one in plan.decisions
        if one.action == "write" and one.path in written
    }
    found |= dict(_parked(mapping, plan.decisions))
    persons = plan.persons
    if persons is None or not isinstance(plan, Update) or not persons.changes:
        return found
    for change, member, rule in person_changes(persons, mapping.persons, base):
        path = person_path(change.key, member)
        found[path] = _entry(change.theirs.fields.get(member), change.patch[member], rule)
    if not persons.list_changes:
        return found
    for person in persons.added:
        found[person_path(person.key)] = _entry(None, _given(person.fields), PERSON_ADDED)
    known = base.persons if base else {}
    for key, _ in persons.removed:
        found[person_path(key)] = _entry(_given((known.get(key) or {}).get("theirs") or {}), None, PERSON_REMOVED)
    if not persons.added and not persons.removed:
        found[MAIN_PATH] = _entry(None, persons.main, MAIN_PERSON)
    return found


def answered_by_rules(fields: Fields, rules: Mapping[str, str]) -> Fields:
    """
    The same, where a person's answer holds from now on: `rules` are those answers by path, `ours` or `theirs`.

    What does not fit or was refused, and what somebody wants to be asked about again, is asked about all the same.
    """
    return {path: _answered(one, rules.get(path)) for path, one in fields.items()}


def _answered(one: dict[str, Any], choice: str | None) -> dict[str, Any]:
    if one["action"] != "park" or one["rule"] in (REFUSED, TAKEN_BACK):
        return one
    if choice == "theirs":
        return {**one, "action": "keep", "rule": ANSWERED_THEIRS}
    if choice == "ours" and one["rule"] not in (DOES_NOT_FIT, REQUIRED_THERE):
        return {**one, "action": "write", "rule": ANSWERED_OURS}
    return one


def of_review(mapping: VendorMapping, review: Review) -> Fields:
    """The fields that keep a record from being made."""
    return {path: _field(mapping, path, None, None, text, "park") for path, text in review.fields.items()}


def of_write_back(patch: Mapping[str, str | None], base: Snapshot) -> Fields:
    """The extra fields at the source that would hold the records' ids."""
    return {name: _entry(base.ours.get(name), value, ITS_ID) for name, value in patch.items()}


def _parked(mapping: VendorMapping, decisions: Sequence[Decision]) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in decisions:
        if one.action == "park":
            yield one.path, _field(mapping, one.path, one.theirs, one.ours, one.rule, "park")


def _field(mapping: VendorMapping, path: str, held: Any, ours: Any, rule: str, action: str = "write") -> dict[str, Any]:
    return {**_entry(held, ours, rule, action), "label": mapping.row(path).label}


def _entry(held: Any, ours: Any, rule: str, action: str = "write") -> dict[str, Any]:
    return {"from": held, "to": ours, "rule": rule, "action": action}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}
