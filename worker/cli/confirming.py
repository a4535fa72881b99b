"""Before many things are done at once: the count is said, and confirmed by `--yes` or by typing it in."""

from __future__ import annotations

import sys

from worker.cli.output import WRONG_USE, say, stop


def confirm(action: str, count: int, *, yes: bool) -> None:
    """End the command, with nothing done, unless whoever runs it confirms the count."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop(WRONG_USE, "nobody is there to confirm: add --yes, once the count is what you expect")
    say(f"Type {count} to {action} them all: ", end="")
    if sys.stdin.readline().strip() != str(count):
        stop(WRONG_USE, "not confirmed, nothing was done")
