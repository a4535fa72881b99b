"""Tables for people: ids and words stay whole at any width, in a pipe and in a file; only sentences are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from worker.cli.safe_console import SafeConsole
from worker.cli.tables import folds, optional, shortens, show_table, table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

ID = "4f9b2a19-bd5b-48be-b10a-85c04b3e9cb9"
URL = "https://contactsync.voorbeeld-administratie.example.org/webhooks/robaws?route=live"
MESSAGE = "Contact is invalid: Vat number is ongeldig. Address city is te lang (maximaal 40 tekens)."
COLUMNS = ["id", shortens("client"), "state", "why", folds("message")]
ROW = [ID, "Aannemersbedrijf Vandenbroucke-Van Hoorebeke & Zonen (1234)", "review", "missing_required", MESSAGE]


def lines(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None) -> list[str]:
    return [line.plain for line in table_lines(columns, rows, width, SafeConsole(width=width or 80))]


@pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 140, 200, None])
def test_ids_and_words_are_whole_at_any_width(width: int | None) -> None:
    shown = lines(["webhook", "url", *COLUMNS], [[ID, URL, *ROW]], width)

    for whole in (ID, URL, "review", "missing_required"):
        assert sum(line.count(whole) for line in shown) == (2 if whole == ID else 1)
    assert all(len(line) <= width for line in shown if width and URL not in line)
    assert all(line == line.rstrip() for line in shown)


def test_a_row_that_does_not_fit_takes_a_second_line_for_its_message() -> None:
    shown = lines(["id", shortens("client"), "state", "why", folds("message")], [["link-5", *ROW[1:]]], 80)

    assert shown[0].split() == ["id", "client", "state", "why"]
    assert shown[1] == "  message"
    assert shown[2] == "link-5  Aannemersbedrijf Vandenbroucke-Van Hoo… (1234)  review  missing_required"
    assert shown[0].index("state") == shown[2].index("review")
    assert " ".join(line.strip() for line in shown[3:]) == MESSAGE
    assert all(line.startswith("  ") for line in shown[3:])


def test_a_short_message_is_folded_beside_its_row() -> None:
    shown = lines(["id", "state", folds("message")], [["link-5", "dead", MESSAGE]], 60)

    assert shown[0] == "id      state  message"
    assert len(shown) == 4 - 1
    assert shown[1].startswith("link-5  dead   Contact is invalid")
    assert shown[2].startswith(" " * 15)


@pytest.mark.parametrize("width", [None, 200])
def test_a_row_stays_a_line_in_a_file_and_on_a_wide_screen(width: int | None) -> None:
    shown = lines(COLUMNS, [["link-5", *ROW[1:]], ["link-6", *ROW[1:]]], width)

    assert len(shown) == 3
    assert shown[1].endswith(MESSAGE)
    assert ROW[1] in shown[1]


def test_a_column_that_no_row_fills_may_be_left_out() -> None:
    assert lines(["id", optional("fetch")], [["1", ""], ["2", ""]], None) == ["id", "1", "2"]
    assert lines(["id", optional("fetch")], [["1", ""], ["2", "due"]], None) == ["id  fetch", "1", "2   due"]


def test_colours_stay() -> None:
    made = list(table_lines(["state"], [[Text("dead", "bold red")]], 80, SafeConsole(width=80)))

    assert any(span.style for span in made[1].spans)


def test_a_table_in_a_pipe_has_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(["id", "url", folds("events")], [[ID, URL, "client.created, client.updated " * 9]], title="registered")

    assert capsys.readouterr().out.splitlines()[:2] == [
        "registered",
        f"{'id':<{len(ID)}}  {'url':<{len(URL)}}  events",
    ]


WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=50)


@given(
    rows=st.lists(st.tuples(WORD, WORD, WORD, st.text(max_size=200)), min_size=1, max_size=5),
    width=st.integers(min_value=40, max_value=240),
)
def test_whatever_it_holds_no_word_is_broken(rows: list[tuple[str, str, str, str]], width: int) -> None:
    shown = [line.plain for line in table_lines(["id", "state", "why", folds("message")], rows, width, SafeConsole())]

    for row in rows:
        assert all(any(word in line for line in shown) for word in row[:3])
