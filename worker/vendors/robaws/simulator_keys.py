"""Idempotency keys of the simulated Robaws (Robaws sheet 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.vendors.robaws.simulator_rules import Refusal, Switches

if TYPE_CHECKING:
    from worker.vendors.simulation import SimRequest, SimResponse

MAX_KEY_LENGTH = 128


@dataclass
class Keys:
    """
    Answers by key, and the keys whose first request is still being worked on.

    Whether a key is bound to path and body is not known; here it is not, so a key that is used for a second
    intention gets the first one's answer and the second one is lost. That is the harder case for a client.
    """

    switches: Switches
    _answers: dict[str, tuple[float, SimResponse]] = field(default_factory=dict)
    _busy_until: dict[str, float] = field(default_factory=dict)

    def key_of(self, request: SimRequest) -> str | None:
        """The request's key, under any of the header's names that this Robaws knows; none on GET and DELETE."""
        key = self._given(request)
        if key is not None and len(key) > MAX_KEY_LENGTH:
            raise Refusal(400, f"idempotency key: at most {MAX_KEY_LENGTH} characters")
        return key

    def run(self, key: str | None, now: float, work: Callable[[], SimResponse]) -> SimResponse:
        """
        Do the work once for each key: a repeat gets the original answer.

        Only a success is remembered: work that is refused raises, and leaves the key free.
        """
        if key is None:
            return work()
        if self.switches.idempotency_conflicts and now < self._busy_until.get(key, now):
            raise Refusal(409, "A request with this idempotency key is being processed")
        at, answer = self._answers.get(key, (0.0, None))
        if answer is not None and now - at <= self.switches.idempotency_lifetime_seconds:
            return answer
        fresh = work()
        self._answers[key] = (now, fresh)
        if self.switches.idempotency_busy_seconds:
            self._busy_until[key] = now + self.switches.idempotency_busy_seconds
        return fresh

    def hold(self, request: SimRequest, until: float) -> None:
        """The answer to this request leaves only then; its key, if it has one, is in flight so long."""
        key = self._given(request)
        if key is not None:
            self._busy_until[key] = until

    def _given(self, request: SimRequest) -> str | None:
        if request.method not in {"POST", "PUT", "PATCH"}:
            return None
        names = self.switches.idempotency_headers
        return next((request.headers[name] for name in names if request.headers.get(name)), None)
