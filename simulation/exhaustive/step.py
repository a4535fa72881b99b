"""One step of an explored path, and the bound on how many of each kind there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.exhaustive.world import World


@dataclass(frozen=True)
class Bound:
    """How many steps of each kind a path may hold."""

    typing: int = 2
    faults: int = 1
    commands: int = 1
    crashes: int = 1
    ticks: int = 4

    def less(self, kind: str) -> Bound | None:
        """What is left after one more; None where none was left. Steps of the product itself are free."""
        if not kind:
            return self
        left = vars(self)[kind] - 1
        return None if left < 0 else Bound(**{**vars(self), kind: left})


@dataclass(frozen=True)
class Action:
    """One step: `kind` is what it uses up of the bound."""

    name: str
    kind: str
    do: Callable[[World], object]
