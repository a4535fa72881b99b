"""The size check of `make lint`: what it lets pass and what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_sizes import FILE_LINES, FUNCTION_LINES, ours, too_long

ROOT = Path(__file__).parents[2]
CODE = Path("worker/example.py")


def function(lines: int, comment: str = "") -> str:
    return "\n".join(["def example() -> None:", f"    {comment or 'pass'}", *["    pass"] * (lines - 2)])


def test_no_file_and_no_function_of_the_project_is_too_long() -> None:
    assert [line for path in ours(ROOT) for line in too_long(path, (ROOT / path).read_text())] == []


def test_the_check_looks_at_the_code_and_at_the_tests() -> None:
    looked_at = {path.parts[0] for path in ours(ROOT)}

    assert {"worker", "webhooks", "models", "alembic", "tests", "tools"} <= looked_at


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        pytest.param("x = 1\n" * FILE_LINES, 0, id="a file as long as allowed"),
        pytest.param("x = 1\n" * (FILE_LINES + 1), 1, id="a file one line longer"),
        pytest.param("# size: one table\n" + "x = 1\n" * FILE_LINES, 0, id="a longer file with a reason"),
        pytest.param(function(FUNCTION_LINES), 0, id="a function as long as allowed"),
        pytest.param(function(FUNCTION_LINES + 1), 1, id="a function one line longer"),
        pytest.param(function(FUNCTION_LINES + 1, "# size: one story"), 0, id="a longer function with a reason"),
        pytest.param(function(FILE_LINES + 1, "# size: one story"), 1, id="a function's reason is not its file's"),
    ],
)
def test_what_is_too_long_is_named_unless_it_says_why(text: str, findings: int) -> None:
    assert len(list(too_long(CODE, text))) == findings


def test_a_test_may_tell_a_long_story_in_one_function() -> None:
    assert list(too_long(Path("tests/e2e/test_story.py"), function(FUNCTION_LINES + 1))) == []
