"""
One budget for each vendor credential, shared by all processes through Redis.

A rate is kept as GCRA (`worker.core.rate` is its specification): each turn taken moves the theoretical arrival time
on, a caller reserves its turn and sleeps until it comes. A day's quota is a counter of one day, which begins anew with
the vendor's next. Live traffic goes ahead: background calls take a turn only when one is free at once and no live
caller waits. If Redis is away nothing is called, rather than called unmetered; if it was emptied, the day's count and
the calls of the last moments are taken from the log of requests again.

The time is Redis's own (`TIME`), so that machines whose clocks differ share one budget all the same. What was stored
while that clock ran ahead is not believed once it is right again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis

from worker.core.wire import Lane
from worker.errors import BudgetExhausted

DAY_SECONDS: Final = 86_400

# The time is Redis's, except where a test turns a clock of its own. A wait is kept with the time at which it was set:
# one that was set in the future (5 seconds allow for a replica that took over) comes from a clock that was wrong.
_TIME: Final = """
local now = tonumber(ARGV[1])
if not now then
  local clock = redis.call('TIME')
  now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
end
local function hold(key, seconds)
  local value = string.format('%.6f %.6f', now, now + seconds)
  redis.call('SET', key, value, 'PX', math.max(1, math.floor(1000 * seconds) + 1))
end
local function held(key)
  local value = redis.call('GET', key)
  if not value then return 0 end
  local set, ends = string.match(value, '^(%S+) (%S+)$')
  if not ends or tonumber(set) > now + 5 then return 0 end
  return math.max(0, tonumber(ends) - now)
end
"""

_HOLD: Final = _TIME + "hold(KEYS[1], tonumber(ARGV[2]))"

# A reserved turn lies at most a caller's patience ahead of a full burst: what lies further ahead is drawn in.
_SCRIPT: Final = (
    _TIME
    + """
local interval = tonumber(ARGV[2])
local burst = tonumber(ARGV[3])
local patience = tonumber(ARGV[4])
local background = ARGV[5] == '1'
local daily_limit = tonumber(ARGV[6])
local used_lately = tonumber(ARGV[7])
local used_today = tonumber(ARGV[8])
local today = string.format('%d', math.floor(now / 86400))
local function answer(granted, wait, why)
  return {granted, string.format('%.6f', wait), why, string.format('%.6f', now)}
end
local function count()
  redis.call('HINCRBY', KEYS[3], 'used', 1)
  redis.call('EXPIRE', KEYS[3], 90000)
end

local paused = held(KEYS[2])
if paused > 0 then return answer('0', paused, 'waiting') end

if redis.call('HGET', KEYS[3], 'day') ~= today then
  if not used_today then return answer('0', 0, 'count') end
  redis.call('HSET', KEYS[3], 'day', today, 'used', used_today)
end
if daily_limit > 0 then
  local stopped = held(KEYS[5])
  if stopped > 0 then return answer('0', stopped, 'daily_quota') end
  if tonumber(redis.call('HGET', KEYS[3], 'used')) >= daily_limit then
    return answer('0', (tonumber(today) + 1) * 86400 - now, 'daily_quota')
  end
end

if interval > 0 then
  local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
  if redis.call('EXISTS', KEYS[6]) == 0 then
    if not used_lately then return answer('0', 0, 'rest') end
    tat = math.max(tat, now + used_lately * interval)
    redis.call('SET', KEYS[6], '1')
  end
  if tat > now + burst * interval + 60 then tat = now + burst * interval end
  tat = math.max(tat, now)
  local wait = tat - interval * (burst - 1) - now
  if wait < 0 then wait = 0 end
  if background and (wait > 0 or held(KEYS[4]) > 0) then
    return answer('0', math.max(wait, interval), 'rate')
  end
  if wait > patience then
    if not background then hold(KEYS[4], 2 * interval) end
    return answer('0', wait, 'rate')
  end
  if wait > 0 and not background then hold(KEYS[4], wait + interval) end
  local keep = math.max(1000, math.ceil(1000 * (tat + interval - now) + 1000))
  redis.call('SET', KEYS[1], string.format('%.6f', tat + interval), 'PX', keep)
  count()
  return answer('1', wait, '')
end
count()
return answer('1', 0, '')
"""
)


@dataclass(frozen=True)
class Limits:
    """What one credential may do: calls a second and at once, calls a day (0: no limit known)."""

    rate_per_second: float
    burst: int
    daily_requests: int = 0


class RedisBudget:
    """
    The shared budget of all vendors. `limits` by system; `used_within` counts a system's requests of so many seconds
    up to now, for when Redis has lost its counter. Safe to share between threads.

    `clock` is for tests that turn time themselves: by default the time is Redis's.
    """

    def __init__(
        self,
        client: redis.Redis,
        limits: dict[str, Limits],
        used_within: Callable[[str, float], int],
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.limits = limits
        self.used_within = used_within
        self.clock = clock
        self.sleep = sleep
        self.script = client.register_script(_SCRIPT)
        self.hold = client.register_script(_HOLD)

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
        interval = 1 / limits.rate_per_second if limits.rate_per_second > 0 else 0
        lately: int | str = ""
        today: int | str = ""
        for _ in range(4):
            arguments = [
                self._now(),
                interval,
                limits.burst,
                patience,
                int(lane == "background"),
                limits.daily_requests,
                lately,
                today,
            ]
            granted, wait, why, now = (
                one.decode() if isinstance(one, bytes) else one
                for one in self.script(keys=self._keys(system, kind), args=arguments)
            )
            if granted == "1":
                return float(wait)
            if why == "rest":
                # Redis knows nothing of this system: the calls of the last moments stand in the log of requests.
                span = limits.burst / limits.rate_per_second
                lately = min(limits.burst, self.used_within(system, span))
            elif why == "count":
                today = self.used_within(system, float(now) % DAY_SECONDS)
            else:
                raise BudgetExhausted(_SENTENCES[why].format(system=system), wait_seconds=float(wait), reason=why)
        raise BudgetExhausted("the day's count could not be kept", wait_seconds=1.0, reason="redis_away")

    def _now(self) -> float | str:
        """The scripts' first argument: nothing, for the time that Redis has."""
        return "" if self.clock is None else self.clock()

    @staticmethod
    def _keys(system: str, kind: str) -> list[str]:
        stem = f"budget:{system}:{kind}"
        return [f"{stem}:tat", f"{stem}:pause", f"{stem}:day", f"{stem}:live", f"{stem}:stop", f"{stem}:known"]

    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        """Take over what the vendor says is left of the day; at nothing left, no call is made before its reset."""
        if remaining is None:
            return
        try:
            stem = f"budget:{system}:{kind}"
            self.client.set(f"{stem}:remaining", remaining, ex=90_000)
            if remaining <= 0 and reset_seconds:
                self.hold(keys=[f"{stem}:stop"], args=[self._now(), reset_seconds])
        except redis.RedisError:
            return

    def pause(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody calls this system for so long (the row of the system says the same, for when Redis is emptied)."""
        try:
            self.hold(keys=[f"budget:{system}:{kind}:pause"], args=[self._now(), seconds])
        except redis.RedisError:
            return

    def usage(self, system: str, kind: str = "") -> tuple[int | None, int | None]:
        """(calls counted today, what the vendor said is left); None where unknown."""
        try:
            with self.client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.hmget(self._keys(system, kind)[2], ["day", "used"])
                pipe.get(f"budget:{system}:{kind}:remaining")
                (seconds, _), (day, used), left = pipe.execute()
        except redis.RedisError:
            return None, None
        now = seconds if self.clock is None else self.clock()
        counted = used is not None and int(day) == int(now // DAY_SECONDS)
        return (int(used) if counted else None, int(left) if left is not None else None)


_SENTENCES: Final = {
    "waiting": "{system} asked to wait",
    "daily_quota": "the day's quota of calls to {system} is used up",
    "rate": "the rate of calls to {system} leaves no turn soon enough",
}
