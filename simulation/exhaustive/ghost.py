"""What the checker knows and the product does not: who asked for what, and what must therefore hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Ghost:
    """
    The memory of one path, as far as later states must be judged by it; so it is part of a state.

    `edited`: the record in which a person typed something that nobody asked to have undone. `asked_back`: a person
    wants the record as Robaws has it. `refused`: `client:record` that a person said are not the same. `left_out`:
    clients that a person left out. `made`: records that were made for each client, by its id there.
    """

    received: int = 0
    edited: str | None = None
    asked_back: bool = False
    refused: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    """Records that a person deleted there."""
    left_out: set[str] = field(default_factory=set)
    made: dict[str, list[str]] = field(default_factory=dict)
    more_allowed: bool = False
    """A person asked for another record where one was made already."""
    deleted: set[str] = field(default_factory=set)
    """Clients deleted at Robaws."""
    known_gone: set[str] = field(default_factory=set)
    """Those of which the product knows it, and for which nothing was under way then."""
