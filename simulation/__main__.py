"""`python -m simulation`: tell the stories of many seeds, or one seed again. `make simulate` calls it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Final

from rich.console import Console
from rich.progress import track

from simulation.database import Databases, server
from simulation.report import show_failure, show_summary
from simulation.run import Outcome, tell, tell_many
from simulation.script import Script, write_script
from simulation.shrink import shrink

TOLD_EVERY: Final = 250
"""In a log, where no bar moves, a line says after so many stories how far it is."""


def main() -> int:
    """0 when every promise was kept, else 1."""
    given = _arguments()
    console = Console(soft_wrap=True)
    begun = time.monotonic()
    if given.seed is not None:
        return _again(console, given)
    seeds = range(given.first, given.first + given.seeds)
    outcomes: list[Outcome] = []
    stories = tell_many(list(seeds), given.processes)
    try:
        for outcome in track(stories, "telling", total=len(seeds), console=console, disable=not console.is_terminal):
            outcomes.append(outcome)
            if outcome.promise is not None:
                show_failure(console, outcome, None)
                if given.fail_fast:
                    break
            if not console.is_terminal and len(outcomes) % TOLD_EVERY == 0:
                console.print(f"{len(outcomes)} of {len(seeds)} stories told")
    except KeyboardInterrupt:
        console.print(f"ended early: {len(outcomes)} of {len(seeds)} stories were told")
    show_summary(console, outcomes, time.monotonic() - begun)
    failed = sorted((one for one in outcomes if one.promise is not None), key=lambda one: one.seed)
    for outcome in failed[: given.shrink]:
        _shrunk(console, outcome)
    return 1 if failed or len(outcomes) < len(seeds) else 0


def _again(console: Console, given: argparse.Namespace) -> int:
    script = write_script(given.seed)
    if given.keep is not None:
        script = script.keeping([int(place) for place in given.keep.split(",") if place])
    with server() as url:
        outcome = tell(script, Databases(url), given.trace)
    console.print(f"seed {script.seed}: {', '.join(script.troubles)}", markup=False)
    console.print(script.setup, markup=False)
    for item in script.items:
        console.print(f"  {item}", markup=False, highlight=False)
    for line in outcome.trace:
        console.print(line, markup=False, highlight=False)
    console.print(f"{outcome.steps} steps, fingerprint {outcome.fingerprint:016x}", markup=False)
    if outcome.promise is None:
        console.print("every promise was kept")
        return 0
    if given.keep is not None or not given.shrink:
        show_failure(console, outcome, None)
    else:
        _shrunk(console, outcome)
    return 1


def _shrunk(console: Console, outcome: Outcome) -> None:
    script: Script = write_script(outcome.seed)
    with server() as url:
        databases = Databases(url)
        shrunk = shrink(script, outcome, lambda candidate: tell(candidate, databases))
    show_failure(console, outcome, shrunk)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seed", type=int, help="one seed, told again with its trace")
    parser.add_argument("--keep", help="with --seed: only these happenings, by number from 0, with commas")
    parser.add_argument("--trace", type=int, default=400, help="with --seed: how many lines of the trace are shown")
    parser.add_argument("--fail-fast", action="store_true", help="end at the first broken promise")
    parser.add_argument("--shrink", type=int, default=3, help="how many failures are shrunk; 0: none")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
