"""How much a run measures: quick to look, usual to compare, full for the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    peers: bool = False

    @staticmethod
    def of(name: Literal["quick", "usual", "full"]) -> Effort:
        """The sizes of one effort."""
        return _EFFORTS[name]

    def grown_to(self, largest: int) -> Effort:
        """This effort with a largest database of so many contacts (at least a hundred, which the open work needs)."""
        return replace(self, growth=(*(size for size in self.growth if size < largest), largest))

    def with_peers(self) -> Effort:
        """This effort with other products' receivers beside ours, which installs them."""
        return replace(self, peers=True)


_EFFORTS = {
    "quick": Effort("quick", 3, 2.0, 40, (1_000, 20_000), 5_000, 20_000, 10.0, 5.0, 200),
    "usual": Effort("usual", 5, 4.0, 200, (1_000, 100_000, 1_000_000), 50_000, 100_000, 30.0, 20.0, 600),
    "full": Effort("full", 7, 5.0, 400, (1_000, 100_000, 1_000_000), 50_000, 100_000, 120.0, 20.0, 1_500),
}
