"""
When a failed attempt is made again, as a value: one pure function decides, the row keeps the answer.

Neither sleeps nor reads a clock nor draws a random number: time and randomness are arguments. Which error is of which
kind is said by the error tree (`worker.errors`); here a kind is a word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

ErrorKind = Literal["transient", "outage", "permanent", "postponed", "doubtful"]
"""
`transient` comes back later, so often and no more · `outage` is the vendor's own trouble, and comes back for as long as
that lasts · `permanent` cannot be helped by trying · `postponed` waits as told and costs no attempt (rate limit,
credentials, our own budget) · `doubtful` a refusal that may be the vendor's own trouble: tried a little more, then
permanent (Workspace sheet 6).
"""

LONGEST_WAIT_SECONDS: Final = 30 * 86400.0
"""No answer of a vendor parks a row for longer than this, whatever it says."""


@dataclass(frozen=True)
class RetryPolicy:
    """
    The waits after the first, second, … failed attempt, in seconds; `jitter` is the share by which a wait varies.

    A doubtful refusal is tried `doubtful_retries` times more, `doubtful_wait_seconds` apart. ValueError for an empty
    ladder, a wait that is negative or not a number, or a jitter outside 0 to 1.
    """

    ladder_seconds: tuple[float, ...] = (5, 30, 120, 600, 3600, 21600, 86400)
    jitter: float = 0.2
    doubtful_retries: int = 1
    doubtful_wait_seconds: float = 300.0

    def __post_init__(self) -> None:
        if not self.ladder_seconds:
            raise ValueError("the ladder needs at least one wait")
        if not all(math.isfinite(wait) and wait >= 0 for wait in (*self.ladder_seconds, self.doubtful_wait_seconds)):
            raise ValueError("a wait must be a number of seconds, 0 or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError("the jitter must be between 0 and 1")


@dataclass(frozen=True)
class RetryDecision:
    """
    What becomes of the row. `next_attempt_at` is None only when it is dead.

    `costs_attempt` tells whether the attempt counts on the ladder; one that was postponed does not.
    """

    state: Literal["waiting", "dead", "postponed"]
    next_attempt_at: datetime | None
    costs_attempt: bool


def decide(
    policy: RetryPolicy, attempts: int, kind: ErrorKind, retry_after: float | None, now: datetime, random: float
) -> RetryDecision:
    """
    Decide on the attempt that has just failed.

    `attempts` counts the attempts that cost one, the failed one included; `retry_after` is what the vendor asked for,
    in seconds from now, None when it said nothing; `random` is from 0 up to 1. A longer `retry_after` wins over the
    ladder, and is never shortened by the jitter. After the ladder's last wait is used up the row is dead, but for an
    outage, for which the last wait repeats. Postponed without being told for how long: the wait of the ladder's present
    rung.

    >>> at = datetime(2026, 1, 1)
    >>> decide(RetryPolicy((5, 30)), 2, "transient", None, at, random=0.5).next_attempt_at
    datetime.datetime(2026, 1, 1, 0, 0, 30)
    >>> decide(RetryPolicy((5, 30)), 3, "transient", None, at, random=0.5).state
    'dead'
    """
    told = _told(retry_after)
    if kind == "postponed":
        rung = min(max(attempts, 1), len(policy.ladder_seconds))
        wait = told if told is not None else _jittered(policy, policy.ladder_seconds[rung - 1], random)
        return RetryDecision("postponed", _later(now, wait), costs_attempt=False)
    planned = _planned_wait(policy, attempts, kind)
    if planned is None:
        return RetryDecision("dead", None, costs_attempt=True)
    wait = max(_jittered(policy, planned, random), told or 0.0)
    return RetryDecision("waiting", _later(now, wait), costs_attempt=True)


def _planned_wait(policy: RetryPolicy, attempts: int, kind: ErrorKind) -> float | None:
    """The wait after attempt number `attempts`, None when there is none left."""
    if kind == "permanent":
        return None
    if kind == "doubtful":
        return policy.doubtful_wait_seconds if attempts <= policy.doubtful_retries else None
    if attempts > len(policy.ladder_seconds) and kind != "outage":
        return None
    return policy.ladder_seconds[min(max(attempts, 1), len(policy.ladder_seconds)) - 1]


def _told(retry_after: float | None) -> float | None:
    """What the vendor asked for, None where it is no time to wait."""
    if retry_after is None or math.isnan(retry_after) or retry_after < 0:
        return None
    return retry_after


def _jittered(policy: RetryPolicy, wait: float, random: float) -> float:
    return wait * (1 + policy.jitter * (2 * random - 1))


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=min(seconds, LONGEST_WAIT_SECONDS))
