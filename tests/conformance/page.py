"""
docs/conformance.md, made from the suite's own declarations by `python -m tests.conformance.page > docs/conformance.md`;
a test compares the two.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from tests.conformance.declared import DECLARED, Capability, Check
from tests.conformance.registry import ADAPTERS, why_not

HERE: Final = Path(__file__).parent
CAPABILITIES: Final[tuple[Capability, ...]] = get_args(Capability)
RUNS: Final = "✓"
SIMULATOR: Final = "○"

INTRODUCTION: Final = (HERE / "introduction.md").read_text()


def checks() -> list[Check]:
    """Every check, in the order in which the modules have them."""
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(f"tests.conformance.{path.stem}")
    found = {(check.module, check.name): check for check in DECLARED.values()}
    return sorted(found.values(), key=lambda check: (check.module, check.line))


def page() -> str:
    """The whole page as Markdown."""
    found = checks()
    parts = [INTRODUCTION.rstrip() + "\n", _readings(), "## Coverage\n", _summary(found)]
    for capability in CAPABILITIES:
        parts += [f"### {capability}\n", *_table([check for check in found if check.capability == capability])]
    return "\n".join(parts)


def reading_of(reading: Mapping[str, Any]) -> str:
    """One answer to what a sheet leaves open, as the simulator's switches say it."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in reading.items())


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | frozenset) else str(value)


def _readings() -> str:
    """The answers beside the usual one, for each vendor."""
    rows = (
        _row(adapter.title, " · ".join(f"`{reading_of(reading)}`" for reading in adapter.readings))
        for adapter in ADAPTERS.values()
    )
    return "\n".join(["| vendor | other answers (switches of its simulator) |", "| --- | --- |", *rows]) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _head(first: str) -> list[str]:
    titles = [adapter.title for adapter in ADAPTERS.values()]
    return [_row(first, *titles), _row("---", *[":-:"] * len(titles))]


def _summary(found: Sequence[Check]) -> str:
    """How many checks of each capability run for each vendor, of how many."""
    lines = _head("capability")
    for capability in (*CAPABILITIES, None):
        of_it = [check for check in found if capability in (check.capability, None)]
        counts = [sum(why_not(adapter, check) is None for check in of_it) for adapter in ADAPTERS.values()]
        title = capability or "**all**"
        cells = [f"{count} of {len(of_it)}" if count else "–" for count in counts]
        lines.append(_row(f"[{title}](#{_anchor(title)})" if capability else title, *cells))
    return "\n".join(lines) + "\n"


def _table(found: Sequence[Check]) -> Iterator[str]:
    """The checks of one capability, and below them why some do not apply."""
    lines, reasons = _head("check"), dict[str, list[str]]()
    for check in found:
        cells = [_cell(why_not(adapter, check), check, adapter.title, reasons) for adapter in ADAPTERS.values()]
        lines.append(_row(check.says, *cells))
    yield "\n".join(lines) + "\n"
    if reasons:
        told = (f"{', '.join(titles)}: {reason}." for reason, titles in reasons.items())
        yield "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(told, 1)) + "\n"


def _cell(reason: str | None, check: Check, title: str, reasons: dict[str, list[str]]) -> str:
    """Whether a check runs, or the number of the reason why not; `reasons` has the vendors of each."""
    if reason is None:
        return SIMULATOR if check.simulator_only else RUNS
    titles = reasons.setdefault(reason, [])
    if title not in titles:
        titles.append(title)
    return f"– ({list(reasons).index(reason) + 1})"


def _anchor(title: str) -> str:
    return "".join(sign for sign in title.lower().replace(" ", "-") if sign.isalnum() or sign in "-_")


if __name__ == "__main__":
    sys.stdout.write(page())
