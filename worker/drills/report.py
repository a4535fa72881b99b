"""What a drill ends with: before, after, and whether everything that is promised was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Struck:
    """One strike: its drill, what it did, when (seconds since the start) and how long; `problem` where it failed."""

    drill: str
    what: str
    at: float
    seconds: float
    problem: str | None = None


@dataclass(frozen=True)
class Report:
    """Everything in whole numbers and seconds; `problems` are sentences, none when all was kept."""

    seed: int
    seconds: float
    rate: float
    strikes: list[Struck]
    events_made: int
    events_received: int
    clients: int
    records_before: Mapping[str, int]
    records_after: Mapping[str, int]
    lost: Mapping[str, int]
    lost_events: int
    doubled: int
    equation: int
    dead: int
    review: int
    converged: bool
    seconds_to_converge: float | None
    longest_delay: float
    typical_delay: float
    not_taken: int
    problems: list[str] = field(default_factory=list)

    def findings(self) -> list[str]:
        """Why this drill is not passed; empty when it is."""
        found = list(self.problems)
        if self.lost_events:
            found.append(f"{self.lost_events} events were never stored")
        found += [f"{system} lacks {count} clients as they are now" for system, count in self.lost.items() if count]
        if self.doubled:
            found.append(f"{self.doubled} records were there twice")
        if self.equation:
            found.append(f"received − applied − skipped − open − dead was {self.equation}")
        if self.dead or self.review:
            found.append(f"{self.dead} gave up and {self.review} wait for a person, with nothing wrong at any vendor")
        if not self.converged:
            found.append("not everything agreed in the end")
        return found

    @property
    def passed(self) -> bool:
        """Whether lost is 0, doubled is 0, the equation is 0 and everything has converged."""
        return not self.findings()

    def to_json(self) -> dict[str, Any]:
        """The one document of `--json`, and what is kept."""
        return {**asdict(self), "findings": self.findings(), "passed": self.passed}

    def rows(self) -> list[tuple[str, str]]:
        """For people: a figure a line."""
        rounds: dict[str, int] = {}
        for strike in self.strikes:
            rounds[strike.drill] = rounds.get(strike.drill, 0) + 1
        converge = "–" if self.seconds_to_converge is None else f"{self.seconds_to_converge:.1f} s"
        return [
            ("seed", str(self.seed)),
            ("lasted", f"{self.seconds:.0f} s at {self.rate:g} events a second"),
            ("strikes", ", ".join(f"{name} {count}" for name, count in sorted(rounds.items())) or "none"),
            ("events made in Robaws", str(self.events_made)),
            ("events received", str(self.events_received)),
            ("clients made", str(self.clients)),
            *(
                (f"records in {system}", f"{self.records_before[system]} before, {count} after")
                for system, count in self.records_after.items()
            ),
            ("lost", str(self.lost_events + sum(self.lost.values()))),
            ("doubled", str(self.doubled)),
            ("equation", str(self.equation)),
            ("dead, in review", f"{self.dead}, {self.review}"),
            ("event to everywhere", f"half within {self.typical_delay:.1f} s, longest {self.longest_delay:.1f} s"),
            ("converged after the last strike", converge),
        ]
