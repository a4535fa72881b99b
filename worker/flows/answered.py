"""What a person's answers mean for the delivery of a linked record, once it is known what that record holds now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from worker.core.mapping import PERSONS
from worker.core.planning import Decision
from worker.errors import AmbiguousMatch
from worker.store.reviews import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.core.planning import Snapshot
    from worker.flows.reading import Reading
    from worker.vendors.contract import Record

MOVED_ON: Final = "changed there since the question was answered"


def not_as_shown(reading: Reading, record: Record) -> frozenset[str]:
    """
    The fields for which a person chose our value over one that is not there any more; they are asked about anew.

    The choice was made over the value that the question showed. Those fields lose the agreement that the answer made,
    as if they had never been settled.
    """
    base, chosen = reading.base, reading.answers.ours
    if base is None or not chosen:
        return frozenset()
    rows = {row.vendor: row for row in reading.mapping.rows}
    moved = {path for path in chosen if _differs(reading, base, record, path)}
    units = {rows[path].unit for path in moved if path in rows and rows[path].unit}
    moved |= {path for path in chosen if path in rows and rows[path].unit in units}
    if moved:
        snapshot = base.to_json()
        for side in ("ours", "theirs", "because"):
            snapshot[side] = {path: value for path, value in snapshot.get(side, {}).items() if path not in moved}
        answers = replace(reading.answers, ours=chosen - moved)
        reading.claim = replace(reading.claim, snapshot=snapshot, decided=answers.to_json())
    return frozenset(moved)


def _differs(reading: Reading, base: Snapshot, record: Record, path: str) -> bool:
    shown = base.theirs.get(path)
    if path == PERSONS:
        held: Any = [{"main": person.main, **person.fields} for person in record.persons or ()]
        return record.persons is not None and held != shown
    row = next((row for row in reading.mapping.rows if row.vendor == path), None)
    return row is not None and path in record.fields and row.key(record.fields[path]) != row.key(shown)


def explained(decisions: Sequence[Decision], moved: frozenset[str]) -> tuple[Decision, ...]:
    """The same decisions, with the reason for which these fields are asked about again."""
    return tuple(
        replace(one, rule=MOVED_ON) if one.action == "park" and moved & _paths(one) else one for one in decisions
    )


def _paths(decision: Decision) -> set[str]:
    return {decision.path, *(member.path for member in decision.members)}


def unusable(reading: Reading, record: Record) -> Question | None:
    """What to ask about a record that no client should be linked to; None where a person said to go on all the same."""
    if record.usable or (record.external_id, record.why_not) in reading.answers.unusable:
        return None
    text = f"record {record.external_id} in {reading.claim.system} should not be written to: {record.why_not}"
    detail = {"external_id": record.external_id, "why": record.why_not, "name": record.name}
    return Question("unusable", "", "unusable", text, detail)


def must_be_usable(reading: Reading, record: Record) -> None:
    """AmbiguousMatch, before anything is written, where a person has to say what is right."""
    question = unusable(reading, record)
    if question is not None:
        reading.evidence = dict(question.detail)
        raise AmbiguousMatch(question.message, reason="unusable")
