"""Leave happenings out of a story that fails, as long as it still breaks the same promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from simulation.run import Outcome
from simulation.script import Script

MOST_RUNS: Final = 200


@dataclass
class Shrunk:
    """The smallest failing story that was found: which items it keeps, and how it ended."""

    script: Script
    kept: tuple[int, ...]
    outcome: Outcome
    runs: int


def shrink(script: Script, outcome: Outcome, tell: Callable[[Script], Outcome]) -> Shrunk:
    """
    Try larger parts first, then single items, until nothing more can go (delta debugging, simplified).

    Fewer items draw fewer numbers, so that the steps interleave in another way; a story that then holds is not shorter
    in the sense meant here, and is left as it was.
    """
    best = Shrunk(script, tuple(range(len(script.items))), outcome, 0)
    progress = True
    while progress and best.runs < MOST_RUNS:
        progress = False
        for part in _parts(len(best.kept)):
            if best.runs >= MOST_RUNS:
                break
            kept = tuple(place for order, place in enumerate(best.kept) if order not in part)
            candidate = script.keeping(kept)
            found = tell(candidate)
            best.runs += 1
            if found.promise == outcome.promise:
                best = Shrunk(candidate, kept, found, best.runs)
                progress = True
                break
    return best


def _parts(length: int) -> Iterator[frozenset[int]]:
    size = length // 2
    while size >= 1:
        for start in range(0, length, size):
            yield frozenset(range(start, min(start + size, length)))
        size //= 2
