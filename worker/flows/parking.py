"""Fields that wait for a person: the questions that they ask, and what the link's row keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from worker.store.reviews import Question

if TYPE_CHECKING:
    from worker.core.mapping import Ours, VendorMapping
    from worker.core.planning import Decision


def park_questions(mapping: VendorMapping, decisions: Sequence[Decision], ours: Ours) -> list[Question]:
    """The questions that parked fields ask, one for each field, and one for a unit of fields."""
    questions: list[Question] = []
    for decision in decisions:
        if decision.action != "park":
            continue
        row = mapping.row(decision.path)
        text = ours.problems.get(decision.path) or f"{row.label}: {decision.rule}"
        detail = {
            "field": row.canonical,
            "label": row.label,
            "ours": decision.ours,
            "theirs": decision.theirs,
            "rule": decision.rule,
        }
        if decision.members:
            detail["members"] = _values(decision.members)
        questions.append(Question("field", decision.path, "field_conflict", text, detail))
    return questions


def parked_fields(decisions: Sequence[Decision], ours: Ours) -> dict[str, Any]:
    """What the link's row keeps of the parked fields."""
    return {
        one.path: {"ours": one.ours, "theirs": one.theirs, "rule": one.rule}
        | ({"members": [member.path for member in one.members]} if one.members else {})
        | ({"refused": ours.problems[one.path]} if one.path in ours.refused else {})
        for one in decisions
        if one.action == "park"
    }


def _values(decisions: Sequence[Decision]) -> dict[str, Any]:
    return {one.path: {"ours": one.ours, "theirs": one.theirs} for one in decisions}
