"""What a run of the simulation prints: the figures, and for each failure the line that tells it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from simulation.run import Outcome
    from simulation.shrink import Shrunk


def replay_line(seed: int) -> str:
    """The command that tells one story again."""
    return f"make simulate SEED={seed}"


def show_failure(console: Console, outcome: Outcome, shrunk: Shrunk | None) -> None:
    """One failing seed: what broke, how to see it again, the shortest story and its last steps."""
    console.print(f"seed {outcome.seed} breaks a promise: {outcome.failure}", style="bold red", markup=False)
    console.print(f"  {replay_line(outcome.seed)}", markup=False)
    if shrunk is None:
        return
    kept = ",".join(map(str, shrunk.kept))
    total = len(shrunk.kept)
    console.print(f"  shrunk in {shrunk.runs} runs to {total} happenings: {replay_line(outcome.seed)} KEEP={kept}")
    for item in shrunk.script.items:
        console.print(f"    {item}", markup=False, highlight=False)
    console.print(f"  {shrunk.outcome.failure}", markup=False)
    console.print("  the last steps of that story:")
    for line in shrunk.outcome.trace:
        console.print(f"    {line}", markup=False, highlight=False)


def show_summary(console: Console, outcomes: Sequence[Outcome], seconds: float) -> None:
    """The figures of a run."""
    faults: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
        points.update(outcome.points)
    failed = [outcome for outcome in outcomes if outcome.promise is not None]
    table = Table("figure", "value", title="simulation")
    table.add_row("seeds", f"{len(outcomes):,}")
    table.add_row("seeds that broke a promise", str(len(failed)))
    table.add_row("steps", f"{sum(outcome.steps for outcome in outcomes):,}")
    table.add_row("steps after which the promises were checked", f"{sum(outcome.checks for outcome in outcomes):,}")
    table.add_row("webhook events received", f"{sum(outcome.events for outcome in outcomes):,}")
    table.add_row("requests to vendors", f"{sum(outcome.calls for outcome in outcomes):,}")
    table.add_row("boundaries of I/O passed", f"{points.total():,} ({len(points)} different)")
    table.add_row("seconds", f"{seconds:.1f}")
    table.add_row("seeds a second", f"{len(outcomes) / max(seconds, 0.001):.2f}")
    console.print(table)
    kinds = Table("trouble injected", "times")
    for kind, times in sorted(faults.items()):
        kinds.add_row(kind, f"{times:,}")
    console.print(kinds)
