"""The table in docs/fuzzing.md: what the last `make fuzz` tried. The text around it is written by hand."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tools.fuzzing.running import Found
from tools.fuzzing.targets import ROOT

PAGE: Final = ROOT / "docs" / "fuzzing.md"
BEGIN: Final = "<!-- made by make fuzz -->"
END: Final = "<!-- end -->"


def table(found: Iterable[Found], day: str, machine: str) -> str:
    """The table of a run."""
    rows = [
        f"| `{one.name}` | {one.seconds:.0f} | {one.tried:,} | {one.edges:,} | {one.features:,} | {one.entries:,} "
        f"| {len(one.crashes)} |"
        for one in found
    ]
    head = "| target | seconds | inputs tried | edges | features | new entries | crashes |"
    total = f"{sum(one.tried for one in found):,} inputs, {sum(len(one.crashes) for one in found)} crashes"
    return "\n".join([f"{day}, {machine}: {total}.", "", head, f"|{' --- |' * 7}", *rows])


def machine() -> str:
    """What kind of machine this is, and no more than that."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def put(text: str, made: str) -> str:
    """The page with another table. ValueError where it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def write(found: Iterable[Found], path: Path = PAGE) -> None:
    """Put the table of a run into the page."""
    made = table(list(found), datetime.now(UTC).date().isoformat(), machine())
    path.write_text(put(path.read_text(), made))
