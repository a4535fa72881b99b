"""What the demo shows: lines in order, a panel that is never behind them, nothing wider than the terminal."""

from __future__ import annotations

import io
import re
import time
from typing import Any

import pytest

from worker.cli.demo_board import WIDEST, Board, Counter
from worker.cli.demo_fold import Line
from worker.cli.demo_result import Result
from worker.cli.demo_screen import Ended, Screen
from worker.cli.safe_console import SafeConsole

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def summary(received: int, applied: int, **states: int) -> dict[str, Any]:
    events = {"received": received, "applied": applied, "skipped": 0, "open": received - applied, "dead": 0}
    return {"events": events, "links": {"recras": states}, "systems": {"recras": {"state": "running"}}}


def screen_of(width: int, *, terminal: bool = True) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    console = SafeConsole(file=out, width=width, height=24, force_terminal=terminal, soft_wrap=not terminal)
    return Screen(0, console=console), out


def rows(out: io.StringIO) -> list[str]:
    return [row.rstrip() for row in re.split(r"[\r\n]+", ESCAPES.sub("", out.getvalue()))]


def test_lines_come_in_the_order_of_their_times() -> None:
    screen, out = screen_of(100, terminal=False)
    began = screen.began

    screen.hold([Line(began + 2.94, "recras", "second"), Line(began + 2.88, "robaws", "first")])
    screen.flush()
    screen.hold([Line(began + 1.0, "workspace", "known late")])
    screen.good("said after them")

    assert rows(out)[:4] == [
        "    2.88  Robaws      first",
        "    2.94  Recras      second",
        "    2.94  Workspace   known late",
        "  ✓ said after them",
    ]


def test_a_line_waits_for_others_that_happened_before_it() -> None:
    screen, out = screen_of(100, terminal=False)
    now = time.time()

    screen.hold([Line(now, "recras", "now"), Line(now - 9, "robaws", "nine seconds ago")])
    screen.rest(0)

    assert "nine seconds ago" in out.getvalue()
    assert "now" not in out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_panel_below_a_tick_says_what_is_known_at_the_tick(width: int) -> None:
    screen, out = screen_of(width)
    with screen.live():
        screen.board.summary = summary(53, 3, synced=1, dead=1)
        screen.refresh()
        out.seek(0)
        out.truncate()
        screen.board.summary = summary(53, 53, synced=2)

        screen.good("60 webhooks of 50 events → 2 reads")

        shown = "\n".join(rows(out))
        assert shown.index("✓ 60 webhooks") < shown.index("received 53 = applied 53 + skipped 0 + open 0 + dead 0")
        assert "open 50" not in shown
    assert max(map(len, rows(out))) <= min(width, WIDEST)


def test_the_panel_explains_the_words_that_it_shows_and_no_others() -> None:
    screen, out = screen_of(80)
    screen.board.summary = summary(1, 1, review=1, synced=4)
    screen.board.address = "http://127.0.0.1:40123/"

    screen.console.print(screen.board)

    shown = out.getvalue()
    assert "review: a person decides" in shown
    assert "dead:" not in shown
    assert "watch http://127.0.0.1:40123/" in shown


def test_what_is_counted_has_a_bar() -> None:
    screen, out = screen_of(80)
    screen.board.counter = Counter("webhooks", 25, 50, "→ 2 reads, 1 write a system")

    screen.console.print(screen.board)

    [row] = [row for row in rows(out) if "webhooks" in row]
    assert row.count("█") == row.count("░") == 12
    assert "25 of 50  → 2 reads, 1 write a system" in row


def test_the_second_row_of_a_line_begins_where_its_text_does() -> None:
    screen, out = screen_of(80)

    screen.hold([Line(screen.began, "recras", "word " * 20, "synced")])
    screen.flush()

    first, *others = [row for row in rows(out) if row]
    assert first.index("word") == 22
    assert all(row.startswith(" " * 22) and row[22] != " " for row in others)


def test_off_a_terminal_a_line_is_one_line_and_there_is_no_panel() -> None:
    screen, out = screen_of(80, terminal=False)

    with screen.live():
        screen.good("word " * 40 + "end")

    assert out.getvalue() == f"  ✓ {'word ' * 40}end\n"


def test_the_page_is_told_before_anything_else() -> None:
    screen, out = screen_of(80)
    screen.board.address = "http://127.0.0.1:40123/"

    screen.welcome("demo-operator-0123456789abcdef")

    shown = out.getvalue()
    assert shown.index("http://127.0.0.1:40123/") < shown.index("demo-operator") < shown.index("starting PostgreSQL")


def test_what_is_not_so_after_the_stop_is_no_broken_promise() -> None:
    screen = Screen(0)
    screen.stop()

    with pytest.raises(Ended):
        screen.tell(False, "both agree")

    assert screen.problems == []


def test_a_promise_that_is_not_kept_is_remembered() -> None:
    screen, out = screen_of(80, terminal=False)

    screen.tell(True, "kept")
    screen.tell(False, "both agree")

    assert screen.problems == ["NOT SO: both agree"]
    assert "✗ NOT SO: both agree" in out.getvalue()


RESULT = Result(
    clients=10,
    records=30,
    by_hand=1,
    first_seconds=0.53,
    webhooks=76,
    delivered=66,
    events={"received": 66, "applied": 65, "skipped": 1, "open": 0, "dead": 0},
    duplicates=0,
    answered=1,
    lost_answers=3,
    corrected=2,
    outages=1,
    killed=1,
    seconds=31.4,
)


def test_the_result_says_what_it_means_for_the_user() -> None:
    assert [f"{number} {text}" for number, text in RESULT.lines()] == [
        "29 records that nobody typed, for 10 clients",
        "0.5 s after it was saved, the first client was in all three systems",
        "0 lost: 76 webhooks came for 66 events, each is accounted for",
        "0 duplicated: 30 records, one for each client in each system",
        "1 record was there: matched by VAT number, 1 question answered",
        "7 troubles survived: 1 outage, 3 lost answers, 2 refusals, 1 crash",
        "31 s from an empty folder to this line, PostgreSQL and Redis included",
    ]


def test_the_result_fits_a_terminal_of_eighty_columns() -> None:
    screen, out = screen_of(80)

    for number, text in RESULT.lines():
        screen.figure(number, text)

    assert len([row for row in rows(out) if row]) == len(RESULT.lines())


def test_an_empty_board_can_be_shown() -> None:
    screen, out = screen_of(80)

    screen.console.print(Board())

    assert "Workspace" in out.getvalue()
