"""
Signs of life: a file that a part touches while it does its work, and the question whether it is fresh.

A worker's sign is not that its process lives but that a canary task came through the broker, since a worker may go
deaf after a reconnect and live on.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from worker.config import Settings

STALE_SECONDS: Final = 60.0


class Pulse:
    """One part's sign of life in a home."""

    def __init__(self, settings: Settings, part: str) -> None:
        self.path = Path(settings.home) / "run" / f"{part}-{socket.gethostname()}.pulse"

    def beat(self) -> None:
        """Now."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        now = time.time()
        os.utime(self.path, (now, now))

    def clear(self) -> None:
        """No sign from an earlier life."""
        self.path.unlink(missing_ok=True)

    def age_seconds(self) -> float | None:
        """Seconds since the last sign, None when there was none."""
        try:
            return max(0.0, time.time() - self.path.stat().st_mtime)
        except FileNotFoundError:
            return None

    def fresh(self, within_seconds: float = STALE_SECONDS) -> bool:
        """Whether there was a sign lately."""
        age = self.age_seconds()
        return age is not None and age <= within_seconds
