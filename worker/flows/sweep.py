"""
Announce again what is due, and keep house: the one loop that makes every lost message harmless.

Only so much is announced as the workers can take; the rest stays in its rows and is found at the next sweep, so a
backlog of a day costs the same as one of a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import DBAPIError

from worker.runtime import SOURCE, slots
from worker.store import (
    arrivals,
    clock,
    contacts,
    create_locks,
    inbox,
    links,
    partitions,
    served,
    summary,
    systems,
)
from worker.store.budget import RedisBudget

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from worker.runtime import Runtime

log = structlog.get_logger()

HOUSEKEEPING_SECONDS = 10.0
PARTITION_SECONDS = 3_600.0
PARTITION_RETRY_SECONDS = 60.0
DROP_SECONDS = 86_400.0
NEVER = float("-inf")


@dataclass
class Sweeper:
    """The scheduler's state between two sweeps; `sweep` is called by the leader only."""

    runtime: Runtime
    _housekept: float = NEVER
    _partitioned: float = NEVER
    _dropped: float = NEVER
    _take_in_at: float = NEVER
    _taken_in: bool = False
    _caught_up: bool = False

    @property
    def served(self) -> tuple[str, ...]:
        """The systems that links are delivered to, by the settings."""
        return (*self.runtime.targets, *((SOURCE,) if self.runtime.settings.systems.robaws.write_back else ()))

    def sweep(self) -> dict[str, int]:
        """Announce what is due; returns how many nudges went out, by lane."""
        runtime, now = self.runtime, self.runtime.now()
        announced: dict[str, int] = {}
        runtime.hook("sweep.before_read")
        with runtime.engine.connect() as connection:
            new = inbox.has_new(connection)
            due = contacts.due_fetches(connection, now, slots(runtime.settings, SOURCE))
            views = {name: systems.view(connection, name) for name in (*runtime.targets, SOURCE)}
            by_system = {
                name: links.due_links(connection, name, now, slots(runtime.settings, name) if name != SOURCE else 1)
                for name in self.served
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
                served.note(connection, self.served, now)
                if self._caught_up:
                    served.forget(connection, self.served)
                self._keep_usage(connection, now)
                served.leave_out(connection, self.served)
                if elapsed >= self._take_in_at and not self._caught_up:
                    self._take_in(connection, now)
                create_locks.forget(connection, now)
                inbox.fold_tally(connection)
                summary.fold_rows(connection)
        if elapsed - self._partitioned >= PARTITION_SECONDS:
            again = PARTITION_SECONDS if self._keep_partitions(now) else PARTITION_RETRY_SECONDS
            self._partitioned = elapsed - PARTITION_SECONDS + again

    def _take_in(self, connection: Connection, now: datetime) -> None:
        """Settings change with a start only, so that this has an end: nothing is left, and a while later still."""
        if served.take_in(connection, self.served, now):
            return
        self._caught_up, self._taken_in = self._taken_in, True
        self._take_in_at = self.runtime.elapsed() + served.LATE_SECONDS

    def _keep_partitions(self, now: datetime) -> bool:
        """
        Make the coming months and drop the old ones, each in a transaction of its own.

        False where somebody held a table for longer than a webhook can wait: it is tried again soon, and nothing else
        depends on it, as a month is made long before it begins.
        """
        retention = self.runtime.settings.retention
        days = {"inbox_event": retention.events_days, "attempt": retention.attempts_days}
        with self.runtime.owner_engine.connect() as connection:
            missing = partitions.missing(connection, now)
            expired = partitions.expired(connection, now, days)
            stuck = [month for month in expired if partitions.holds_open_events(connection, month)]
        for month in stuck:
            log.warning("sweep.month_kept", month=month.name, reason="it holds events that are not worked off yet")
        steps: list[Callable[[Connection], object]] = [self._notice_dropped_by_hand]
        steps += [partial(self._make, month=month) for month in missing]
        if self.runtime.elapsed() - self._dropped >= DROP_SECONDS:
            # The oldest of each table: a clock that is far ahead costs a month at most, and not the whole history.
            oldest = {month.table: month for month in reversed(expired) if month not in stuck}
            steps += [partial(self._drop, month=month) for month in oldest.values()]
        steps += [partial(self._prune, table=table, before=now - timedelta(days=kept)) for table, kept in days.items()]
        before = now - timedelta(days=retention.events_days)
        steps += [partial(inbox.prune_rejects, before=before), partial(arrivals.prune, before=before)]
        postponed = [step for step in steps if not self._partition_step(step)]
        return not postponed

    def _partition_step(self, step: Callable[[Connection], object]) -> bool:
        try:
            with self.runtime.transaction("sweep.partitions", as_owner=True) as connection:
                partitions.wait_briefly(connection)
                step(connection)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            next_step = "it is tried again in a minute; a backup or a long query holds the table"
            log.warning("sweep.partition_postponed", error=type(error.orig).__name__, next_step=next_step)
            return False
        return True

    @staticmethod
    def _make(connection: Connection, month: partitions.Month) -> None:
        if partitions.make(connection, month):
            log.info("sweep.month_made", month=month.name)
        else:
            log.warning("sweep.month_not_made", month=month.name, reason="many rows of it lie in the default partition")

    def _drop(self, connection: Connection, month: partitions.Month) -> None:
        ended = partitions.drop(connection, month)
        self._dropped = self.runtime.elapsed()
        log.info("sweep.month_dropped", month=month.name, events_that_were_dead=ended)

    @staticmethod
    def _prune(connection: Connection, table: str, before: datetime) -> None:
        deleted = partitions.prune_default(connection, table, before)
        if deleted:
            log.info("sweep.default_pruned", table=table, rows=deleted)

    @staticmethod
    def _notice_dropped_by_hand(connection: Connection) -> None:
        gone, ended = partitions.notice_dropped_by_hand(connection)
        if gone:
            log.warning("sweep.month_dropped_by_hand", months=gone, events_counted_as_skipped=ended)

    def _keep_usage(self, connection: object, now: datetime) -> None:
        budget = self.runtime.budget
        if not isinstance(budget, RedisBudget):
            return
        for name in sorted(self.runtime.settings.enabled_systems()):
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
