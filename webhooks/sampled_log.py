"""
Log lines about what strangers can repeat at will: the first of its kind at once, then one a minute with a count.

So that an attack is seen while it goes on, and cannot fill the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

log = structlog.get_logger()

SECONDS: Final = 60.0


@dataclass
class _Kind:
    """What has happened of one kind since its last line; the details are those of the newest."""

    logged_at: float
    count: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


class SampledLog:
    """
    The lines of one event. Kinds are words of ours, never text that a stranger chose: each is kept for good.
    """

    def __init__(self, event: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._clock = clock
        self._kinds: dict[tuple[str, ...], _Kind] = {}

    def note(self, *kind: str, **details: Any) -> None:
        """It happened once more; `kind[0]` stands on the line, and details do not tell kinds apart."""
        now = self._clock()
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = _Kind(now - SECONDS)
        found.count += 1
        found.details = details
        if now - found.logged_at >= SECONDS:
            self._write(kind, found, now)

    def flush(self, *, everything: bool = False) -> None:
        """Write the lines that are due: a kind that was counted, and had its last line a minute ago or more."""
        now = self._clock()
        for kind, found in self._kinds.items():
            if found.count and (everything or now - found.logged_at >= SECONDS):
                self._write(kind, found, now)

    def _write(self, kind: tuple[str, ...], found: _Kind, now: float) -> None:
        log.warning(self._event, kind=kind[0], count=found.count, **found.details)
        found.count, found.logged_at = 0, now
