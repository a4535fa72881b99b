"""The words of the demo: names, states with their meaning, and plain sentences for what links and requests report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from worker.cli.telling import shortened

if TYPE_CHECKING:
    from worker.store.feed import LinkNow

NAMES: Final[Mapping[str, str]] = {
    "robaws": "Robaws",
    "rompslomp": "Rompslomp",
    "recras": "Recras",
    "workspace": "Workspace",
    "routix": "Routix",
    "person": "a person",
    "contactsync": "contactsync",
}
COLOURS: Final[Mapping[str, str]] = {
    "robaws": "cyan",
    "rompslomp": "magenta",
    "recras": "yellow",
    "workspace": "blue",
    "person": "bold",
    "contactsync": "green",
}
STATES: Final = ("synced", "due", "working", "waiting", "unknown", "review", "dead")
STATE_COLOURS: Final[Mapping[str, str]] = {
    "synced": "green",
    "waiting": "yellow",
    "unknown": "yellow",
    "review": "bright_magenta",
    "dead": "red",
}
MEANINGS: Final[Mapping[str, str]] = {
    "waiting": "tried again by itself",
    "unknown": "sent, but no answer came; looked up before anything is sent again",
    "review": "a person decides",
    "dead": "refused or given up; a person looks",
}
"""What the states mean that a newcomer cannot guess."""

LOST: Final = "the line dropped; nobody knows if it was made"

_REASONS: Final[Mapping[str, str]] = {
    "outcome_unknown": LOST,
    "no_answer": "it does not answer",
    "rate_limited": "it asks us to slow down",
}


def times(number: int, what: str) -> str:
    """
    A number with its noun.

    >>> times(1, "read"), times(2, "search")
    ('1 read', '2 searches')
    """
    return f"{number} {what}{'' if number == 1 else 'es' if what.endswith(('ch', 'sh')) else 's'}"


def reason_text(link: LinkNow) -> str:
    """Why a link is not synced."""
    return _REASONS.get(link.reason or "") or shortened(link.message or link.reason or "", 110)


def next_text(link: LinkNow, now: datetime) -> str:
    """When it is looked at again by itself; empty where that waits for a person."""
    if link.next_attempt_at is None or link.state in ("review", "dead"):
        return ""
    seconds = max(1, round((link.next_attempt_at - now).total_seconds()))
    return f"; {'looked up' if link.state == 'unknown' else 'tried again'} in {seconds}\u00a0s"
