"""What a measurement says: figures with their targets, the machine's noise, and where the results are kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("celery", "httptools", "httpx", "psycopg", "redis", "sqlalchemy", "starlette", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Figure:
    """
    One measured value, or None with a note of why there is none. `target` with `better` says what it should be; None
    where it is only told.

    `runs` are the single values behind the median, so that a reader sees how far they lie apart.
    """

    name: str
    value: float | None
    unit: str
    target: float | None = None
    better: Literal["higher", "lower"] = "higher"
    runs: tuple[float, ...] = ()
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one. What could not be measured meets none."""
        if self.target is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.target if self.better == "higher" else self.value <= self.target


@dataclass
class Section:
    """The figures of one bench, and what is wrong with the run as a whole (then nothing of it counts)."""

    name: str
    figures: list[Figure] = field(default_factory=list)
    void: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, figure: Figure) -> None:
        """One figure more."""
        self.figures.append(figure)


def median(values: Sequence[float]) -> float:
    """The median of some runs."""
    return float(statistics.median(values))


def noise(rounds: int = 15) -> float:
    """
    How unevenly this machine runs now: the spread (90th to 10th percentile over the median) of one fixed loop.

    A ratio that differs by less than this says nothing.
    """
    took: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        sum(i * i for i in range(200_000))
        took.append(time.perf_counter() - begun)
    took.sort()
    return (took[int(0.9 * rounds)] - took[int(0.1 * rounds)]) / median(took)


def machine() -> dict[str, Any]:
    """What ran it."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        pass
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def keep(sections: Sequence[Section], spread: float) -> Path:
    """Write the results where they are not committed, and return the file."""
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = RESULTS / f"{stamp}.json"
    document = {
        "at": stamp,
        "machine": machine(),
        "noise": round(spread, 3),
        "load": round(os.getloadavg()[0], 1),
        "sections": [asdict(section) for section in sections],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def show(sections: Sequence[Section], spread: float) -> None:
    """The table on the screen."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"noise of this machine: {spread:.0%}", title_justify="left")
    for column in ("bench", "figure", "value", "target", "", "note"):
        table.add_column(column, justify="right" if column in ("value", "target") else "left")
    for section in sections:
        if section.void:
            table.add_row(section.name, "VOID", "", "", "✗", section.void)
        for figure in section.figures:
            sign = "≥" if figure.better == "higher" else "≤"
            target = f"{sign} {figure.target:g}" if figure.target is not None else ""
            mark = {True: "✓", False: "✗", None: ""}[figure.met]
            value = "none" if figure.value is None else f"{figure.value:,.4g} {figure.unit}"
            table.add_row(section.name, figure.name, value, target, mark, figure.note)
    console.print(table)
    for line in missed(sections):
        console.print(line)


def missed(sections: Sequence[Section]) -> list[str]:
    """One line for each target that was not met, and for each section that counts for nothing."""
    lines: list[str] = []
    for section in sections:
        if section.void:
            lines.append(f"void: {section.name}: {section.void}")
        for figure in section.figures:
            if figure.met is False:
                value = "none" if figure.value is None else f"{figure.value:,.4g} {figure.unit}".strip()
                sign = "≥" if figure.better == "higher" else "≤"
                lines.append(f"missed: {section.name}: {figure.name}: {value}, target {sign} {figure.target:g}")
    return lines
