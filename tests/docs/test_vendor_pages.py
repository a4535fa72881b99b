"""What an administrator reads of a vendor's limits and of `check` is what the code does."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT
from worker.config import SYSTEM_NAMES, Settings


def page_of(system: str) -> str:
    """A vendor's page, with single blanks."""
    return " ".join((ROOT / "docs" / "vendors" / f"{system}.md").read_text().split())


@pytest.mark.parametrize(
    ("system", "limits", "words"),
    [
        ("robaws", {"rate_per_second": 10}, "| 10 (`rate_per_second`)"),
        ("robaws", {"daily_requests": 6000}, "| 6,000 (`daily_requests`)"),
        ("rompslomp", {"rate_per_second": 1, "burst": 10}, "one call a second, and up to ten in a row after a rest"),
        ("recras", {"rate_per_second": 2, "burst": 10}, "two calls a second, up to ten in a row after a rest"),
        ("workspace", {"rate_per_second": 1, "burst": 5}, "one call a second, up to five in a row after a rest"),
        ("routix", {"rate_per_minute": 60}, "60 is the default"),
        ("recras", {"unknown_settle_seconds": 60}, "After a minute the customers above it are read"),
        ("workspace", {"unknown_settle_seconds": 60}, "After a minute the whole list is read"),
        ("rompslomp", {"unknown_settle_seconds": 5}, "After five seconds the reference is searched for"),
    ],
)
def test_the_limits_on_a_vendors_page_are_those_of_the_settings(
    system: str, limits: dict[str, float], words: str
) -> None:
    settings = Settings().system(system)

    assert {name: getattr(settings, name) for name in limits} == limits
    assert words in page_of(system)


@pytest.mark.parametrize("system", SYSTEM_NAMES)
def test_each_line_of_check_on_a_page_is_one_of_the_code_and_has_a_next_step(system: str) -> None:
    text = (ROOT / "docs" / "vendors" / f"{system}.md").read_text()
    source = "".join(path.read_text() for path in (ROOT / "worker" / "vendors" / system).glob("check*.py"))
    source += (ROOT / "worker" / "vendors" / system / "client.py").read_text()

    table = re.search(r"## What `check` says\n\n(.*?)\n\n", text, re.DOTALL)

    assert table is not None
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table[1].split("\n")[2:]]
    assert len(rows) >= 5
    assert [row for row in rows if len(row) != 3 or not all(row)] == []
    assert [row[0] for row in rows if f'"{row[0].removesuffix("…").strip()}' not in source] == []
