"""
Requests and connections that are turned away: counted by kind, and logged once a minute for each kind.

Whoever reaches the port can cause a refusal. So one costs an addition, and the log grows with the number of kinds and
not with the number of requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from webhooks.results import Results
from webhooks.sampled_log import SampledLog


class Refusals:
    """
    The refusals of one process; lives on one event loop. `counts` has the totals by kind, a word of the code;
    `webhooks` what became of requests to the webhook address, until it is written down.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: dict[str, int] = {}
        self.webhooks = Results(clock)
        self._refused = SampledLog("receiver.refused", clock)
        self._crowded = SampledLog("receiver.crowded", clock)

    def note(self, kind: str, address: str | None, **details: object) -> None:
        """Count a refusal. `details` of the newest one stand on the log line: no secret, and nothing without an end."""
        self._count(kind)
        self._refused.note(kind, address=address, **details)

    def note_webhook(self, kind: str, address: str | None, **details: object) -> None:
        """The same for a request to the webhook address, which is kept over a restart as well."""
        self.webhooks.count(kind)
        self.note(kind, address, **details)

    def crowd(self, address: str, most: int) -> None:
        """Count a connection that was closed since there were more than `most`."""
        self._count("crowded")
        self._crowded.note("crowded", address=address, most_connections=most)

    def flush(self, *, everything: bool = False) -> None:
        """Write the lines that are due, or all that is left."""
        self._refused.flush(everything=everything)
        self._crowded.flush(everything=everything)

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
