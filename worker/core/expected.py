"""
What a change will bring, as it is written down before the change leaves, where nothing else would tell that it is ours.

That are persons: if the answer is lost and the source drops one before the change is repeated, that person there is
ours all the same. So is the name that a stand-in gets: found there later, it would be taken for that of somebody there.
And it is a value that goes where both sides had agreed on nothing yet, as on a first link: found
there later, it would be taken for theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker.core.persons import person_path, sent_persons
from worker.core.planning import agree

if TYPE_CHECKING:
    from worker.core.mapping import Ours
    from worker.core.persons import PersonChange, PersonPlan
    from worker.core.planning import Update
    from worker.core.snapshot import Snapshot


def expected(ours: Ours, base: Snapshot | None, plan: Update) -> tuple[Snapshot, tuple[str, ...]] | None:
    """
    The snapshot as it is to stand while a change is on its way, and the paths in it that are not there yet.

    None where the base tells enough: then a repeat plans the same.
    """
    agreed = base.ours if base else {}
    fresh = tuple(one for one in plan.decisions if one.action == "write" and one.path not in agreed)
    known = base.persons if base else {}
    persons = expected_persons(plan.persons, known) if plan.persons else known
    if not fresh and persons is known:
        return None
    settled = tuple(one for one in plan.decisions if one.action == "settle")
    snapshot = agree(ours, base, (*fresh, *settled), None, None, None)
    main = plan.persons.main if base is None and plan.persons else snapshot.main
    linked = plan.persons.kept if plan.persons else ()
    members = [person_path(one.key, member) for one in linked if one.key not in known for member in one.patch]
    table = base.table if base else ours.table
    return replace(snapshot, persons=persons, main=main, table=table), (*(one.path for one in fresh), *members)


def expected_persons(plan: PersonPlan, known: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """
    The snapshot's persons with those that the plan adds (their ids unknown), fills in or gives another's place to.

    What was last written to each stays as it is, so that a repeat plans the same; the name that a stand-in is about to
    get is listed as `sent`. `known` itself where nothing moves.
    """
    held_by = {str(entry.get("external_id")): key for key, entry in known.items()}
    moved = {
        change.key: dict(known[held_by[change.external_id]])
        for change in plan.kept
        if change.key not in known and change.external_id in held_by
    }
    filled = {
        change.key: {
            "external_id": change.external_id,
            "ours": dict(change.person.fields),
            "theirs": {**change.theirs.fields, **change.patch},
            "main": change.theirs.main,
        }
        for change in plan.kept
        if change.key not in known and change.key not in moved and change.patch
    }
    renamed = {
        change.key: {**known[change.key], "sent": [*known[change.key].get("sent", ()), name]}
        for change in plan.kept
        if change.key in known and (name := _stand_in(change)) and name not in known[change.key].get("sent", ())
    }
    if not moved and not filled and not renamed and not plan.added:
        return known
    left = {held_by[str(entry["external_id"])] for entry in moved.values()}
    stays = {key: entry for key, entry in known.items() if key not in left}
    return {**stays, **renamed, **moved, **filled, **sent_persons(plan.added)}


def _stand_in(change: PersonChange) -> dict[str, Any]:
    """The members by which a change renames a stand-in; none for one that does not."""
    members = change.person.placeholders
    return {member: change.person.fields.get(member) for member in members if change.patch.keys() & set(members)}
