"""
Where a system holds another value than we last meant it to hold, and how that came about.

Only a value that stood in a request counts as sent. Where the snapshot does not say how two values came to differ (it
was made by an earlier release), nothing is claimed but that they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from worker.core.field_merge import CANNOT_BE_EMPTIED, FIRST_ALIKE
from worker.core.mapping import PERSONS

if TYPE_CHECKING:
    from worker.core.mapping import VendorMapping
    from worker.core.snapshot import Snapshot

KEPT_BY_A_PERSON: Final = "a person chose theirs"

State = Literal["not_accepted", "decided", "spelling", "theirs", "not_emptied", "differs"]


@dataclass(frozen=True)
class Difference:
    """
    One field of one system, by the vendor's path and the canonical one.

    `not_accepted`: ours was sent, and the system holds something else. `decided`: a person kept theirs (`by`, `at`, and
    the question's id in `review`). `spelling`: only case, blanks or punctuation differ, so nothing was sent. `theirs`:
    by the `rule` theirs stands, and nothing was sent. `not_emptied`: empty here, and it cannot be emptied there.
    `differs`: nobody wrote down why.
    """

    path: str
    field: str
    ours: Any
    theirs: Any
    state: State
    rule: str | None = None
    by: str | None = None
    at: str | None = None
    review: str | None = None


def differences(mapping: VendorMapping, snapshot: Snapshot) -> list[Difference]:
    """
    The fields that differ, in the order of the table.

    What is empty here counts only where the emptying was sent, is impossible, or was decided about by a person. A
    stand-in of ours is no value, so nothing differs where another one stands in its place.
    """
    found = []
    for row in mapping.rows:
        path = row.vendor
        if path not in snapshot.ours or path in snapshot.placeholders or row.write == "create":
            continue
        ours, theirs, because = snapshot.ours[path], snapshot.theirs.get(path), snapshot.because.get(path) or {}
        meant = row.key(ours) != "" or row.null_rule == "never" or because.get("sent") or because.get("by")
        if meant and not row.same(ours, theirs):
            found.append(_difference(path, row.canonical, ours, theirs, because))
    by_a_person = snapshot.because.get(PERSONS)
    if by_a_person and mapping.persons is not None and PERSONS in snapshot.ours:
        found.append(_difference(PERSONS, PERSONS, snapshot.ours[PERSONS], snapshot.theirs.get(PERSONS), by_a_person))
    return found


def kept_by_a_person(by: str, at: str, review: int) -> dict[str, Any]:
    """What the snapshot keeps of an answer that lets theirs stand."""
    return {"rule": KEPT_BY_A_PERSON, "by": by, "at": at, "review": str(review)}


def _difference(path: str, field: str, ours: Any, theirs: Any, because: Mapping[str, Any]) -> Difference:
    rule = because.get("rule")
    more = {name: because.get(name) for name in ("by", "at", "review")}
    return Difference(path, field, ours, theirs, _state(because), rule, **more)


def _state(because: Mapping[str, Any]) -> State:
    if because.get("sent"):
        return "not_accepted"
    if because.get("by"):
        return "decided"
    match because.get("rule"):
        case None:
            return "differs"
        case rule if rule == FIRST_ALIKE:
            return "spelling"
        case rule if rule == CANNOT_BE_EMPTIED:
            return "not_emptied"
    return "theirs"
