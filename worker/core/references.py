"""The references of ours that records carry: whose each one is, as far as it can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from worker.core.matching_keys import Candidate
from worker.core.normalise import name_key

_SHAPE: Final = re.compile(r"(.*?)([0-9]{1,18})", re.DOTALL)


@dataclass(frozen=True)
class MarkedRecords:
    """External ids of records with another contact's reference: of one that we know (`taken`), and of no such one."""

    taken: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def robaws_id_of(reference: str | None, sample: str | None) -> str | None:
    """
    The Robaws id that a reference names, where it has the shape of ours; `sample` is that of the client 1.

    >>> robaws_id_of("RB-1500", "RB-1"), robaws_id_of("1500", "1001"), robaws_id_of("K00042", "RB-1")
    ('1500', '500', None)
    """
    ours, theirs = (_SHAPE.fullmatch(text or "") for text in (sample, reference))
    if ours is None or theirs is None or ours.group(1) != theirs.group(1):
        return None
    number = int(theirs.group(2)) - int(ours.group(2)) + 1
    return str(number) if number > 0 and not theirs.group(2).startswith("0") else None


def marked_records(
    owners: Sequence[tuple[Candidate, str]], names: Mapping[str, str | None], sample: str | None
) -> MarkedRecords:
    """
    Which records are another contact's by the reference that they carry.

    `owners` are records with the Robaws id that each one names, `names` the names of the contacts that are there. A
    reference with letters is nobody's but ours. A plain number may be the bookkeeper's own, so it counts only where the
    record also has that contact's name.
    """
    lettered = _SHAPE.fullmatch(sample or "") is not None and not (sample or "").isdecimal()
    taken = {
        record.external_id
        for record, owner in owners
        if owner in names and (lettered or (name_key(names[owner]) == name_key(record.name) != ""))
    }
    unknown = {record.external_id for record, _ in owners if lettered} - taken
    return MarkedRecords(frozenset(taken), frozenset(unknown))
