"""
One budget for each vendor credential, shared by all processes through Redis.

A rate is kept as GCRA (`worker.core.rate` is its specification): each turn taken moves the theoretical arrival time
on, a caller reserves its turn and sleeps until it comes. A day's quota is a counter of one day, which begins anew with
the vendor's next. Live traffic goes ahead: background calls take a turn only when one is free at once and no live
caller waits. If Redis is away nothing is called, rather than called unmetered; if it was emptied, the day's count and
the calls of the last moments are taken from the log of requests again.

A vendor that refuses calls for their rate (429) is called more slowly from then on: the learned rate
(`worker.core.rate`) stands here, where it is enforced, and in the system's row, where people see it and where an
emptied Redis gets it back.

The time is Redis's own (`TIME`), so that machines whose clocks differ share one budget all the same. What was stored
while that clock ran ahead is not believed once it is right again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis

from worker.core.rate import DECREASE, RISE_SECONDS, STEEPEST, configured_rate, floor_rate
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
local most = tonumber(ARGV[9])
local rise = tonumber(ARGV[10])
local steepest = tonumber(ARGV[11])
local kept = tonumber(ARGV[12])
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

local learned = tonumber(redis.call('HGET', KEYS[7], 'rate') or '')
local known = redis.call('EXISTS', KEYS[6]) == 1
if not known then
  if not used_lately then return answer('0', 0, 'rest') end
  learned = learned or kept
  redis.call('SET', KEYS[6], '1')
end
if learned then interval, burst = 1 / learned, 1 end

if interval > 0 then
  local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
  if not known then tat = math.max(tat, now + used_lately * interval) end
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
  if learned then
    learned = learned + math.min(most, steepest * learned) / rise / learned
    if learned < most then redis.call('HSET', KEYS[7], 'rate', string.format('%.6f', learned))
    else redis.call('DEL', KEYS[7]) end
  end
  count()
  return answer('1', wait, '')
end
count()
return answer('1', 0, '')
"""
)

# Calls that had left before the last refusal was counted are refused with it, and count once.
_REFUSED: Final = (
    _TIME
    + """
local learned = tonumber(redis.call('HGET', KEYS[1], 'rate') or '') or tonumber(ARGV[3])
local last = tonumber(redis.call('HGET', KEYS[1], 'refused') or '0')
if last > now + 5 then last = 0 end
if now - tonumber(ARGV[2]) >= last then
  learned = math.max(tonumber(ARGV[4]), learned * tonumber(ARGV[5]))
  redis.call('HSET', KEYS[1], 'rate', string.format('%.6f', learned), 'refused', string.format('%.6f', now))
end
return string.format('%.6f', learned)
"""
)

# The next turn comes after the rest, whatever is left of the burst.
_REST: Final = (
    _TIME
    + """
local interval, burst = tonumber(ARGV[3]), tonumber(ARGV[4])
local learned = tonumber(redis.call('HGET', KEYS[2], 'rate') or '')
if learned then interval, burst = 1 / learned, 1 end
local tat = now + tonumber(ARGV[2]) + interval * (burst - 1)
if tat > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.6f', tat), 'PX', math.ceil(1000 * (tat - now) + 1000))
end
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
    up to now, for when Redis has lost its counter, `learned_rate` is what a system's row keeps of its rate. Safe to
    share between threads.

    `clock` is for tests that turn time themselves: by default the time is Redis's.
    """

    def __init__(
        self,
        client: redis.Redis,
        limits: dict[str, Limits],
        used_within: Callable[[str, float], int],
        *,
        learned_rate: Callable[[str], float | None] = lambda _system: None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.limits = limits
        self.used_within = used_within
        self.learned_rate = learned_rate
        self.clock = clock
        self.sleep = sleep
        self.script = client.register_script(_SCRIPT)
        self.hold = client.register_script(_HOLD)
        self.slow_down = client.register_script(_REFUSED)
        self.set_back = client.register_script(_REST)

    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Wait for a turn, at most so long; BudgetExhausted, with the wait, where there is none soon enough."""
        limits = self._limits(system, kind)
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
        most = configured_rate(limits.rate_per_second)
        lately: int | str = ""
        today: int | str = ""
        kept: float | str = ""
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
                most,
                RISE_SECONDS,
                STEEPEST,
                kept,
            ]
            granted, wait, why, now = (
                one.decode() if isinstance(one, bytes) else one
                for one in self.script(keys=self._keys(system, kind), args=arguments)
            )
            if granted == "1":
                return float(wait)
            if why == "rest":
                # Redis knows nothing of this system: the calls of the last moments stand in the log of requests.
                lately = min(limits.burst, self.used_within(system, limits.burst / most))
                rate = self.learned_rate(system) if not kind else None
                kept = "" if rate is None else max(rate, floor_rate(limits.rate_per_second))
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
        names = ("tat", "pause", "day", "live", "stop", "known", "rate")
        return [f"budget:{system}:{kind}:{name}" for name in names]

    def _limits(self, system: str, kind: str) -> Limits | None:
        return self.limits.get(f"{system}:{kind}") or self.limits.get(system)

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

    def refused(self, system: str, ago_seconds: float, kind: str = "") -> float | None:
        """
        A call that left so long ago was refused for its rate (429): call more slowly from now on.

        Returns the calls a second that are allowed now; None without Redis, or for a system without limits.
        """
        limits = self._limits(system, kind)
        if limits is None:
            return None
        rate = limits.rate_per_second
        arguments = [self._now(), ago_seconds, configured_rate(rate), floor_rate(rate), DECREASE]
        try:
            return float(self.slow_down(keys=self._keys(system, kind)[6:], args=arguments))
        except redis.RedisError:
            return None

    def rest(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody's next turn comes before so many seconds; who waits for a turn waits that much longer."""
        limits = self._limits(system, kind)
        if limits is None or limits.rate_per_second <= 0:
            return self.pause(system, seconds, kind)
        keys = self._keys(system, kind)
        try:
            self.set_back(
                keys=[keys[0], keys[6]], args=[self._now(), seconds, 1 / limits.rate_per_second, limits.burst]
            )
        except redis.RedisError:
            return None

    def learned(self, system: str, kind: str = "") -> tuple[bool, float | None]:
        """(whether Redis knows the system, the rate that was learned from refusals; None for the configured one)."""
        keys = self._keys(system, kind)
        try:
            with self.client.pipeline(transaction=False) as pipe:
                pipe.exists(keys[5])
                pipe.hget(keys[6], "rate")
                known, rate = pipe.execute()
        except redis.RedisError:
            return False, None
        return bool(known), None if rate is None else float(rate)

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
