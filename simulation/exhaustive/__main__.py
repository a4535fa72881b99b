"""`python -m simulation.exhaustive`: explore every scenario; `make model` calls it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console

from simulation.database import Databases, server
from simulation.exhaustive.scenarios import BEGINNINGS, scenarios
from simulation.exhaustive.search import Explored, Search
from simulation.exhaustive.step import Bound
from simulation.exhaustive.world import TARGETS
from simulation.story import quiet

if TYPE_CHECKING:
    from simulation.exhaustive.scenarios import Scenario


def main() -> int:
    """0 when every promise was kept at every state, else 1."""
    given = _arguments()
    console = Console(soft_wrap=True)
    bound = Bound(given.typing, given.faults, given.commands, given.crashes, given.ticks)
    chosen = scenarios(bound, tuple(given.system or TARGETS), tuple(given.scenario or BEGINNINGS))
    begun = time.monotonic()
    failed = 0
    for explored in explore(chosen, given.processes, given.depth, given.seconds):
        failed += bool(explored.violations)
        _show(console, explored)
    console.print(f"{time.monotonic() - begun:.0f} s; {failed} scenarios with a broken promise")
    return 1 if failed else 0


def explore(chosen: list[Scenario], processes: int, depth: int, seconds: float) -> Any:
    """Explore scenarios in several processes, each with a server of its own; yields as they end."""
    jobs = [(place, depth, seconds) for place in range(len(chosen))]
    if processes == 1:
        with server() as url:
            for scenario in chosen:
                yield explore_one(scenario, Databases(url), depth, seconds)
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, _begin, (chosen,)) as pool:
        yield from pool.imap_unordered(_work, jobs)


def explore_one(scenario: Scenario, databases: Databases, depth: int, seconds: float) -> Explored:
    """Explore one scenario on a fresh database."""
    with databases.fresh() as database, quiet():
        return Search(scenario, database, depth=depth, seconds=seconds).run()


_chosen: list[Scenario] = []


def _begin(chosen: list[Scenario]) -> None:
    _chosen[:] = chosen


def _work(job: tuple[int, int, float]) -> Explored:
    place, depth, seconds = job
    with server() as url:
        return explore_one(_chosen[place], Databases(url), depth, seconds)


def _show(console: Console, explored: Explored) -> None:
    per_second = explored.steps / explored.seconds if explored.seconds else 0.0
    console.print(
        f"{explored.scenario}: {explored.states} states, {explored.steps} steps, depth {explored.complete} complete, "
        f"{explored.seconds:.0f} s ({per_second:.0f} steps/s); {explored.ended}",
        markup=False,
        highlight=False,
    )
    for violation in explored.violations:
        console.print(f"  {violation.what}", markup=False, highlight=False)
        for number, step in enumerate(violation.path, 1):
            console.print(f"    {number}. {step}", markup=False, highlight=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation.exhaustive", description=__doc__)
    parser.add_argument("--depth", type=int, default=8, help="how many steps a path may have")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long one scenario is explored at most")
    parser.add_argument("--scenario", action="append", choices=list(BEGINNINGS), help="only this beginning")
    parser.add_argument("--system", action="append", choices=list(TARGETS), help="only this system")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    for kind, most in vars(Bound()).items():
        parser.add_argument(f"--{kind}", type=int, default=most, help=f"how many steps of this kind (default {most})")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
