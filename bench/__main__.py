"""
`make bench`: every measurement in one run, a table with the targets beside the figures, and the results as JSON.

    python -m bench                      all, in about half an hour
    python -m bench --only accept,calls  some
    python -m bench --quick              all, shorter and less sure
    python -m bench --full               longer and surer, two minutes of overload
    python -m bench --peers              other products' receivers beside ours, which are installed for it

The status is 0 when every bench ran to its end, whatever it measured: a target that is missed is said, not hidden, and
it is for a reader to weigh. It is 1 when a bench broke off or a run was void.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module

from bench import charts, report
from bench.report import Section
from bench.settings import Effort

BENCHES = ("accept", "e2e", "calls", "throughput", "down", "growth", "memory", "scaleout", "overload")
"""In the order in which they run: each is a module with `run(effort)`."""

MOST_SECONDS = {"quick": 1_200, "usual": 1_800, "full": 5_400}
"""When so much has passed no further bench is begun, and it says so: the whole ends by itself on any machine."""


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; the exit status."""
    options = _options(arguments)
    effort = Effort.of("quick" if options.quick else "full" if options.full else "usual")
    effort = effort.grown_to(options.growth_largest) if options.growth_largest else effort
    effort = effort.with_peers() if options.peers else effort
    names = [name.strip() for name in options.only.split(",")] if options.only else list(BENCHES)
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    before = report.noise()
    begun = time.monotonic()
    sections = [_one(name, effort, time.monotonic() - begun) for name in dict.fromkeys(names)]
    spread = max(before, report.noise())
    report.show(sections, spread)
    path = report.keep(sections, spread)
    charts.draw(sections, path.parent)
    print(f"results: bench/results/{path.name}")
    return 1 if any(section.void for section in sections) else 0


def _one(name: str, effort: Effort, elapsed: float = 0.0) -> Section:
    if elapsed > MOST_SECONDS[effort.name]:
        return Section(
            name, void=f"not run: the others had taken {elapsed / 60:.0f} minutes; --only {name} runs it alone"
        )
    print(f"{name} …", file=sys.stderr, flush=True)
    begun = time.monotonic()
    run: Callable[[Effort], Section] = import_module(f"bench.{name}").run
    try:
        section = run(effort)
    except Exception as error:  # noqa: BLE001  one bench that breaks off must not cost the figures of the others
        traceback.print_exc()
        section = Section(name, void=f"{type(error).__name__}: {error}")
    section.seconds = round(time.monotonic() - begun, 1)
    print(f"{name}: {section.void or 'done'}, {section.seconds:.0f} s", file=sys.stderr, flush=True)
    return section


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure contactsync on this machine.")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"some of: {','.join(BENCHES)}")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="shorter and less sure")
    size.add_argument("--full", action="store_true", help="longer and surer, two minutes of overload")
    parser.add_argument("--peers", action="store_true", help="accept: other products' receivers too; installs them")
    parser.add_argument(
        "--growth-largest", type=int, default=0, metavar="CONTACTS", help="growth: so many contacts in the largest one"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
