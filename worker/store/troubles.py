"""Systems that are not as they should be, each as a whole: since when, why, when it is tried again, how many wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from worker.core.masks import Word
from worker.store import held
from worker.store.summary import Summary

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Trouble:
    """
    One system that is held back. `message` is the vendor's sentence, or that of the person (`by`) who paused it.

    `next_attempt_at`: when it is called again, None where a person must resume it. `waits`: the clients that wait for
    it, and for the source the fetches; `creates_only`: only those that have no record there yet.
    """

    system: Word
    state: Word
    reason: Word
    message: str
    since: datetime | None
    next_attempt_at: datetime | None
    waits: int
    by: str | None
    creates_only: bool

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody should know: it is down, or paused."""
        return self.state in ("paused", "broken", "probing")


def troubles(connection: Connection, summary: Summary, now: datetime) -> dict[str, Trouble]:
    """The systems that are held back, by name; a summary of the same moment tells their states and counts."""
    return {
        one.system: Trouble(
            one.system,
            summary.systems[one.system].state,
            one.reason,
            one.message,
            one.since,
            one.until,
            _waits(summary.links.get(one.system, {}))
            + (summary.contacts.fetch_due if one.system == held.SOURCE else 0),
            one.by,
            one.creates_only,
        )
        for one in held.held(connection, now)
        if one.system in summary.systems and summary.systems[one.system].state != "disabled"
    }


def _waits(states: Mapping[str, int]) -> int:
    return sum(states.get(state, 0) for state in ("waiting", "unknown"))
