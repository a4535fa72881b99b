"""Limits of the simulated Robaws: calls a second, calls a day for each database mode (Robaws sheet 4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from worker.vendors.robaws.simulator_rules import Refusal, Switches

Mode = Literal["live", "replica"]
DAY_SECONDS = 86_400


@dataclass
class Limits:
    """A token bucket that all calls share and a count a day for each mode, which starts anew at midnight UTC."""

    switches: Switches
    _tokens: float | None = None
    _refilled_at: float = 0.0
    _day: int = -1
    _spent: dict[Mode, int] = field(default_factory=dict)
    _throttled_at: deque[float] = field(default_factory=deque)

    def take(self, mode: Mode, now: float) -> None:
        """Count one call, or refuse it with 429; a refused call costs nothing of the day (assumed)."""
        self._refill(now)
        limit = self.switches.daily_requests
        if limit is not None and self._spent.get(mode, 0) >= limit:
            raise self.refusal(mode, now)
        if self._tokens is not None:
            if self._tokens < 1:
                raise self.refusal(mode, now)
            self._tokens -= 1
        self._spent[mode] = self._spent.get(mode, 0) + 1

    def refusal(self, mode: Mode, now: float, retry_after: float | None = None) -> Refusal:
        """A 429 with the headers of both limits; which one was hit shows in the daily remainder only."""
        self._throttled_at.append(now)
        wait = retry_after if retry_after is not None else self.switches.retry_after_seconds
        headers = dict(self.headers(mode, now))
        headers["X-RateLimit-Remaining"] = "0"
        if wait is not None:
            headers["Retry-After"] = f"{wait:g}"
        return Refusal(429, "Rate limit exceeded", headers)

    def throttles(self, now: float) -> int:
        """How many 429s there were in the time that the vendor looks back before it blocks."""
        while self._throttled_at and self._throttled_at[0] <= now - self.switches.block_window_seconds:
            self._throttled_at.popleft()
        return len(self._throttled_at)

    def forget_throttles(self) -> None:
        """Count them from here on."""
        self._throttled_at.clear()

    def headers(self, mode: Mode, now: float) -> Mapping[str, str]:
        """What every answer tells of the limits."""
        self._refill(now)
        told: dict[str, str] = {}
        if self._tokens is not None:
            told["X-RateLimit-Remaining"] = str(int(self._tokens))
        limit = self.switches.daily_requests
        if limit is not None:
            told["X-RateLimit-Daily-Limit"] = str(limit)
            told["X-RateLimit-Daily-Remaining"] = str(max(0, limit - self._spent.get(mode, 0)))
            told["X-RateLimit-Daily-Reset"] = str(DAY_SECONDS - int(now) % DAY_SECONDS)
        return told

    def spend_day(self, mode: Mode, now: float) -> None:
        """As if other integrations of the tenant had used up the day: they eat from the same quota."""
        self._refill(now)
        self._spent[mode] = self.switches.daily_requests or 0

    def _refill(self, now: float) -> None:
        day = int(now) // DAY_SECONDS
        if day != self._day:
            self._day = day
            self._spent.clear()
        rate, burst = self.switches.rate_per_second, self.switches.burst
        if rate is None:
            self._tokens = None
        elif self._tokens is None:
            self._tokens = float(burst)
        else:
            self._tokens = min(float(burst), self._tokens + max(0.0, now - self._refilled_at) * rate)
        self._refilled_at = now
