"""
Whether webhooks arrive: the newest event, and the requests that left none, with why.

The receivers count those requests and write the counts down every few seconds at most (`add`), a row for each hour and
result. So a flood of refused requests costs what one costs, and what was refused is known after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.core.masks import Word
from worker.core.refused import TEST, reason

WINDOW: Final = timedelta(days=7)
"""How far back refusals are told."""

LAST_EVENT: Final = "(SELECT received_at FROM inbox_event ORDER BY received_at DESC LIMIT 1)"
RESULTS: Final = """(SELECT jsonb_agg(r) FROM (
    SELECT result, sum(requests) AS requests, min(first_at) AS first_at, max(last_at) AS last_at
    FROM webhook_result WHERE hour >= :refused_since GROUP BY result) AS r)"""
"""Parts of a statement that `arrivals` makes a view of; `refused_since` is what `since` gives."""

_READ: Final = text(f"SELECT {LAST_EVENT} AS last_event, {RESULTS} AS results")

_ADD: Final = text(
    """
    INSERT INTO webhook_result AS kept (hour, result, requests, first_at, last_at)
    SELECT date_trunc('hour', new.last_at, 'UTC'), new.result, new.requests, new.first_at, new.last_at
    FROM (
        SELECT result, requests, clock_timestamp() - make_interval(secs => first_ago) AS first_at,
            clock_timestamp() - make_interval(secs => last_ago) AS last_at
        FROM unnest(CAST(:results AS text[]), CAST(:requests AS bigint[]), CAST(:firsts AS float8[]),
            CAST(:lasts AS float8[])) AS added(result, requests, first_ago, last_ago)
        ORDER BY result
    ) AS new
    ON CONFLICT (hour, result) DO UPDATE SET requests = kept.requests + excluded.requests,
        first_at = LEAST(kept.first_at, excluded.first_at), last_at = GREATEST(kept.last_at, excluded.last_at)
    """
)


@dataclass(frozen=True)
class Refused:
    """Requests that were refused for one reason, and how many seconds ago the first and the last of them came."""

    reason: Word
    requests: int
    since_seconds: int
    last_seconds: int


@dataclass(frozen=True)
class Arrivals:
    """
    What arrives at the webhook address. Ages in seconds, None for what never was; `refused` in the last seven days, the
    newest first. `last_test_seconds`: since a self-test last passed.
    """

    last_event_seconds: int | None = None
    last_test_seconds: int | None = None
    refused: list[Refused] = field(default_factory=list)

    @property
    def obstacle(self) -> Refused | None:
        """The refusal that a person must look into: of a wrong set-up, a day old at most, and nothing came after it."""
        for one in self.refused:
            known = reason(one.reason)
            heard = (self.last_event_seconds, self.last_test_seconds if known.tested else None)
            over = any(age is not None and age <= one.last_seconds for age in heard)
            if known.setup and one.last_seconds <= 86_400 and not over:
                return one
        return None


@dataclass(frozen=True)
class Added:
    """Requests to add: with one result, and how many seconds ago the first and the last of them came."""

    result: str
    requests: int
    first_ago: float
    last_ago: float


def add(connection: Connection, added: Sequence[Added]) -> None:
    """Add to what is kept, by the database's clock. Rows are taken in one order, so that receivers never deadlock."""
    connection.execute(
        _ADD,
        {
            "results": [one.result for one in added],
            "requests": [one.requests for one in added],
            "firsts": [one.first_ago for one in added],
            "lasts": [one.last_ago for one in added],
        },
    )


def read(connection: Connection, now: datetime) -> Arrivals:
    """What arrives, as of now."""
    row = connection.execute(_READ, {"refused_since": since(now)}).one()
    return arrivals(row.last_event, row.results, now)


def since(now: datetime) -> datetime:
    """From when on refusals are told."""
    return now - WINDOW


def arrivals(last_event: datetime | None, results: Sequence[Mapping[str, Any]] | None, now: datetime) -> Arrivals:
    """The view of what `LAST_EVENT` and `RESULTS` gave."""
    refused = [
        Refused(one["result"], int(one["requests"]), _age(one["first_at"], now), _age(one["last_at"], now))
        for one in results or ()
    ]
    tests = [one.last_seconds for one in refused if one.reason == TEST]
    return Arrivals(
        None if last_event is None else _age(last_event, now),
        min(tests, default=None),
        sorted((one for one in refused if one.reason != TEST), key=lambda one: (one.last_seconds, one.reason)),
    )


def prune(connection: Connection, before: datetime) -> int:
    """Let what is older than that go; returns how many rows."""
    return connection.execute(text("DELETE FROM webhook_result WHERE hour < :before"), {"before": before}).rowcount


def _age(at: datetime | str, now: datetime) -> int:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return max(0, int((now - moment).total_seconds()))
