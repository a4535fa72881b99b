"""What both sides of a link last agreed on: the base of the three-way merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    """
    One system's record as both sides last agreed; JSON through `to_json` and `from_json`.

    `persons` is by the source's person key: external id, and both sides of the person's members. `main` is the key
    of the person that we last made the main one. `placeholders` are paths to which we wrote a stand-in. `table` is the
    version of the table that made `ours`; None in a snapshot that does not say. `because` says, for paths where the two
    sides differ, how that came about: the `rule`, whether ours was `sent`, and for a person's answer `by`, `at` and
    `review` (`core.differences`).
    """

    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    persons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    main: str | None = None
    placeholders: tuple[str, ...] = ()
    table: str | None = None
    because: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The snapshot as it stands in the link's row."""
        return {
            "ours": dict(self.ours),
            "theirs": dict(self.theirs),
            "persons": {key: dict(person) for key, person in self.persons.items()},
            "main": self.main,
            "placeholders": list(self.placeholders),
            **({"table": self.table} if self.table else {}),
            **({"because": {path: dict(one) for path, one in self.because.items()}} if self.because else {}),
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
            value.get("table"),
            value.get("because") or {},
        )
