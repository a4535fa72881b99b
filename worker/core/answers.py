"""What a person decided about one link, kept until a person decides otherwise, whatever becomes of the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Answers:
    """
    A person's answers; JSON through `to_json` and `from_json`.

    `refused` are ids of records that are somebody else's: no match offers or takes one, whoever says that it matches.
    `ours` are vendor paths whose value is ours to write, once: the delivery that settles the field ends that.
    `linked`: a person said which record it is, and no delivery to it has gone through since.
    `unusable` are records, each with why no client should be linked to it, that are written to all the same.
    `values` are values that a person typed, by vendor path (`core.chosen`); they too end with the delivery.
    `again` are questions about fields whose answer was taken back after it was carried out, by path, with what they
    showed and what the record holds since; `match_again` is the id of such a question about which record it is.

    >>> Answers().refuse(["514"]).accept("514") == Answers(linked=True)
    True
    """

    refused: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    unusable: frozenset[tuple[str, str]] = frozenset()
    linked: bool = False
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    again: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    match_again: str = ""

    def to_json(self) -> dict[str, Any]:
        """The answers as they stand in the link's row; what is empty is left out."""
        found: dict[str, Any] = {"refused": sorted(self.refused), "ours": sorted(self.ours)}
        found |= {"unusable": [list(one) for one in sorted(self.unusable)], "linked": self.linked}
        for name, by_path in (("values", self.values), ("again", self.again)):
            found[name] = {path: dict(one) for path, one in sorted(by_path.items())}
        found["match_again"] = self.match_again
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Answers:
        """The answers from a link's row."""
        stored = value or {}
        return cls(
            frozenset(map(str, stored.get("refused") or ())),
            frozenset(map(str, stored.get("ours") or ())),
            frozenset((str(record), str(why)) for record, why in stored.get("unusable") or ()),
            bool(stored.get("linked")),
            stored.get("values") or {},
            stored.get("again") or {},
            str(stored.get("match_again") or ""),
        )

    def refuse(self, external_ids: Iterable[str]) -> Answers:
        """These records are somebody else's."""
        return replace(self, refused=self.refused | frozenset(map(str, external_ids)))

    def accept(self, external_id: str) -> Answers:
        """This record is the one: no longer refused, and nothing of another record's fields is meant."""
        return replace(
            self,
            refused=self.refused - {external_id},
            ours=frozenset(),
            linked=True,
            values={},
            again={},
            match_again="",
        )
