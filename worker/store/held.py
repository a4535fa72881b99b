"""
Systems that are held back now, and the work behind them: its rows are due, and wait all the same.

A pause, a breaker, a wait that the vendor asked for or a full subscription is one row of `system_state`, not a change
of fifty thousand links. So the retry queue takes these links from here; they count as waiting, for the reason for
which the system is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.store.systems import SystemView, view_of

SOURCE: Final = "robaws"
RATE_LIMITED: Final = "rate_limited"

_READ: Final = text(
    """
    SELECT system, breaker, failures, probe_at, paused_by, paused_reason, paused_at, throttled_until,
        creates_paused_until, learned, reason, creates_reason
    FROM system_state ORDER BY system
    """
)


@dataclass(frozen=True)
class Held:
    """
    One system that is held back: why, as one stable word and as a sentence, and until when (None: a person ends it).

    `creates_only`: changes go out, and what has no record there waits. `since` is when it began, where that is known;
    `by` is the person who paused it.
    """

    system: str
    reason: str
    message: str
    until: datetime | None
    creates_only: bool = False
    since: datetime | None = None
    by: str | None = None
    fingerprint: str | None = None
    """Of the failure for which it is held, so that what waits behind it is of one cause with what failed."""

    def links(self, place: int) -> str:
        """The condition on a row of `link`, aliased `l`; its values are named by `values(place)`."""
        made = " AND l.external_id IS NULL" if self.creates_only else ""
        return f"l.system = :held_{place} AND l.state = 'due'{made}"

    def values(self, place: int) -> dict[str, Any]:
        """The values that a statement about it needs."""
        return {
            f"held_{place}": self.system,
            f"held_reason_{place}": self.reason,
            f"held_message_{place}": self.message,
            f"held_until_{place}": self.until,
        }


def held(connection: Connection, now: datetime) -> list[Held]:
    """Every system that is held back, by name."""
    return of_rows(connection.execute(_READ).all(), now)


def of_rows(rows: Iterable[Any], now: datetime) -> list[Held]:
    """The same from rows of `system_state`."""
    found = []
    for row in rows:
        view, reason, creates_reason = view_of(row), row.reason, row.creates_reason
        until = view.blocked_until(now)
        if until is not None:
            found.append(_held(view, until, reason, row.paused_at))
        elif view.recovery is not None:
            message = view.recovery.sentence(view.rate)
            found.append(Held(view.system, RATE_LIMITED, message, None, since=view.recovery.since))
        elif not view.creates_allowed(now):
            message = creates_reason or "it takes no more records"
            found.append(Held(view.system, "quota_reached", message, view.creates_paused_until, creates_only=True))
    return found


def _held(view: SystemView, until: datetime, reason: str | None, paused_at: datetime | None) -> Held:
    if view.paused_by == "operator":
        message = view.paused_reason or "paused by an operator"
        return Held(view.system, "paused", message, None, since=paused_at, by=view.paused_by_name)
    if view.paused_by:
        message = view.paused_reason or "it refuses our credentials"
        return Held(view.system, reason or "credentials", message, until, since=paused_at)
    if view.breaker != "closed":
        message, word = f"it failed {view.failures} times in a row", reason or "unavailable"
        if (failure := view.failure) is None:
            return Held(view.system, word, message, until)
        said = failure.message or message
        return Held(view.system, word, said, until, since=failure.since, fingerprint=failure.fingerprint)
    if reason == "daily_quota":
        return Held(view.system, reason, "the day's quota of calls is used up", until)
    if view.recovery is not None and reason == RATE_LIMITED:
        return Held(view.system, reason, view.recovery.sentence(view.rate), until, since=view.recovery.since)
    asked = f"{view.system} asked to wait until {until:%H:%M:%S} UTC"
    return Held(view.system, reason or RATE_LIMITED, asked, until)


def of(systems: Sequence[Held], name: str) -> Held | None:
    """This one, if it is held."""
    return next((one for one in systems if one.system == name), None)


def names_of(systems: Sequence[Held]) -> list[str]:
    """Those that nothing is sent to: what waits there for a time of its own waits for its system as well."""
    return [one.system for one in systems if not one.creates_only]


def behind(systems: Sequence[Held], system: str, state: str, external_id: str | None) -> Held | None:
    """
    The system behind which a link, or for the source a fetch, waits although its row is due; None where it does not.

    The one rule for what people see: whatever shows the state of a link asks here, or `Held.links` in a statement.
    """
    one = of(systems, system)
    if one is None or state != "due" or (one.creates_only and external_id is not None):
        return None
    return one


def waits(connection: Connection, one: Held) -> int:
    """How many links, and for the source fetches, wait behind it."""
    statement = f"SELECT count(*) FROM link AS l WHERE {one.links(0)}"
    if one.system == SOURCE:
        statement = f"SELECT ({statement}) + (SELECT count(*) FROM contact WHERE fetch_state = 'due')"
    return int(connection.execute(text(statement), {"held_0": one.system}).scalar_one())


def any_external_id(connection: Connection, system: str) -> str | None:
    """The id of some record that a link to this system has; None where there is none yet."""
    statement = text("SELECT external_id FROM link WHERE system = :system AND external_id IS NOT NULL LIMIT 1")
    found: str | None = connection.execute(statement, {"system": system}).scalar()
    return found
