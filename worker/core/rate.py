"""
How often a vendor may be called: the generic cell rate algorithm (GCRA) as a pure function.

One number is kept for each budget, the *theoretical arrival time* (TAT): when the bucket would be empty again if
nobody called. The shared budget in Redis does the same in a script; this is what that script is held to.

Source: ITU-T I.371 (the algorithm); https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Far more than a float of unix time can be off after a burst (a quarter of a microsecond for each step), far less than
# a vendor can measure. Without it a wait would be lost in the addition `now + wait`, and a caller that waits as told
# would ask at the same moment for ever.
_TOLERANCE_SECONDS: Final = 1e-4


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
