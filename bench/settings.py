"""How much a run measures: quick to look, usual to compare, full for the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Effort:
    """Sizes of every bench; what they mean stands with the bench."""

    name: Literal["quick", "usual", "full"]
    rounds: int
    seconds: float
    samples: int
    growth: tuple[int, ...]
    down_links: int
    events: int
    overload_seconds: float
    hang_seconds: float
    changes: int

    @staticmethod
    def of(name: Literal["quick", "usual", "full"]) -> Effort:
        """The sizes of one effort."""
        return _EFFORTS[name]


_EFFORTS = {
    "quick": Effort("quick", 3, 2.0, 40, (1_000, 20_000), 5_000, 20_000, 10.0, 5.0, 200),
    "usual": Effort("usual", 5, 4.0, 200, (1_000, 100_000), 50_000, 100_000, 30.0, 20.0, 600),
    "full": Effort("full", 7, 5.0, 400, (1_000, 100_000, 1_000_000), 50_000, 100_000, 120.0, 20.0, 1_500),
}
