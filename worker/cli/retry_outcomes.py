"""What becomes of lines of the retry queue that were retried: waited for, and printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from worker.cli.output import DONE, NEEDS_A_PERSON, console
from worker.core.printable import printable

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.store.listing_retries import RetryDetail

WAIT_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.1
UNDER_WAY: Final = ("due", "working")
SETTLED: Final = ("synced", "excluded", "idle")


def show(engine: Engine, ids: list[str], *, as_json: bool) -> int:
    """What became of lines that were retried, once none of them is under way."""
    from worker.cli import asking

    lines = _wait(engine, ids)
    if as_json:
        asking.show_document({"items": lines, "total": len(lines), "next": None})
    else:
        for one in lines:
            said = ": ".join(part for part in (one.reason, one.message) if part and one.state not in SETTLED)
            console().print(printable(f"{one.id}: {one.state}{f', {said}' if said else ''}"))
    return DONE if all(one.state in SETTLED for one in lines) else NEEDS_A_PERSON


def _wait(engine: Engine, ids: list[str]) -> list[RetryDetail]:
    """The lines, as soon as none of them is under way."""
    from worker.store import listing_retries

    end = time.monotonic() + WAIT_SECONDS
    while True:
        with engine.connect() as connection:
            lines = [listing_retries.one(connection, one) for one in ids]
        if time.monotonic() > end or not any(one.state in UNDER_WAY for one in lines):
            return lines
        time.sleep(LOOK_SECONDS)
