"""What there is, how it explains itself, and that asking costs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Command
from worker.cli.entry import GROUPS

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAVY = ("sqlalchemy", "celery", "httpx", "pydantic", "re2", "rich.table", "starlette")


def every_command() -> list[tuple[str, ...]]:
    """Each command as its words, such as (`retries`, `list`)."""
    found: list[tuple[str, ...]] = []
    for name, module in GROUPS.items():
        commands = importlib.import_module(module).app.registered_commands
        names = [one.name or one.callback.__name__ for one in commands]
        found += [(name,)] if name in names else [(name, one) for one in names]
    return found


def test_the_root_lists_every_command(contactsync: Command) -> None:
    ran = contactsync("--help")

    assert ran.status == 0
    assert all(f"\n  {name} " in ran.out for name in GROUPS)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom worker.cli.entry import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stderr.strip() == "[]"


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself_with_an_example_and_stands_in_the_page(
    contactsync: Command, words: tuple[str, ...]
) -> None:
    ran = contactsync(*words, "--help")

    assert ran.status == 0
    assert f"Example: contactsync {' '.join(words)}" in " ".join(ran.out.split())
    assert f"`{' '.join(words)}" in PAGE.read_text()


def test_a_command_that_does_not_exist_is_wrong_use(contactsync: Command) -> None:
    ran = contactsync("retires", "list")

    assert ran.status == 2
    assert "retires" in ran.err


def test_the_version_is_told(contactsync: Command) -> None:
    assert contactsync("--version").out.strip().count(".") == 2
