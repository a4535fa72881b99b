"""docs/crash-points.md says what the code and the tests say."""

from __future__ import annotations

from tools.crash_points import PAGE, page


def test_the_page_of_crash_points_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python tools/crash_points.py`"
