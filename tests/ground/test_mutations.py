"""The table of breakages is in step with the code and the tests, so that `make mutate` never breaks nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.mutate import COPIED, FAILED, PAGE, ROOT, Ended, judge, page
from tools.mutations import MUTATIONS, Mutation

TESTS = [one for one in MUTATIONS if one.seeds is None]


def by_name(mutation: Mutation) -> str:
    return mutation.name


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=by_name)
def test_what_a_breakage_changes_stands_once_in_its_file(mutation: Mutation) -> None:
    whole = (ROOT / mutation.path).read_text("utf-8")

    broken = mutation.broken(whole)

    assert broken != whole
    assert mutation.path.split("/")[0] in COPIED
    if mutation.path.endswith(".py"):
        assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(whole)), "only a comment or a blank is changed"


@pytest.mark.parametrize("mutation", TESTS, ids=by_name)
def test_the_test_that_notices_a_breakage_is_there(mutation: Mutation) -> None:
    file, _, name = mutation.by.partition("::")

    assert name in functions(ROOT / file)


def test_no_two_breakages_have_one_name() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)


def test_the_page_of_mutations_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(MUTATIONS), "run `make mutate ARGS=--write`"


def test_a_text_that_is_there_twice_or_not_at_all_is_out_of_date() -> None:
    mutation = Mutation("a", "b", "c.py", "x = 1", "x = 2", "simulate 3")

    for text in ("x = 1\nx = 1\n", "y = 1\n"):
        with pytest.raises(ValueError, match="out of date"):
            mutation.broken(text)


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        pytest.param(Ended(FAILED, "FAILED tests/a.py::test_b - assert 1 == 2\n"), "caught", id="a test that fails"),
        pytest.param(Ended(FAILED, "seed 7 breaks a promise: x\n"), "caught", id="a promise that is broken"),
        pytest.param(Ended(0, "3 passed\n"), "not caught", id="a test that passes"),
        pytest.param(Ended(None, "...\n"), "did not end", id="a run that has no end"),
        pytest.param(
            Ended(FAILED, "FAILED tests/a.py::test_b - Failed: Timeout (>120.0s) from pytest-timeout.\n"),
            "did not end",
            id="a test that has no end",
        ),
        pytest.param(Ended(FAILED, "ERROR tests/a.py::test_b - OSError\n"), "broke the set-up", id="no set-up"),
        pytest.param(Ended(2, "Interrupted: 1 error\n"), "broke the set-up", id="no collection"),
        pytest.param(Ended(4, "ERROR: not found: tests/a.py\n"), "broke the set-up", id="no such test"),
        pytest.param(
            Ended(FAILED, "psycopg.errors.SyntaxError\nFAILED tests/a.py::test_b - ProgrammingError: x\n"),
            "broke the set-up",
            id="a statement that makes no sense",
        ),
    ],
)
def test_caught_is_only_what_a_test_or_a_promise_says(ended: Ended, state: str) -> None:
    assert judge(ended)[0] == state
