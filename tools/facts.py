"""
docs/facts.md, made from docs/facts/*.toml: every fact of a vendor that shapes behaviour, with the tests that hold it.

Run `python tools/facts.py` after a change of the tables; a test compares the page with them, and looks for every test
that they name.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TABLES: Final = ROOT / "docs" / "facts"
PAGE: Final = ROOT / "docs" / "facts.md"

VENDORS: Final = {
    "robaws": "Robaws",
    "rompslomp": "Rompslomp",
    "recras": "Recras",
    "workspace": "Workspace",
    "routix": "Routix",
}

MARKS: Final = {
    "D": "documented by the vendor",
    "C": "seen in public code of other integrations",
    "A": "assumed: to be confirmed with a real account",
}

INTRODUCTION: Final = """\
# Facts about the vendors, and the tests that hold them

This page is made from the tables in [docs/facts](facts/) by `python tools/facts.py`; a test compares the two, and looks
for every test that is named. `§` is the section under which the docstrings name a fact ("Rompslomp sheet 7"): a
sheet is what is publicly known of one vendor, and these tables are what of it shapes behaviour.

How sure a fact is: **D** documented by the vendor (the link is its page) · **C** seen in public code of other
integrations · **A** assumed, to be confirmed with a real account. A test holds what we do about a fact, against a
simulator that does what the fact says; whether the vendor does it too, no test here can show ([limits](limits.md)).
"""


@dataclass(frozen=True)
class Fact:
    """One row. `source` is the address of the vendor's page, None where there is none; `tests` are node ids."""

    vendor: str
    sheet: str
    mark: str
    source: str | None
    text: str
    tests: tuple[str, ...]
    untestable: str


def facts(vendor: str, folder: Path = TABLES) -> list[Fact]:
    """The table of one vendor. KeyError for a source that the table does not list."""
    table = tomllib.loads((folder / f"{vendor}.toml").read_text())
    sources = table["sources"]
    return [
        Fact(
            vendor,
            row["sheet"],
            row["mark"],
            sources[row["source"]] if "source" in row else None,
            row["fact"],
            tuple(row["tests"]),
            row.get("untestable", ""),
        )
        for row in table["fact"]
    ]


def page(folder: Path = TABLES) -> str:
    """The whole page."""
    tables = {vendor: facts(vendor, folder) for vendor in VENDORS}
    return "\n".join([INTRODUCTION, *_overview(tables), *(line for rows in tables.values() for line in _table(rows))])


def _overview(tables: dict[str, list[Fact]]) -> Iterator[str]:
    yield "| | facts | documented | seen | assumed | tests |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for vendor, rows in tables.items():
        marks = Counter(row.mark for row in rows)
        tests = len({test for row in rows for test in row.tests})
        counts = " | ".join(str(marks[mark]) for mark in MARKS)
        yield f"| [{VENDORS[vendor]}](#{vendor}) | {len(rows)} | {counts} | {tests} |"
    yield ""


def _table(rows: list[Fact]) -> Iterator[str]:
    yield f"## {VENDORS[rows[0].vendor]}"
    yield ""
    yield "| § | | fact | held by |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        mark = f"[{row.mark}]({row.source})" if row.source else row.mark
        held = "<br>".join(_shown(test) for test in row.tests) or f"**none**: {row.untestable}"
        yield f"| {row.sheet} | {mark} | {row.text} | {held} |"
    yield ""


def _shown(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


if __name__ == "__main__":
    PAGE.write_text(page())
