"""
Announce again what is due, and keep house: the one loop that makes every lost message harmless.

Only so much is announced as the workers can take; the rest stays in its rows and is found at the next sweep, so a
backlog of a day costs the same as one of a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from worker.runtime import SOURCE, slots
from worker.store import clock, contacts, create_locks, inbox, links, migrations, summary, systems
from worker.store.budget import RedisBudget

if TYPE_CHECKING:
    from datetime import datetime

    from worker.runtime import Runtime

log = structlog.get_logger()

HOUSEKEEPING_SECONDS = 10.0
PARTITION_SECONDS = 3_600.0
NEVER = float("-inf")


@dataclass
class Sweeper:
    """The scheduler's state between two sweeps; `sweep` is called by the leader only."""

    runtime: Runtime
    _housekept: float = NEVER
    _partitioned: float = NEVER

    def sweep(self) -> dict[str, int]:
        """Announce what is due; returns how many nudges went out, by lane."""
        runtime, now = self.runtime, self.runtime.now()
        announced: dict[str, int] = {}
        runtime.hook("sweep.before_read")
        with runtime.engine.connect() as connection:
            new = inbox.has_new(connection)
            due = contacts.due_fetches(connection, now, slots(runtime.settings, SOURCE))
            written_to = (*runtime.targets, *((SOURCE,) if runtime.settings.systems.robaws.write_back else ()))
            views = {name: systems.view(connection, name) for name in (*runtime.targets, SOURCE)}
            by_system = {
                name: links.due_links(connection, name, now, slots(runtime.settings, name) if name != SOURCE else 1)
                for name in written_to
                if self._may_call(views[name], now)
            }
        # A system that may be tried, and to which nothing is due: whoever hears of it makes one call (`probing`).
        idle = {name for name, view in views.items() if self._wants_probe(view, now) and not by_system.get(name)}
        by_system |= {name: [0] for name in idle - {SOURCE}}
        new = new or (SOURCE in idle and not due)
        runtime.hook("sweep.before_announce")
        publisher = runtime.publisher
        if (new or due) and not publisher.crowded("fetch"):
            if new:
                publisher.intake()
            for contact_id in due:
                publisher.fetch(contact_id)
            announced["fetch"] = len(due) + int(new)
        for system, ids in by_system.items():
            if ids and not publisher.crowded(system):
                for link_id in ids:
                    publisher.deliver(system, link_id)
                announced[system] = len(ids)
        self._keep_house(now)
        return announced

    @staticmethod
    def _may_call(view: systems.SystemView, now: datetime) -> bool:
        until = view.blocked_until(now)
        return until is None or until <= now

    @staticmethod
    def _wants_probe(view: systems.SystemView, now: datetime) -> bool:
        until = view.blocked_until(now)
        return until is not None and until <= now

    def _keep_house(self, now: datetime) -> None:
        elapsed = self.runtime.elapsed()
        if elapsed - self._housekept >= HOUSEKEEPING_SECONDS:
            self._housekept = elapsed
            with self.runtime.transaction("sweep.clock") as connection:
                lease = float(self.runtime.settings.worker.lease_seconds)
                back = clock.notice_set_back(connection, now, lease)
            if back:
                next_step = "what waits was moved back by as much: nothing is to be done"
                log.warning("sweep.clock_set_back", seconds=round(back), next_step=next_step)
            with self.runtime.transaction("sweep.fold") as connection:
                inbox.fold_tally(connection)
                summary.fold_rows(connection)
                create_locks.forget(connection, now)
                self._keep_usage(connection, now)
        if elapsed - self._partitioned >= PARTITION_SECONDS:
            self._partitioned = elapsed
            with self.runtime.transaction("sweep.partitions") as connection:
                made = migrations.ensure_partitions(connection, now)
            if made:
                log.info("sweep.partitions", made=made)

    def _keep_usage(self, connection: object, now: datetime) -> None:
        budget = self.runtime.budget
        if not isinstance(budget, RedisBudget):
            return
        for name in self.runtime.settings.enabled_systems():
            calls, left = budget.usage(name)
            if calls is not None:
                figures: dict[str, Any] = {
                    "day": now.strftime("%Y-%m-%d"),
                    "calls_today": calls,
                    "quota_remaining": left,
                }
                known, rate = budget.learned(name)
                if known:
                    figures["rate_per_second"] = rate
                systems.learn(connection, name, figures, now)  # type: ignore[arg-type]
