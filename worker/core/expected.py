"""
Whose persons will be whose after a change, as it is written down before the change leaves.

If the answer is lost and the source drops a person before the change is repeated, nothing else would tell that the
person there is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from worker.core.persons import sent_persons

if TYPE_CHECKING:
    from worker.core.persons import PersonPlan


def expected_persons(plan: PersonPlan, known: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """
    The snapshot's persons with those that the plan adds (their ids unknown) or gives another's place to.

    What was last written to each stays as it is, so that a repeat plans the same; `known` itself where nothing moves.
    """
    held_by = {str(entry.get("external_id")): key for key, entry in known.items()}
    moved = {
        change.key: dict(known[held_by[change.external_id]])
        for change in plan.kept
        if change.key not in known and change.external_id in held_by
    }
    if not moved and not plan.added:
        return known
    left = {held_by[str(entry["external_id"])] for entry in moved.values()}
    stays = {key: entry for key, entry in known.items() if key not in left}
    return {**stays, **moved, **sent_persons(plan.added)}
