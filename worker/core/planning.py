"""
Decide what must change in one system: canonical contact + link + what the system holds -> a plan.

Three-way merge, field by field (`field_merge` has the decision table). The base is what both sides agreed on last:
`Snapshot.ours` is what we meant the system to hold, `Snapshot.theirs` what it then held. The two differ where the
vendor keeps a value in its own way or drops it; because a change of ours is measured against `ours` and a person's edit
against `theirs`, a value that was not accepted is not written again until ours changes, and no write loops.

Everything here is pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from worker.core.chosen import A_PERSONS_VALUE, ask_again, carry_out, said
from worker.core.emptied import hold_back
from worker.core.field_merge import (
    DOES_NOT_FIT,
    MADE_ANEW,
    NO_ROW,
    NOT_READ,
    NOT_THE_NAME,
    REFUSED,
    Action,
    Decision,
    decide_field,
)
from worker.core.mapping import PERSONS
from worker.core.naming import named_there
from worker.core.persons import (
    PersonPlan,
    TheirPerson,
    changed_parts,
    persons_changed,
    plan_persons,
    written_parts,
)
from worker.core.snapshot import Snapshot
from worker.core.units import decide_units

if TYPE_CHECKING:
    from worker.core.mapping import OurPerson, Ours, Owner, PersonTable, VendorMapping

__all__ = [
    "Action",
    "Create",
    "Decision",
    "Nothing",
    "Plan",
    "Review",
    "Snapshot",
    "Update",
    "agree",
    "may_have_written",
    "needs_read",
    "parked_at_create",
    "plan_create",
    "plan_update",
    "written_paths",
]

PERSONS_DECIDED: Final = "contact persons changed here, and a person decides about them"


@dataclass(frozen=True)
class Create:
    """No record there: make one of these fields and persons."""

    ours: Ours
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Update:
    """
    Change these members (a merge patch by vendor path; None empties) and these persons, and nothing else.

    `cleared` are the paths of the patch that hold nothing, or a stand-in, afterwards: what a plan takes away.
    """

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

    Every field that is not ignored is given, whoever owns it afterwards: a new record has no edits to protect. One that
    is required is given in any case, as the create would be refused. A required value that a person must supply, or one
    that does not fit, makes it a review; another one that does not fit is left out (`parked_at_create`).
    """
    faults = {path: f"{mapping.row(path).label} is missing and {mapping.system} requires it" for path in ours.missing}
    faults |= {path: text for path, text in ours.problems.items() if path in ours.required}
    if faults:
        reason = "missing_required" if ours.missing else "does_not_fit"
        return Review(reason, "; ".join(faults.values()), faults)
    fields = {
        path: value
        for path, value in ours.fields.items()
        if value not in (None, "") and (owners.get(path) != "ignore" or path in ours.required)
    }
    return Create(ours, fields)


def parked_at_create(mapping: VendorMapping, ours: Ours, owners: Mapping[str, Owner]) -> tuple[Decision, ...]:
    """The values that a create leaves out as they do not fit or are refused: questions, beside the new record."""
    return tuple(
        Decision(path, "park", ours.misfits.get(path), None, REFUSED if path in ours.refused else DOES_NOT_FIT)
        for path in ours.problems
        if owners.get(path, mapping.row(path).owner) not in ("system", "ignore")
    )


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

    It does on a first link, for a changed field that Robaws does not simply own, for a field without a base, and for
    any change where a write replaces more than it names (`write_replaces`). A patch of owned fields needs no read.
    """
    if base is None:
        return True
    changed = _persons(mapping, owners) and persons_changed(mapping, ours.persons, base.persons, base.main)
    if changed and base.ours.get(PERSONS) != _shown(ours.persons):
        return True
    return any(
        decision.rule == NOT_READ or (write_replaces and decision.action == "write")
        for decision in _decisions(mapping, ours, owners, base, None, restore=False)
    )


def plan_update(
    mapping: VendorMapping,
    ours: Ours,
    owners: Mapping[str, Owner],
    base: Snapshot | None,
    theirs: Mapping[str, Any] | None,
    *,
    their_persons: tuple[TheirPerson, ...] | None = (),
    restore: bool = False,
    repair: Collection[str] = (),
    held_back: Collection[str] = (),
    allowed: Collection[str] = (),
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
    again: Mapping[str, Mapping[str, Any]] | None = None,
) -> Update | Nothing:
    """
    Plan the change of a record that is there.

    `theirs` is what the system holds now, None where it was not read: then only fields are written that Robaws owns and
    that changed here since the last agreement, and nothing is decided that depends on what is there. `their_persons`
    is None where the answer does not show them. `restore` also puts back owned fields that somebody changed there (an
    operator's "sync now", a reconcile), and wants a read; a live event writes only what changed here. `repair` are
    the paths (`may_have_written`) where a change of ours that was not answered is put right, in the same way.
    Many values that go at once are asked about: `held_back` and `allowed` are those of `emptied.hold_back`. `chosen`
    are values that a person typed, by path (`chosen.carry_out`), `again` questions that
    are asked once more, whatever the two sides hold (`chosen.ask_again`).
    """
    decisions = _decisions(mapping, ours, owners, base, theirs, restore=restore, repair=repair)
    decisions = carry_out(mapping, ours, decisions, theirs, chosen or {})
    decisions = ask_again(mapping, ours, decisions, again or {})
    persons, table = None, _persons(mapping, owners)
    if table is not None and theirs is not None and their_persons is not None:
        owner = owners.get(PERSONS, table.owner)
        persons, asked = _plan_persons(table, ours, owner, base, their_persons, restore, repair)
        decisions += asked
    decisions, persons = hold_back(
        mapping, ours, base, decisions, persons, their_persons, held_back=held_back, allowed=allowed
    )
    patch = {decision.path: decision.ours for decision in decisions if decision.action == "write"}
    if not patch and (persons is None or not persons.changes):
        return Nothing(tuple(decisions), persons)
    cleared = tuple(path for path in patch if path in ours.placeholders or mapping.row(path).key(patch[path]) == "")
    return Update(patch, tuple(decisions), persons, cleared)


def _decisions(
    mapping: VendorMapping,
    ours: Ours,
    owners: Mapping[str, Owner],
    base: Snapshot | None,
    theirs: Mapping[str, Any] | None,
    *,
    restore: bool,
    repair: Collection[str] = (),
) -> list[Decision]:
    """One decision for each field that is written there, and for each that was once and has no row any more."""
    ours, owners = named_there(mapping, ours, owners, base, theirs, restore=restore, repair=repair)
    made_anew = base is not None and not mapping.made(base)
    judged = (
        decide_field(
            row,
            ours,
            owners.get(row.vendor, row.owner),
            base,
            theirs,
            restore=restore,
            repair=row.vendor in repair,
            made_anew=made_anew,
        )
        for row in mapping.rows
    )
    decisions = decide_units([one for one in judged if one is not None])
    rows = {row.vendor for row in mapping.rows if row.direction != "in"} | {PERSONS}
    agreed = base.ours if base else {}
    gone = [path for path in agreed if path not in rows]
    unnamed = [path for path in agreed if path in rows and path != PERSONS and not ours.says(path)]
    decisions += [Decision(path, "forget", None, None, NO_ROW) for path in gone]
    return decisions + [Decision(path, "forget", None, None, NOT_THE_NAME) for path in unnamed]


def _persons(mapping: VendorMapping, owners: Mapping[str, Owner]) -> PersonTable | None:
    """The table of contact persons where ours take part, None where there is none or it is not ours."""
    table = mapping.persons
    return None if table is None or owners.get(PERSONS, table.owner) in ("system", "ignore") else table


def _plan_persons(
    table: PersonTable,
    ours: Ours,
    owner: Owner,
    base: Snapshot | None,
    theirs: tuple[TheirPerson, ...],
    restore: bool,
    repair: Collection[str],
) -> tuple[PersonPlan | None, list[Decision]]:
    """
    The plan of the list of persons, or the question about it where a person decides and the list is not empty.

    None for a list of theirs that a person let stand, until ours changes.
    """
    shown = _shown(ours.persons)
    if base is not None and base.ours.get(PERSONS) == shown:
        return None, []
    plan = plan_persons(
        table,
        ours.persons,
        base,
        theirs,
        restore=restore and owner == "robaws",
        repair=repair if owner == "robaws" else (),
        fill=owner == "fill",
    )
    if owner != "review" or not plan.changes or not theirs:
        return plan, []
    held = [{"main": person.main, **person.fields} for person in theirs]
    return None, [Decision(PERSONS, "park", shown, held, PERSONS_DECIDED)]


def _shown(persons: tuple[OurPerson, ...]) -> list[dict[str, Any]]:
    """Our persons as a question shows them; what a person let stand is compared with it."""
    return [{"main": person.main, **person.fields} for person in persons]


def agree(
    ours: Ours,
    base: Snapshot | None,
    decisions: tuple[Decision, ...],
    held: Mapping[str, Any] | None,
    persons: Mapping[str, Mapping[str, Any]] | None,
    main: str | None,
    *,
    sent: Collection[str] | None = None,
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
) -> Snapshot:
    """
    The snapshot after a plan was carried out.

    `held` is the record as the vendor showed it after the write, None where it did not: then what was written counts
    as held. Fields that were parked, or about which nothing was decided, keep the base they had. While one waits that
    another table made, the snapshot keeps the version of that table. `sent` are the paths that stood in a request,
    None for all that the plan writes. `chosen` is as for `plan_update`: such a value stands in the place of ours.
    """
    new_ours = dict(base.ours) if base else {}
    new_theirs = dict(base.theirs) if base else {}
    stand_ins = set(base.placeholders) if base else set()
    because = dict(base.because) if base else {}
    for decision in decisions:
        path = decision.path
        if decision.action in ("park", "keep"):
            continue
        stand_ins.discard(path)
        because.pop(path, None)
        if decision.action == "forget":
            new_ours.pop(path, None)
            new_theirs.pop(path, None)
            continue
        new_ours[path] = decision.ours
        new_theirs[path] = decision.theirs
        if decision.action == "write":
            new_theirs[path] = held[path] if held is not None and path in held else decision.ours
            stand_ins |= {path} & set(ours.placeholders)
        if new_ours[path] != new_theirs[path]:
            left = decision.action == "write" and (sent is None or path in sent)
            because[path] = {"rule": decision.rule, **({"sent": True} if left else {})}
        if decision.rule == A_PERSONS_VALUE:
            new_ours[path] = said(ours, path)
            because.pop(path, None)
            if new_ours[path] != new_theirs[path]:
                because[path] = dict((chosen or {}).get(path, {}).get("because") or {"rule": decision.rule})
    if persons is not None:
        new_ours.pop(PERSONS, None)
        new_theirs.pop(PERSONS, None)
    waits = base is not None and any(decision.rule == MADE_ANEW for decision in decisions)
    return Snapshot(
        new_ours,
        new_theirs,
        (dict(base.persons) if base else {}) if persons is None else dict(persons),
        main if persons is not None else (base.main if base else None),
        tuple(sorted(stand_ins)),
        base.table if base is not None and waits else ours.table,
        because,
    )


def written_paths(plan: Update) -> tuple[str, ...]:
    """All that a plan writes, by path: should its answer be lost, this is what may have changed."""
    return (*plan.patch, *(written_parts(plan.persons) if plan.persons else ()))


def may_have_written(mapping: VendorMapping, ours: Ours, base: Snapshot) -> frozenset[str]:
    """What a delivery of these contents may have written, by path, whatever became of it: all that had changed here."""
    fields = {
        row.vendor
        for row in mapping.rows
        if row.direction != "in" and row.write == "always" and row.vendor in base.ours
        if row.key(ours.fields.get(row.vendor)) != row.key(base.ours[row.vendor])
    }
    return frozenset((*fields, *changed_parts(mapping, ours.persons, base.persons, base.main)))
