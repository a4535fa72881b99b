"""Whether a system may be called now, and what an outcome means for the system as a whole."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from worker.store import systems
from worker.store.systems import SystemView

if TYPE_CHECKING:
    from datetime import datetime

    from worker.flows.outcome import Outcome
    from worker.runtime import Runtime

Way = Literal["free", "probe", "held"]

VIEW_SECONDS = 0.25
SHORT_PAUSE_SECONDS = 2.0
LONGEST_BLOCK_PROBE_SECONDS = 3_600.0
"""Robaws counts refused calls and blocks whoever makes many (Robaws sheet 4, trap 3), so a block is hardly probed."""


class Gate:
    """
    The systems' states as this process knows them, a quarter of a second old at most.

    So the way of a delivery costs no read of its own; a pause or a breaker that another process set is seen in time.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._lock = threading.Lock()
        self._views: dict[str, tuple[float, SystemView]] = {}

    def view(self, system: str, *, fresh: bool = False) -> SystemView:
        """The system's state."""
        now = self.runtime.now().timestamp()
        with self._lock:
            known = self._views.get(system)
        if not fresh and known is not None and 0 <= now - known[0] < VIEW_SECONDS:
            return known[1]
        with self.runtime.autocommit.connect() as connection:
            found = systems.view(connection, system)
        with self._lock:
            self._views[system] = (now, found)
        return found

    def forget(self, system: str) -> None:
        """Look anew next time."""
        with self._lock:
            self._views.pop(system, None)

    def way(self, system: str) -> Way:
        """
        How one delivery finds the system. One that is held back lets one caller through at each `probe`.
        """
        now = self.runtime.now()
        view = self.view(system)
        until = view.blocked_until(now)
        if until is None:
            return "free"
        held_by_probe = view.paused_by == "credentials" or (view.paused_by is None and view.breaker != "closed")
        throttled = view.throttled_until is not None and view.throttled_until > now
        if not held_by_probe or throttled or until > now:
            return "held"
        self.forget(system)
        again = float(self.runtime.settings.breaker.probe_seconds)
        with self.runtime.statement("gate.probe") as connection:
            return "probe" if systems.take_probe(connection, system, now, again) else "held"

    def succeeded(self, system: str) -> None:
        """The vendor did what was asked; written down only where something held it back before."""
        view = self.view(system)
        if view.failures or view.breaker != "closed" or view.paused_by == "credentials":
            with self.runtime.statement("gate.succeeded") as connection:
                systems.succeeded(connection, system, self.runtime.now())
            self.forget(system)

    def learn(self, system: str, outcome: Outcome, now: datetime) -> None:
        """Write down what an outcome says of the system as a whole."""
        if outcome.effect == "none":
            return
        if outcome.effect == "answered":
            self.succeeded(system)
            return
        settings = self.runtime.settings.breaker
        probe = float(settings.probe_seconds)
        with self.runtime.transaction("gate.learn") as connection:
            if outcome.effect == "failure":
                limit = int(settings.failures)
                systems.failed(connection, system, outcome.reason, now, limit=limit, probe_seconds=probe)
            elif outcome.effect == "refuse":
                longest = LONGEST_BLOCK_PROBE_SECONDS if outcome.reason == "temp_blocked" else 0.0
                systems.refuse(connection, system, outcome.reason, outcome.message, now, probe, longest)
            elif outcome.effect == "throttle" and outcome.system_until is not None:
                systems.throttle(connection, system, outcome.system_until, outcome.reason, now)
            elif outcome.effect == "creates" and outcome.system_until is not None:
                systems.pause_creates(connection, system, outcome.system_until, outcome.message, now)
        if outcome.effect == "throttle" and outcome.system_until is not None:
            # The row holds the whole wait, and a person may lift it; Redis holds those who have not seen the row yet.
            wait = max(timedelta(0), outcome.system_until - now).total_seconds()
            self.runtime.budget.pause(system, min(wait, SHORT_PAUSE_SECONDS))
        self.forget(system)
