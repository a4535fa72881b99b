"""
Where a record shows its name, in a system in which that depends on the record's kind (`mapping.NamesByKind`).

A record that is, and stays, of the other kind than our contact gets our name where it shows its own, and nothing in the
other member.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from worker.core.field_merge import decide_field

if TYPE_CHECKING:
    from worker.core.mapping import NamesByKind, Ours, Owner, VendorMapping
    from worker.core.snapshot import Snapshot


def named_there(
    mapping: VendorMapping,
    ours: Ours,
    owners: Mapping[str, Owner],
    base: Snapshot | None,
    theirs: Mapping[str, Any] | None,
    *,
    restore: bool = False,
    repair: Collection[str] = (),
) -> tuple[Ours, Mapping[str, Owner]]:
    """
    Ours and its owners as they apply to this record; the name is owned by whoever owns it in our own kind's member.

    Where our kind is being written, the names are those of our kind.
    """
    names = mapping.names
    if names is None:
        return ours, owners
    row = mapping.row(names.switch)
    owner, repaired = owners.get(names.switch, row.owner), names.switch in repair
    judged = decide_field(row, ours, owner, base, theirs, restore=restore, repair=repaired)
    if judged is None or judged.decision.action == "write":
        return ours, owners
    person = _is_person(names, base, theirs)
    if person is None or row.key(person) == row.key(ours.fields.get(names.switch)):
        return ours, owners
    name, other = (names.person, names.company) if person else (names.company, names.person)
    return names.named_there(ours, person=person), {**owners, name: owners.get(other, mapping.row(other).owner)}


def _is_person(names: NamesByKind, base: Snapshot | None, theirs: Mapping[str, Any] | None) -> bool | None:
    """
    The kind of the record: what was read, else what was last seen, else what the names were agreed on for; None where
    nothing tells.
    """
    for seen in (theirs, base.theirs if base else None):
        kind = seen.get(names.switch) if seen else None
        if kind is not None:
            return bool(kind)
    agreed = base.ours if base else {}
    if (names.person in agreed) == (names.company in agreed):
        return None
    return names.person in agreed
