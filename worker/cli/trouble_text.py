"""A system that is held back, as one line for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from worker.cli.output import console
from worker.core.printable import printable

if TYPE_CHECKING:
    from worker.store.troubles import Trouble


def sentence(one: Trouble) -> str:
    """Since when, why, the next try, how many wait, what to do."""
    from worker.cli.asking import ago, now, since

    name = one.system
    began = f" since {since(one.since)}" if one.since is not None else ""
    waits = f"{one.waits} {'waits' if one.waits == 1 else 'wait'}"
    if one.state == "paused" and one.by is not None:
        return f"{name} is paused{began} by {one.by} ({one.message}), {waits}: contactsync systems resume {name}"
    again = ""
    if one.next_attempt_at is not None:
        again = f"next try {'now' if one.next_attempt_at <= now() else ago(one.next_attempt_at)}, "
    why = f"({one.reason}: {one.message}), {again}{waits}"
    if one.state == "paused":
        at_once = f"contactsync systems resume {name}"
        return f"{name} is paused{began} {why}: correct it; it goes on by itself, or at once with {at_once}"
    if one.needs_a_person:
        return f"{name} is down{began} {why}; nothing to do, unless it lasts"
    return f"{name} {'takes no new records' if one.creates_only else 'is held back'}{began} {why}; nothing to do"


def show(wanting: Iterable[str], held: Mapping[str, Trouble]) -> None:
    """What needs a person, one line each, and below it what only waits."""
    from rich.text import Text

    out = console()
    waiting = [sentence(one) for one in held.values() if not one.needs_a_person]
    marked = [*(("✗ ", "bold red", line) for line in wanting), *(("! ", "yellow", line) for line in waiting)]
    if marked:
        out.print()
    for mark, style, line in marked:
        out.print(Text(mark, style) + Text(printable(line)))
