"""The page of places is the table that the planted values are searched by."""

from __future__ import annotations

from tests.e2e.planted import PAGE, PLANTED, page


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.e2e.planted"


def test_no_two_planted_values_have_one_name_or_contain_each_other() -> None:
    names = [one.name for one in PLANTED]
    values = [one.value for one in PLANTED]

    assert len(set(names)) == len(names) >= 40
    assert [(a, b) for a in values for b in values if a != b and a in b and not b.startswith(a)] == []
