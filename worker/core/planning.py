"""
Decide what must change in one system: canonical contact + link + what the system holds -> a plan.

Three-way merge, field by field. The base is what both sides agreed on last: `Snapshot.ours` is what we meant the
system to hold, `Snapshot.theirs` what it then held. The two differ where the vendor keeps a value in its own way or
drops it; because a change of ours is measured against `ours` and a person's edit against `theirs`, a value that was
not accepted is not written again until ours changes, and no write loops.

Everything here is pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from worker.core.persons import PersonPlan, TheirPerson, persons_changed, plan_persons

if TYPE_CHECKING:
    from worker.core.mapping import FieldRow, Ours, Owner, VendorMapping

Action = Literal["write", "park", "settle", "keep"]


@dataclass(frozen=True)
class Snapshot:
    """
    One system's record as both sides last agreed; JSON through `to_json` and `from_json`.

    `persons` is by the source's person key: external id, and both sides of the person's members. `main` is the key
    of the person that we last made the main one. `placeholders` are paths that hold a stand-in of ours.
    """

    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    persons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    main: str | None = None
    placeholders: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The snapshot as it stands in the link's row."""
        return {
            "ours": dict(self.ours),
            "theirs": dict(self.theirs),
            "persons": {key: dict(person) for key, person in self.persons.items()},
            "main": self.main,
            "placeholders": list(self.placeholders),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Snapshot | None:
        """The snapshot from a link's row, None where there was none."""
        if not value:
            return None
        return cls(
            value.get("ours") or {},
            value.get("theirs") or {},
            value.get("persons") or {},
            value.get("main"),
            tuple(value.get("placeholders") or ()),
        )


@dataclass(frozen=True)
class Decision:
    """
    What happens to one field, and the rule that says so.

    `write` puts ours there; `park` leaves it to a person; `settle` records that both sides agree (or that theirs
    stands), without a write; `keep` changes nothing, not even the record of agreement.
    """

    path: str
    action: Action
    ours: Any
    theirs: Any
    rule: str


@dataclass(frozen=True)
class Create:
    """No record there: make one of these fields and persons."""

    ours: Ours
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Update:
    """Change these members (a merge patch by vendor path; None empties) and these persons, and nothing else."""

    patch: Mapping[str, Any]
    decisions: tuple[Decision, ...]
    persons: PersonPlan | None = None
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nothing:
    """The system agrees, or what differs is not ours to change. Decisions tell which."""

    decisions: tuple[Decision, ...] = ()
    persons: PersonPlan | None = None


@dataclass(frozen=True)
class Review:
    """Nothing can be done before a person chose; `fields` gives the sentence for each field."""

    reason: str
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)


Plan = Create | Update | Nothing | Review


def plan_create(mapping: VendorMapping, ours: Ours, owners: Mapping[str, Owner]) -> Create | Review:
    """
    Plan a record that is not there yet.

    Every field that is not ignored is given, whoever owns it afterwards: a new record has no edits to protect.
    A required value that a person must supply, or one that does not fit, makes it a review.
    """
    faults = {path: f"{mapping.row(path).label} is missing and {mapping.system} requires it" for path in ours.missing}
    faults |= {path: text for path, text in ours.problems.items() if mapping.row(path).required}
    if faults:
        reason = "missing_required" if ours.missing else "does_not_fit"
        return Review(reason, "; ".join(faults.values()), faults)
    fields = {
        path: value for path, value in ours.fields.items() if value not in (None, "") and owners.get(path) != "ignore"
    }
    return Create(ours, fields)


def needs_read(
    mapping: VendorMapping,
    ours: Ours,
    owners: Mapping[str, Owner],
    base: Snapshot | None,
    *,
    write_replaces: bool,
) -> bool:
    """
    Tell whether the plan depends on what the system holds now.

    It does on a first link, for a changed field that Robaws does not simply own, and for any change where a write
    replaces more than it names (`write_replaces`). A patch of owned fields needs no read.
    """
    if base is None:
        return True
    persons = mapping.persons is not None and owners.get("persons") not in ("system", "ignore")
    if persons and persons_changed(mapping, ours.persons, base.persons, base.main):
        return True
    for row in mapping.rows:
        if row.vendor not in ours.fields or row.write == "create":
            continue
        owner = owners.get(row.vendor, row.owner)
        if owner in ("system", "ignore"):
            continue
        never_agreed = row.vendor not in base.ours
        if never_agreed and row.key(ours.fields[row.vendor]) == "":
            continue
        changed = never_agreed or row.key(ours.fields[row.vendor]) != row.key(base.ours[row.vendor])
        if changed and (never_agreed or write_replaces or owner in ("fill", "review")):
            return True
    return False


def plan_update(
    mapping: VendorMapping,
    ours: Ours,
    owners: Mapping[str, Owner],
    base: Snapshot | None,
    theirs: Mapping[str, Any] | None,
    *,
    their_persons: tuple[TheirPerson, ...] = (),
    restore: bool = False,
) -> Update | Nothing:
    """
    Plan the change of a record that is there.

    `theirs` is what the system holds now, None where it was not read: then the snapshot stands for it. `restore`
    also puts back owned fields that somebody changed there (an operator's "sync now", a reconcile); a live event
    writes only what changed here.
    """
    held = theirs if theirs is not None else (base.theirs if base else {})
    decisions = [
        decision
        for row in mapping.rows
        if (decision := _decide(row, ours, owners.get(row.vendor, row.owner), base, held, restore)) is not None
    ]
    persons = None
    if mapping.persons is not None and owners.get("persons") not in ("system", "ignore") and theirs is not None:
        persons = plan_persons(mapping.persons, ours.persons, base, their_persons, restore=restore)
    patch = {decision.path: decision.ours for decision in decisions if decision.action == "write"}
    if not patch and (persons is None or not persons.changes):
        return Nothing(tuple(decisions), persons)
    return Update(patch, tuple(decisions), persons)


def _decide(
    row: FieldRow, ours: Ours, owner: Owner, base: Snapshot | None, held: Mapping[str, Any], restore: bool
) -> Decision | None:
    path, theirs = row.vendor, held.get(row.vendor)
    if path in ours.problems:
        return Decision(path, "park", None, theirs, "does not fit")
    if path not in ours.fields or owner == "ignore" or row.direction == "in":
        return None
    value = ours.fields[path]
    mine, their = row.key(value), row.key(theirs)
    if row.write == "create" or owner == "system":
        return Decision(path, "settle", value, theirs, "owned there") if base is None or path not in base.ours else None
    if base is None or path not in base.ours:
        return _first(row, value, theirs, mine, their, owner, placeholder=path in ours.placeholders)
    if path in ours.missing:
        changed = row.key(base.ours[path]) != ""
        return Decision(path, "park", None, theirs, "required there, empty here") if changed else None
    return _merge(row, value, theirs, owner, base, restore, placeholder=path in ours.placeholders)


def _first(
    row: FieldRow, value: Any, theirs: Any, mine: str, their: str, owner: Owner, *, placeholder: bool
) -> Decision:
    path = row.vendor
    if mine == their:
        return Decision(path, "settle", value, theirs, "equal on the first link")
    if mine == "" or placeholder or not row.adopt:
        return Decision(path, "settle", value, theirs, "theirs stands on the first link")
    if their == "":
        return Decision(path, "write", value, theirs, "empty there on the first link")
    if owner == "fill":
        return Decision(path, "settle", value, theirs, "filled there already")
    return Decision(path, "park", value, theirs, "differs on the first link")


def _merge(
    row: FieldRow, value: Any, theirs: Any, owner: Owner, base: Snapshot, restore: bool, *, placeholder: bool
) -> Decision | None:
    path = row.vendor
    mine, their = row.key(value), row.key(theirs)
    if mine == row.key(base.ours[path]):
        edited = their != row.key(base.theirs.get(path))
        if restore and owner == "robaws" and edited and mine != their:
            if placeholder:
                return Decision(path, "settle", value, theirs, "theirs stands: ours is only a stand-in")
            if mine == "" and row.null_rule == "never":
                return Decision(path, "settle", value, theirs, "cannot be emptied there")
            return Decision(path, "write", value, theirs, "restored: Robaws owns this field")
        return None
    if mine == their:
        return Decision(path, "settle", value, theirs, "equal already")
    if mine == "" and row.null_rule == "never":
        return Decision(path, "settle", value, theirs, "cannot be emptied there")
    if owner == "robaws":
        return Decision(path, "write", value, theirs, "Robaws owns this field")
    if their == "":
        return Decision(path, "write", value, theirs, "empty there")
    if owner == "fill":
        return Decision(path, "settle", value, theirs, "filled there already")
    return Decision(path, "park", value, theirs, "changed here, and a person decides about this field")


def agree(
    ours: Ours,
    base: Snapshot | None,
    decisions: tuple[Decision, ...],
    held: Mapping[str, Any] | None,
    persons: Mapping[str, Mapping[str, Any]] | None,
    main: str | None,
) -> Snapshot:
    """
    The snapshot after a plan was carried out.

    `held` is the record as the vendor showed it after the write, None where it did not: then what was written counts
    as held. Fields that were parked, or about which nothing was decided, keep the base they had.
    """
    new_ours = dict(base.ours) if base else {}
    new_theirs = dict(base.theirs) if base else {}
    written = {decision.path for decision in decisions if decision.action == "write"}
    for decision in decisions:
        if decision.action in ("write", "settle"):
            new_ours[decision.path] = decision.ours
            new_theirs[decision.path] = decision.ours if decision.path in written else decision.theirs
    if held is not None:
        for path in new_ours:
            if path in held and (path in written or path not in new_theirs):
                new_theirs[path] = held[path]
    placeholders = tuple(path for path in ours.placeholders if path in new_ours)
    known = dict(base.persons) if base else {}
    return Snapshot(
        new_ours,
        new_theirs,
        known if persons is None else dict(persons),
        main if persons is not None else (base.main if base else None),
        placeholders,
    )


def not_accepted(mapping: VendorMapping, snapshot: Snapshot) -> dict[str, tuple[Any, Any]]:
    """
    The fields where the system holds something other than what we last meant it to hold: (ours, theirs) by path.

    Those are values that the vendor dropped or changed, or that a person was allowed to keep. A stand-in of ours is
    no value, so nothing was refused where another one stands in its place.
    """
    return {
        row.vendor: (snapshot.ours[row.vendor], snapshot.theirs.get(row.vendor))
        for row in mapping.rows
        if row.vendor in snapshot.ours
        and row.vendor not in snapshot.placeholders
        and row.write == "always"
        and row.key(snapshot.ours[row.vendor]) != ""
        and row.key(snapshot.ours[row.vendor]) != row.key(snapshot.theirs.get(row.vendor))
    }
