"""The table of facts: every test that it names exists, and the page says what the tables say."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tools.facts import MARKS, PAGE, TABLES, VENDORS, Fact, facts, page


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the tests of a module, read and not run."""
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def missing_tests(rows: list[Fact]) -> list[str]:
    """The tests that the rows name and that are not there."""
    named = [test.partition("::") for row in rows for test in row.tests]
    return [f"{path}::{name}" for path, _, name in named if name not in names_in(ROOT / path)]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_test_that_a_fact_names_exists(vendor: str) -> None:
    assert missing_tests(facts(vendor)) == []


def test_a_test_that_is_not_there_would_be_found() -> None:
    path = "tests/docs/test_facts.py"
    row = Fact("robaws", "1", "D", None, "a fact", (f"{path}::test_not_there", "tests/gone.py::test_x"), "")

    assert missing_tests([row]) == [f"{path}::test_not_there", "tests/gone.py::test_x"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_fact_has_a_test_or_says_why_there_can_be_none(vendor: str) -> None:
    assert [row.text for row in facts(vendor) if bool(row.tests) == bool(row.untestable)] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_fact_says_how_sure_it_is_and_stands_once(vendor: str) -> None:
    rows = facts(vendor)

    assert [row.text for row in rows if row.mark not in MARKS or not row.sheet] == []
    assert len({row.text for row in rows}) == len(rows)


def test_there_is_a_table_for_each_vendor_and_no_other() -> None:
    assert {path.stem for path in TABLES.glob("*.toml")} == set(VENDORS)


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text() == page(), "run: python tools/facts.py"
