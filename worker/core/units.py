"""
Fields that hold one value between them are decided about together: an address is one place and not four texts.

A street that is empty there may be filled on its own only where nothing else of that address says another place; else
"Kerkstraat 12" of our Gent would stand beside their Brugge. So whenever a person has to choose about one member of a
unit, the whole unit is that one question, nothing of it is written meanwhile, and the answer is about all of it. And
where one member changed here, or is put back, the others that are Robaws's are written with it, whether or not they
changed: somebody may have entered another place there since, or had let theirs stand. If one does not fit there, and
another value stands in its place, the others wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from worker.core.field_merge import (
    A_PERSON_DECIDES,
    DOES_NOT_FIT,
    EMPTIED_THERE,
    EMPTY_THERE,
    FILLED_THERE,
    FIRST_DIFFERS,
    FIRST_EMPTY,
    MADE_ANEW,
    NOT_ARRIVED,
    NOT_SHOWN,
    REFUSED,
    REQUIRED_THERE,
    RESTORED,
    ROBAWS_OWNS,
    Decision,
    Judged,
)
from worker.core.mapping import unit_path

CHANGED_TOGETHER: Final = "Robaws owns this field, and another part of the same value is written"
WAITS: Final = "changed here, and waits, as another part of the same value cannot be written"

_FILLS: Final = (FIRST_EMPTY, EMPTY_THERE)
_OURS: Final = (ROBAWS_OWNS, RESTORED, NOT_ARRIVED)
_BY_ITSELF: Final = (DOES_NOT_FIT, REFUSED)
_ASKS: Final = (FIRST_DIFFERS, NOT_SHOWN, MADE_ANEW)
_ASKS_BY_SETTING: Final = (A_PERSON_DECIDES, EMPTIED_THERE)


def decide_units(judged: Sequence[Judged]) -> list[Decision]:
    """What happens to each field, the members of a unit decided about together."""
    units: dict[str, list[Judged]] = {}
    for one in judged:
        if one.row.unit and one.owner not in ("system", "ignore") and one.row.write == "always":
            units.setdefault(one.row.unit, []).append(one)
    together = {unit: _decide(unit, members) for unit, members in units.items() if len(members) > 1}
    decisions: list[Decision] = []
    for one in judged:
        if one.decision.path not in together.get(one.row.unit, {}):
            decisions.append(one.decision)
            continue
        found = together[one.row.unit][one.decision.path]
        if found is not None:
            decisions.append(found)
    return decisions


def _decide(unit: str, members: Sequence[Judged]) -> dict[str, Decision | None]:
    """By path; the question about the unit takes the place of the first that waits, others that wait have None."""
    asks = _asks(members)
    asked = [one.decision for one in members if one.decision.action == "park" and one.decision.rule in asks]
    fills = [one for one in members if one.decision.action == "write" and one.decision.rule in _FILLS]
    if not asked and fills and any(one.conflicts for one in members):
        if all(one.owner == "fill" for one in fills):
            return {one.decision.path: _let_stand(one) if one in fills else one.decision for one in members}
        asked = [fills[0].decision]
        asked[0] = replace(asked[0], rule=FIRST_DIFFERS)
    if asked:
        return _ask(unit, members, asked[0].rule)
    if any(_is_stuck(one) for one in members):
        return {one.decision.path: _wait(one) for one in members}
    if any(one.decision.action == "write" and one.decision.rule in _OURS for one in members):
        return {one.decision.path: _write_along(one) for one in members}
    return {one.decision.path: one.decision for one in members}


def _asks(members: Sequence[Judged]) -> tuple[str, ...]:
    """Where the settings say of one member alone that a person decides about it, that is a question of its own."""
    return (*_ASKS, *_ASKS_BY_SETTING) if all(one.owner == "review" for one in members) else _ASKS


def _is_stuck(one: Judged) -> bool:
    """Whether this part cannot be written, and the record holds another value in its place."""
    held = one.row.key(one.decision.theirs)
    cannot = one.decision.action == "park" and one.decision.rule in (*_BY_ITSELF, REQUIRED_THERE)
    return cannot and held not in ("", one.row.stand_in_key)


def _wait(one: Judged) -> Decision:
    return replace(one.decision, action="keep", rule=WAITS) if one.decision.action == "write" else one.decision


def _let_stand(one: Judged) -> Decision:
    return replace(one.decision, action="settle", rule=FILLED_THERE)


def _write_along(one: Judged) -> Decision:
    if one.decision.action == "keep" and one.goes_along and one.owner == "robaws":
        return replace(one.decision, action="write", rule=CHANGED_TOGETHER)
    return one.decision


def _ask(unit: str, members: Sequence[Judged], rule: str) -> dict[str, Decision | None]:
    decided: dict[str, Decision | None] = {}
    whole = tuple(one.decision for one in members if one.decision.rule not in _BY_ITSELF)
    question = ask_together(unit_path(unit), whole, rule)
    for one in (member.decision for member in members):
        waits = one.action == "write" or (one.action == "park" and one.rule not in _BY_ITSELF)
        decided[one.path] = one
        if waits:
            decided[one.path] = question if question not in decided.values() else None
    return decided


def ask_together(path: str, members: Sequence[Decision], rule: str) -> Decision:
    """One question about several fields, shown with the values of all of them."""
    ours, theirs = ([getattr(one, side) for one in members] for side in ("ours", "theirs"))
    return Decision(path, "park", _shown(ours), _shown(theirs), rule, tuple(members))


def _shown(values: Sequence[Any]) -> str | None:
    return ", ".join(str(value) for value in values if isinstance(value, str | int) and value != "") or None
