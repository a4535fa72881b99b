"""What worker and scheduler hold in memory while something goes on around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import psutil

from bench.report import Figure, Section

PARTS: Final = ("worker", "scheduler")
MOST_GROWTH: Final = 1.25


class Resident:
    """Looks at the resident memory of the parts, each time under a name; the first look is what others are held to."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.pids = pids
        self._seen: dict[str, dict[str, float]] = {}

    def look(self, when: str) -> None:
        """Now, in megabytes."""
        self._seen[when] = {part: psutil.Process(self.pids[part]).memory_info().rss / 1e6 for part in PARTS}

    def tell(self, section: Section) -> None:
        """A figure for each part and look, and how it grew since the first."""
        first, *later = self._seen
        for part in PARTS:
            begun = self._seen[first][part]
            section.add(Figure(f"{part}, resident, {first}", round(begun, 1), "MB"))
            for when in later:
                grown = round(self._seen[when][part] / begun, 2)
                section.add(Figure(f"{part}, resident, {when} against {first}", grown, "x", MOST_GROWTH, "lower"))
