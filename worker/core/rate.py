"""
How often a vendor may be called: the generic cell rate algorithm (GCRA) and the rate it runs at, as pure functions.

One number is kept for each budget, the *theoretical arrival time* (TAT): when the bucket would be empty again if
nobody called. The rate is the configured one until the vendor refuses a call (429); from then on it is learned by
additive increase and multiplicative decrease (AIMD), so that it settles just below what the vendor allows, also where
that is not published or is shared with other programs. The shared budget in Redis does the same in scripts; this is
what those scripts are held to.

Sources: ITU-T I.371 (GCRA); https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm;
https://en.wikipedia.org/wiki/Additive_increase/multiplicative_decrease
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Far more than a float of unix time can be off after a burst (a quarter of a microsecond for each step), far less than
# a vendor can measure. Without it a wait would be lost in the addition `now + wait`, and a caller that waits as told
# would ask at the same moment for ever.
_TOLERANCE_SECONDS: Final = 1e-4


DECREASE: Final = 0.5
"""The share of the rate that is left after a refusal."""
RISE_SECONDS: Final = 1_800.0
"""In so many seconds of steady calls without a refusal the rate grows by the whole configured rate."""
STEEPEST: Final = 10.0
"""
A rate that is far below the configured one grows as if this many times itself were configured. A vendor that allows a
call a second would otherwise refuse every third one, where a hundred a second are configured.
"""
FLOOR_PER_SECOND: Final = 0.1
"""The lowest rate that is learned; a vendor that allows less is obeyed through its Retry-After."""
UNLIMITED_PER_SECOND: Final = 10.0
"""Where learning begins, and ends, for a system without a configured rate."""


class Turn(NamedTuple):
    """
    Whether a call may leave now. Unpacks as (allowed, new_tat, wait_seconds); not to be used as a condition.

    `new_tat` is what must be kept, also when the call is refused. `wait_seconds` is 0 when it is allowed, else the
    time after which the next call may be allowed, if nobody else takes the turn.
    """

    allowed: bool
    new_tat: float
    wait_seconds: float


def gcra(tat: float | None, now: float, rate_per_second: float, burst: int) -> Turn:
    """
    Ask for one call. `tat` is what the last answer said to keep, None for a budget never used.

    Promise, while `now` does not run backwards: in any window of w seconds at most `burst + rate_per_second * w` calls
    are allowed (to a tenth of a millisecond), and a caller that waits as told gets the full rate. A TAT further ahead
    than a full burst can put it comes from a clock set back or from other limits; it is drawn in, so that nobody waits
    longer than one interval for that. ValueError for a rate that is not positive or a burst below 1.

    >>> gcra(None, now=100.0, rate_per_second=2.0, burst=1)
    Turn(allowed=True, new_tat=100.5, wait_seconds=0.0)
    >>> gcra(100.5, now=100.25, rate_per_second=2.0, burst=1)
    Turn(allowed=False, new_tat=100.5, wait_seconds=0.25)
    """
    if rate_per_second <= 0 or burst < 1:
        raise ValueError("the rate must be positive and the burst at least 1")
    interval = 1.0 / rate_per_second
    start = now if tat is None else min(max(tat, now), now + burst * interval)
    wait = start - now - (burst - 1) * interval
    if wait > _TOLERANCE_SECONDS:
        return Turn(allowed=False, new_tat=start, wait_seconds=wait)
    return Turn(allowed=True, new_tat=start + interval, wait_seconds=0.0)


def configured_rate(rate_per_second: float) -> float:
    """The upper bound of a learned rate; 0 stands for a system without a configured rate."""
    return rate_per_second if rate_per_second > 0 else UNLIMITED_PER_SECOND


def floor_rate(rate_per_second: float) -> float:
    """The lower bound of a learned rate: a configured rate below the general floor is a bound of its own."""
    return min(FLOOR_PER_SECOND, configured_rate(rate_per_second))


def after_refusal(learned: float | None, rate_per_second: float) -> float:
    """
    The rate after a 429. `learned` is the rate so far, None while the configured one holds.

    Calls that were on their way together are refused together; the caller counts them as one refusal.

    >>> after_refusal(None, 10.0)
    5.0
    """
    now = configured_rate(rate_per_second) if learned is None else learned
    return max(floor_rate(rate_per_second), now * DECREASE)


def after_call(learned: float | None, rate_per_second: float) -> float | None:
    """
    The rate after one more call was allowed; None once the configured rate holds again.

    The step is larger where calls are further apart, so that the rate grows by the same amount in each second of steady
    calls. A system that is not called learns nothing.
    """
    if learned is None:
        return None
    most = configured_rate(rate_per_second)
    risen = learned + min(most, STEEPEST * learned) / RISE_SECONDS / learned
    return risen if risen < most else None


def pace(learned: float | None, rate_per_second: float, burst: int) -> tuple[float, int]:
    """
    The rate and the burst that GCRA runs at. Below the configured rate calls are spread evenly: a vendor that just
    refused a call gets no burst.
    """
    return (rate_per_second, burst) if learned is None else (learned, 1)
