"""
One budget for each vendor credential, shared by all processes through Redis.

A rate is kept as GCRA (`worker.core.rate` is its specification): each turn taken moves the theoretical arrival time
on, a caller reserves its turn and sleeps until it comes. A day's quota is a counter that ends with the vendor's day.
Live traffic goes ahead: background calls take a turn only when one is free at once and no live caller waits. If Redis
is away nothing is called, rather than called unmetered; if it was emptied, the day's count and the calls of the last
moments are taken from the log of requests again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis

from worker.core.wire import Lane
from worker.errors import BudgetExhausted

_SCRIPT: Final = """
local now = tonumber(ARGV[1])
local interval = tonumber(ARGV[2])
local burst = tonumber(ARGV[3])
local patience = tonumber(ARGV[4])
local background = ARGV[5] == '1'
local daily_limit = tonumber(ARGV[6])
local day_end = tonumber(ARGV[7])

local function count()
  redis.call('INCR', KEYS[3])
  redis.call('EXPIRE', KEYS[3], 90000)
end

local paused = tonumber(redis.call('GET', KEYS[2]) or '0')
if paused > now then return {'0', string.format('%.6f', paused - now), 'waiting'} end

local used = redis.call('GET', KEYS[3])
if not used then return {'0', '0', 'count'} end
if daily_limit > 0 then
  local stop = tonumber(redis.call('GET', KEYS[5]) or '0')
  if stop > now then return {'0', string.format('%.6f', stop - now), 'daily_quota'} end
  if tonumber(used) >= daily_limit then return {'0', string.format('%.6f', day_end - now), 'daily_quota'} end
end

if interval > 0 then
  local tat = redis.call('GET', KEYS[1])
  if redis.call('EXISTS', KEYS[6]) == 0 then return {'0', '0', 'rest'} end
  tat = math.max(tonumber(tat or '0'), now)
  local wait = tat - interval * (burst - 1) - now
  if wait < 0 then wait = 0 end
  if background and (wait > 0 or redis.call('EXISTS', KEYS[4]) == 1) then
    return {'0', string.format('%.6f', math.max(wait, interval)), 'rate'}
  end
  if wait > patience then
    if not background then redis.call('SET', KEYS[4], '1', 'PX', math.max(1, math.floor(1000 * interval * 2))) end
    return {'0', string.format('%.6f', wait), 'rate'}
  end
  if wait > 0 and not background then
    redis.call('SET', KEYS[4], '1', 'PX', math.max(1, math.floor(1000 * (wait + interval))))
  end
  local keep = math.max(1000, math.ceil(1000 * (tat + interval - now) + 1000))
  redis.call('SET', KEYS[1], string.format('%.6f', tat + interval), 'PX', keep)
  count()
  return {'1', string.format('%.6f', wait), ''}
end
count()
return {'1', '0', ''}
"""


@dataclass(frozen=True)
class Limits:
    """What one credential may do: calls a second and at once, calls a day (0: no limit known)."""

    rate_per_second: float
    burst: int
    daily_requests: int = 0


class RedisBudget:
    """
    The shared budget of all vendors. `limits` by system; `used_today` counts a system's requests since a time, for
    when Redis has lost its counter. Safe to share between threads.
    """

    def __init__(
        self,
        client: redis.Redis,
        limits: dict[str, Limits],
        used_since: Callable[[str, datetime], int],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.limits = limits
        self.used_since = used_since
        self.clock = clock
        self.sleep = sleep
        self.script = client.register_script(_SCRIPT)

    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Wait for a turn, at most so long; BudgetExhausted, with the wait, where there is none soon enough."""
        limits = self.limits.get(f"{system}:{kind}") or self.limits.get(system)
        if limits is None:
            return
        try:
            wait = self._turn(system, kind, limits, lane, patience_seconds)
        except redis.RedisError as error:
            raise BudgetExhausted(
                "Redis is away, so no calls are made", wait_seconds=1.0, reason="redis_away"
            ) from error
        if wait > 0:
            self.sleep(wait)

    def _turn(self, system: str, kind: str, limits: Limits, lane: Lane, patience: float) -> float:
        for _ in range(4):
            now = self.clock()
            day_end = (now // 86_400 + 1) * 86_400
            interval = 1 / limits.rate_per_second if limits.rate_per_second > 0 else 0
            arguments = [
                now,
                interval,
                limits.burst,
                patience,
                int(lane == "background"),
                limits.daily_requests,
                day_end,
            ]
            granted, wait, why = self.script(keys=self._keys(system, kind, now), args=arguments)
            if granted == b"1" or granted == "1":
                return float(wait)
            why = why.decode() if isinstance(why, bytes) else why
            if why == "rest":
                self._remember_rate(system, kind, limits, now)
            elif why == "count":
                self._recount(system, kind, now, day_end)
            else:
                raise BudgetExhausted(_SENTENCES[why].format(system=system), wait_seconds=float(wait), reason=why)
        raise BudgetExhausted("the day's count could not be kept", wait_seconds=1.0, reason="redis_away")

    def _keys(self, system: str, kind: str, now: float) -> list[str]:
        stem = f"budget:{system}:{kind}"
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        return [f"{stem}:tat", f"{stem}:pause", f"{stem}:day:{day}", f"{stem}:live", f"{stem}:stop", f"{stem}:known"]

    def _remember_rate(self, system: str, kind: str, limits: Limits, now: float) -> None:
        """Redis knows nothing of this system: take the calls of the last moments from the log of requests."""
        span = limits.burst / limits.rate_per_second
        used = min(limits.burst, self.used_since(system, datetime.fromtimestamp(now - span, UTC)))
        keys = self._keys(system, kind, now)
        with self.client.pipeline() as pipe:
            pipe.set(keys[0], f"{now + used / limits.rate_per_second:.6f}", nx=True, px=int(1000 * span) + 1_000)
            pipe.set(keys[5], 1, nx=True)
            pipe.execute()

    def _recount(self, system: str, kind: str, now: float, day_end: float) -> None:
        since = datetime.fromtimestamp(day_end - 86_400, UTC)
        key = self._keys(system, kind, now)[2]
        self.client.set(key, self.used_since(system, since), nx=True, ex=int(day_end - now) + 3_600)

    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        """Take over what the vendor says is left of the day; at nothing left, no call is made before its reset."""
        if remaining is None:
            return
        try:
            stem = f"budget:{system}:{kind}"
            self.client.set(f"{stem}:remaining", remaining, ex=90_000)
            if remaining <= 0 and reset_seconds:
                until = self.clock() + reset_seconds
                self.client.set(f"{stem}:stop", until, ex=int(reset_seconds) + 60)
        except redis.RedisError:
            return

    def pause(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody calls this system for so long (the row of the system says the same, for when Redis is emptied)."""
        try:
            self.client.set(f"budget:{system}:{kind}:pause", self.clock() + seconds, px=max(1, int(seconds * 1000) + 1))
        except redis.RedisError:
            return

    def usage(self, system: str, kind: str = "") -> tuple[int | None, int | None]:
        """(calls counted today, what the vendor said is left); None where unknown."""
        try:
            values: list[Any] = self.client.mget(
                [self._keys(system, kind, self.clock())[2], f"budget:{system}:{kind}:remaining"]
            )
        except redis.RedisError:
            return None, None
        return (int(values[0]) if values[0] is not None else None, int(values[1]) if values[1] is not None else None)


_SENTENCES: Final = {
    "waiting": "{system} asked to wait",
    "daily_quota": "the day's quota of calls to {system} is used up",
    "rate": "the rate of calls to {system} leaves no turn soon enough",
}
