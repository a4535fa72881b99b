"""The page on matching lists the evidence that the code weighs."""

from __future__ import annotations

from pathlib import Path

from worker.core.evidence import ROWS, SIMILAR_NAMES
from worker.store.directory import MOST_SIMILAR

PAGE = Path("docs/matching.md")
WEIGHTS = {
    "identifies": "is enough with the name",
    "strong": "counts much",
    "supports": "counts with others",
    "asks": "makes one ask",
    "parts": "tells two apart",
}


def table() -> str:
    """The rows as a table of the page."""
    lines = ["| evidence | | |", "| --- | --- | --- |"]
    lines += [f"| {row.says} | {'for' if row.speaks_for else 'against'} | {WEIGHTS[row.weight]} |" for row in ROWS]
    return "\n".join(lines)


def test_the_page_has_a_row_for_each_kind_of_evidence() -> None:
    assert table() in PAGE.read_text("utf-8"), table()


def test_the_page_names_the_limits_of_the_code() -> None:
    page = " ".join(PAGE.read_text("utf-8").split())

    assert f"where {SIMILAR_NAMES:.0f} % of it agree" in page
    assert f"up to {MOST_SIMILAR}. If there are more" in page
