"""The shape of one breakage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SIMULATE: Final = "simulate "


@dataclass(frozen=True)
class Mutation:
    """
    One breakage: in `path`, `old` (which must be there once) becomes `new`. `by` must then fail: the id of a test, or
    `simulate N`, the first N seeds of the simulation. `guard` is the promise that is taken out.
    """

    name: str
    guard: str
    path: str
    old: str
    new: str
    by: str

    @property
    def seeds(self) -> int | None:
        """How many seeds of the simulation notice it, None where a test does."""
        return int(self.by.removeprefix(SIMULATE)) if self.by.startswith(SIMULATE) else None

    def broken(self, text: str) -> str:
        """The file's text without the guard. ValueError where it does not hold `old` exactly once."""
        times = text.count(self.old)
        if times != 1:
            raise ValueError(f"its text stands {times} times in {self.path}: the table is out of date")
        return text.replace(self.old, self.new)
