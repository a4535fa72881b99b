"""
docs/crash-points.md, made from the code and the tests: every boundary of I/O, and the test that kills there.

Run `python tools/crash_points.py` after a new boundary or a new story; a test compares the page with both.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "crash-points.md"

INTRODUCTION: Final = """\
# Crash points

Every boundary of I/O in receive, nudge, fetch, deliver, resolve, sweep and write-back has a name: before and after each
commit, each request and each nudge. The list is read from the code (`tests/crash/points.py`), so a new boundary without
a story fails the build. At each one a test kills the process, starts it again, and goes on from what is committed:
nothing of an uncommitted transaction is there, the event equation holds after every step, every system ends with one
record and in agreement.

This page is made by `python tools/crash_points.py`; a test compares it with the code. `.before` and `.after` are the
two sides of a boundary; each side is a test of its own.

| boundary | in | story | test |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The page's text."""
    from tests.crash.points import all_points
    from tests.crash.receiving import RECEIVING
    from tests.crash.stories import STORIES

    sides: dict[str, list[str]] = {}
    where: dict[str, str] = {}
    for point in all_points():
        name, _, side = point.name.rpartition(".")
        sides.setdefault(name, []).append(side)
        where[name] = point.where.partition(":")[0]
    lines = []
    for name, found in sorted(sides.items()):
        if name in RECEIVING:
            story, test = "an event comes in, and comes in again", f"tests/crash/test_receiver.py::{RECEIVING[name]}"
        else:
            story = (STORIES[name].__doc__ or "").strip().splitlines()[0].removesuffix(".")
            test = f"tests/crash/test_points.py::…[{name}.…]"
        both = ", ".join(f"`{side}`" for side in sorted(found, reverse=True))
        lines.append(f"| `{name}` {both} | `{where[name]}` | {story} | `{test}` |\n")
    total = f"\n{sum(map(len, sides.values()))} points at {len(sides)} boundaries.\n"
    return INTRODUCTION + "".join(lines) + total


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
