"""
The shared budget of the vendors' credentials, in virtual time.

The same arithmetic as Redis's script, with reserved turns (`worker.store.budget`, held to `worker.core.rate` by its own
tests). A caller that must wait parks until its turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulation.baton import current
from worker.core.rate import after_call, after_refusal, pace
from worker.errors import BudgetExhausted

if TYPE_CHECKING:
    from simulation.clock import Clock
    from worker.core.wire import Lane
    from worker.store.budget import Limits

DAY = 86_400


class VirtualBudget:
    """What `worker.vendors.transport.Budget` wants, by the clock of Redis, which nobody sets."""

    def __init__(self, clock: Clock, limits: Mapping[str, Limits]) -> None:
        self.clock = clock
        self.limits = limits
        self.away = False
        self._tat: dict[str, tuple[float, float]] = {}
        self._paused: dict[str, float] = {}
        self._stopped: dict[str, float] = {}
        self.turns: Counter[str] = Counter()
        self._days: dict[tuple[str, int], int] = {}
        self._learned: dict[str, float] = {}
        self._refused: dict[str, float] = {}

    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Take a turn, or wait for it; BudgetExhausted where there is none soon enough."""
        if self.away:
            raise BudgetExhausted("Redis is away, so no calls are made", wait_seconds=1.0, reason="redis_away")
        name = f"{system}:{kind}"
        limits = self.limits.get(name) or self.limits.get(system)
        wait = self._turn(name, limits, lane, patience_seconds) if limits is not None else 0.0
        self.turns[system] += 1
        task = current()
        if wait > 0 and task is not None:
            task.park(f"{system}.turn", self.clock.true + wait)

    def _turn(self, name: str, limits: Limits, lane: Lane, patience: float) -> float:
        now = self.clock.true
        self._refuse_until(self._paused.get(name, 0.0), now, "waiting")
        if limits.daily_requests:
            self._refuse_until(self._stopped.get(name, 0.0), now, "daily_quota")
            day = int(now // DAY)
            if self._days.get((name, day), 0) >= limits.daily_requests:
                self._refuse_until((day + 1) * DAY, now, "daily_quota")
            self._days[name, day] = self._days.get((name, day), 0) + 1
        rate, burst = pace(self._learned.get(name), limits.rate_per_second, limits.burst)
        if rate <= 0:
            return 0.0
        interval = 1.0 / rate
        tat = max(self._kept(name), now)
        wait = max(0.0, tat - interval * (burst - 1) - now)
        if wait > 0 and (lane == "background" or wait > patience):
            raise BudgetExhausted("no turn soon enough", wait_seconds=wait, reason="rate")
        self._keep(name, tat + interval, now)
        self._learn(name, after_call(self._learned.get(name), limits.rate_per_second))
        return wait

    def _learn(self, name: str, rate: float | None) -> None:
        if rate is None:
            self._learned.pop(name, None)
        else:
            self._learned[name] = rate

    def _kept(self, name: str) -> float:
        tat, expires = self._tat.get(name, (0.0, 0.0))
        return tat if expires > self.clock.true else 0.0

    def _keep(self, name: str, tat: float, now: float) -> None:
        """Redis forgets a key by its own clock, which nobody sets."""
        self._tat[name] = tat, self.clock.true + max(1.0, tat - now + 1.0)

    @staticmethod
    def _refuse_until(until: float, now: float, reason: str) -> None:
        if until > now:
            raise BudgetExhausted(f"not before {until:.0f}", wait_seconds=until - now, reason=reason)

    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        """Take over what the vendor says is left of the day."""
        if remaining is not None and remaining <= 0 and reset_seconds:
            self._stopped[f"{system}:{kind}"] = self.clock.true + reset_seconds

    def pause(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody calls this system for so long."""
        self._paused[f"{system}:{kind}"] = self.clock.true + seconds

    def refused(self, system: str, ago_seconds: float, kind: str = "") -> float | None:
        """A call was refused for its rate; calls that had left before the last refusal was counted, count with it."""
        name = f"{system}:{kind}"
        limits = self.limits.get(name) or self.limits.get(system)
        if limits is None or self.away:
            return None
        if self.clock.true - ago_seconds >= self._refused.get(name, 0.0):
            self._learn(name, after_refusal(self._learned.get(name), limits.rate_per_second))
            self._refused[name] = self.clock.true
        return self._learned[name]

    def rest(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody's next turn comes before so many seconds."""
        name = f"{system}:{kind}"
        limits = self.limits.get(name) or self.limits.get(system)
        if limits is not None and limits.rate_per_second > 0:
            rate, burst = pace(self._learned.get(name), limits.rate_per_second, limits.burst)
            now = self.clock.true
            self._keep(name, max(self._kept(name), now + seconds + (burst - 1) / rate), now)

    def forget(self) -> None:
        """Redis was emptied: the rates start as if their bursts had just been used, the pauses stand in rows."""
        now = self.clock.true
        self._tat.clear()
        for name, limits in self.limits.items():
            if limits.rate_per_second > 0:
                self._keep(f"{name}:", now + limits.burst / limits.rate_per_second, now)
        self._paused.clear()
        self._stopped.clear()
