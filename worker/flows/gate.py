"""Whether a system may be called now, and what an outcome means for the system as a whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import SQLAlchemyError

from worker.errors import CredentialsRejected, CredentialsReplaced, RateLimited
from worker.runtime import SOURCE
from worker.store import easing, systems
from worker.store.systems import Recovery, SystemView

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.core.wire import Exchange
    from worker.errors import SyncError
    from worker.flows.outcome import Outcome
    from worker.runtime import Runtime
    from worker.vendors.transport import Session

Way = Literal["free", "probe", "entry", "held"]

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
        self._entered: dict[tuple[str, int], datetime] = {}
        self._resumed: dict[str, float | None] = {}

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
        How one delivery finds the system. One that is held back lets one caller through at each `probe`; one that
        refused calls for their rate lets one at a time through (`entry`, ended by `leave`) until one succeeds.
        """
        now = self.runtime.now()
        view = self.view(system)
        self._renew_if_resumed(view)
        until = view.blocked_until(now)
        if until is None:
            return "free" if view.recovery is None else self._enter(system, view.recovery, now)
        held_by_probe = view.paused_by == "credentials" or (view.paused_by is None and view.breaker != "closed")
        throttled = view.throttled_until is not None and view.throttled_until > now
        if not held_by_probe or throttled or until > now:
            return "held"
        self.forget(system)
        again = float(self.runtime.settings.breaker.probe_seconds)
        with self.runtime.statement("gate.probe") as connection:
            won = systems.take_probe(connection, system, now, again)
        if won and view.paused_by == "credentials":
            self.runtime.renew(system)
        return "probe" if won else "held"

    def _renew_if_resumed(self, view: SystemView) -> None:
        """A person, or a probe of whichever process, ended a pause: our credentials may be those from before it."""
        if self._resumed.setdefault(view.system, view.resumed_at) != view.resumed_at:
            self._resumed[view.system] = view.resumed_at
            self.runtime.renew(view.system)

    def hear_of_resumes(self) -> None:
        """Read credentials again where a system was let go on, also while nothing is due there."""
        try:
            for system in (*self.runtime.targets, SOURCE):
                self._renew_if_resumed(self.view(system))
        except SQLAlchemyError:
            return  # a database that is away is heard of where it is needed

    def excused(self, error: SyncError, session: Session) -> SyncError:
        """
        The error that a refusal of credentials means: none of the system's, where they were replaced since the call
        left. It must not pause the system again, and other workers may have seen the new ones before us.
        """
        if not isinstance(error, CredentialsRejected) or not self.runtime.has_newer(session):
            return error
        return CredentialsReplaced("the credentials were replaced meanwhile; it goes out again under the new ones")

    def _enter(self, system: str, recovery: Recovery, now: datetime) -> Way:
        if recovery.entered_until is not None and recovery.entered_until > now:
            return "held"
        until = now + timedelta(seconds=float(self.runtime.settings.worker.lease_seconds))
        with self.runtime.statement("gate.enter") as connection:
            entered = systems.enter(connection, system, now, until)
        self.forget(system)
        if not entered:
            return "held"
        self._entered[system, threading.get_ident()] = until
        return "entry"

    def leave(self, system: str, *, succeeded: bool = False) -> None:
        """This thread's delivery is done: let the next one try, or everybody where it succeeded."""
        entered = self._entered.pop((system, threading.get_ident()), None)
        if entered is None:
            return
        with self.runtime.statement("gate.leave") as connection:
            systems.leave(connection, system, entered, self.runtime.now(), succeeded=succeeded)
        self.forget(system)

    def slow_down(self, system: str, outcome: Outcome, exchanges: Sequence[Exchange]) -> Outcome:
        """Where a call was refused for its rate: call more slowly from now on, and say so in the row."""
        if outcome.effect != "throttle" or outcome.reason != RateLimited.reason:
            return outcome
        ago = exchanges[-1].duration_seconds if exchanges else 0.0
        rate = self.runtime.budget.refused(system, ago)
        refusals = (recovery.refusals if (recovery := self.view(system, fresh=True).recovery) else 0) + 1
        text = f"{system} refuses calls for their rate ({refusals} since the last success)"
        text += f"; it is called {rate:.2g} times a second for now" if rate is not None else ""
        return replace(outcome, message=f"{text}: {outcome.message}", rate=rate)

    def succeeded(self, system: str) -> None:
        """
        The vendor did what was asked; written down only where something held it back before. What waited for it
        meanwhile is due then.
        """
        self.leave(system, succeeded=True)
        view = self.view(system)
        was_away = view.breaker != "closed" or view.paused_by == "credentials"
        if view.failures or was_away:
            now = self.runtime.now()
            with self.runtime.transaction("gate.succeeded") as connection:
                systems.succeeded(connection, system, now)
                if was_away:
                    easing.ease(connection, system, now)
            self.forget(system)

    def learn(self, system: str, outcome: Outcome, now: datetime, link: int | None = None) -> None:
        """Write down what an outcome says of the system as a whole; `link` is the one that was put off."""
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
                systems.failed(
                    connection,
                    system,
                    outcome.reason,
                    now,
                    limit=limit,
                    probe_seconds=probe,
                    message=outcome.message,
                    fingerprint=outcome.fingerprint or None,
                )
            elif outcome.effect == "refuse":
                longest = LONGEST_BLOCK_PROBE_SECONDS if outcome.reason == "temp_blocked" else 0.0
                systems.refuse(connection, system, outcome.reason, outcome.message, now, probe, longest)
            elif outcome.effect == "throttle" and outcome.system_until is not None:
                systems.throttle(connection, system, outcome.system_until, outcome.reason, now)
                if outcome.reason == RateLimited.reason:
                    systems.refused_for_rate(connection, system, now, rate=outcome.rate, link=link)
            elif outcome.effect == "creates" and outcome.system_until is not None:
                systems.pause_creates(connection, system, outcome.system_until, outcome.message, now)
        if outcome.effect == "throttle" and outcome.system_until is not None:
            # The row holds the whole wait, and a person may lift it; Redis holds those who have not seen the row yet.
            wait = max(timedelta(0), outcome.system_until - now).total_seconds()
            self.runtime.budget.pause(system, min(wait, SHORT_PAUSE_SECONDS))
        self.forget(system)
