"""A word that a filter does not know is refused with those that exist: a slip must not look like an empty list."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
import typer

from worker.cli.entry import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.command import Command

ENUMERATED = {"state", "system", "reason", "why", "kind"}


def filters() -> Iterator[tuple[str, str, str]]:
    """Group, command and option of every filter by a word that a list takes."""
    for group, module in GROUPS.items():
        command = typer.main.get_command(importlib.import_module(module).app)
        for name, one in getattr(command, "commands", {}).items():
            if name in ("list", "groups", "rejected"):
                for option in one.params:
                    words = {word.lstrip("-") for word in option.opts}
                    yield from ((group, name, word) for word in words & ENUMERATED)


FILTERS = sorted(set(filters()))


def test_the_filters_are_found() -> None:
    assert {("retries", "list", "why"), ("events", "list", "state"), ("reviews", "list", "system")} <= set(FILTERS)


@pytest.mark.parametrize(("group", "command", "option"), FILTERS)
def test_an_unknown_word_is_refused_by_each_list(operator: Command, group: str, command: str, option: str) -> None:
    ran = operator(group, command, f"--{option}", "foo")

    assert (ran.status, ran.out) == (2, "")
    assert "is one of" in ran.err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["events", "list", "--state", "opne"], "open"),
        (["contacts", "list", "--state", "waitng"], "waiting"),
        (["reviews", "list", "--system", "workspce"], "workspace"),
        (["systems", "pause", "recas", "--reason", "x"], "recras"),
        (["contacts", "exclude", "1", "--system", "rompslom", "--reason", "x"], "rompslomp"),
    ],
)
def test_a_near_word_is_suggested(operator: Command, arguments: list[str], meant: str) -> None:
    ran = operator(*arguments)

    assert ran.status == 2
    assert f"did you mean {meant}?" in ran.err
