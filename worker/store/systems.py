"""The state of each vendor: breaker, pauses, waits that it asked for; shared by all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, text


@dataclass(frozen=True)
class SystemView:
    """One vendor as the worker sees it now."""

    system: str
    breaker: str = "closed"
    failures: int = 0
    probe_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None
    throttled_until: datetime | None = None
    creates_paused_until: datetime | None = None

    def blocked_until(self, now: datetime) -> datetime | None:
        """
        When this vendor may be called again: None for now, `datetime.max` for not before a person acts.

        An open breaker and refused credentials end with a probe, which one worker makes (`take_probe`).
        """
        waits = [self.throttled_until] if self.throttled_until and self.throttled_until > now else []
        if self.paused_by == "operator":
            return datetime.max.replace(tzinfo=now.tzinfo)
        if self.paused_by or self.breaker != "closed":
            waits.append(self.probe_at or datetime.max.replace(tzinfo=now.tzinfo))
        return max(waits) if waits else None

    def creates_allowed(self, now: datetime) -> bool:
        """Whether records may be made there (False: the subscription is full)."""
        return self.creates_paused_until is None or self.creates_paused_until <= now


_COLUMNS = "system, breaker, failures, probe_at, paused_by, paused_reason, throttled_until, creates_paused_until"


def ensure(connection: Connection, systems: Sequence[str]) -> None:
    """A row for each system."""
    statement = text("INSERT INTO system_state (system) SELECT unnest(CAST(:s AS text[])) ON CONFLICT DO NOTHING")
    connection.execute(statement, {"s": sorted(systems)})


def view(connection: Connection, system: str) -> SystemView:
    """One vendor's state; the default where it has no row."""
    statement = text(f"SELECT {_COLUMNS} FROM system_state WHERE system = :system")
    row = connection.execute(statement, {"system": system}).one_or_none()
    return SystemView(**row._mapping) if row else SystemView(system)


def _update(connection: Connection, system: str, assignments: str, values: dict[str, Any], guard: str = "") -> bool:
    statement = text(f"UPDATE system_state SET {assignments}, changed_at = :now WHERE system = :system {guard}")
    return connection.execute(statement, {"system": system, **values}).rowcount == 1


def failed(
    connection: Connection, system: str, reason: str, now: datetime, *, limit: int, probe_seconds: float
) -> bool:
    """Count a failure of the vendor itself; opens the breaker at the limit. Returns whether it is open now."""
    assignments = """
        failures = failures + 1, reason = :reason,
        breaker = CASE WHEN failures + 1 >= :limit OR breaker <> 'closed' THEN 'open' ELSE 'closed' END,
        probe_at = CASE WHEN failures + 1 >= :limit OR breaker <> 'closed' THEN CAST(:probe_at AS timestamptz) END
    """
    values = {"reason": reason, "limit": limit, "now": now, "probe_at": now + timedelta(seconds=probe_seconds)}
    _update(connection, system, assignments, values)
    return view(connection, system).breaker == "open"


def succeeded(connection: Connection, system: str, now: datetime) -> None:
    """The vendor answered as it should: the breaker closes, a pause for refused credentials ends."""
    assignments = """
        failures = 0, breaker = 'closed', probe_at = NULL, reason = NULL,
        paused_by = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_by END,
        paused_reason = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_reason END,
        paused_at = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_at END
    """
    _update(connection, system, assignments, {"now": now})


def take_probe(connection: Connection, system: str, now: datetime, again_seconds: float) -> bool:
    """Win the right to try a vendor that is held back; True for exactly one caller each time it is due."""
    return _update(
        connection,
        system,
        "breaker = CASE WHEN breaker = 'open' THEN 'probing' ELSE breaker END, probe_at = :again",
        {"now": now, "again": now + timedelta(seconds=again_seconds)},
        "AND probe_at <= :now AND (breaker <> 'closed' OR paused_by = 'credentials')",
    )


def refuse(
    connection: Connection,
    system: str,
    reason: str,
    message: str,
    now: datetime,
    probe_seconds: float,
    longest_seconds: float = 0.0,
) -> None:
    """
    The vendor refuses our credentials: pause the system, to be probed now and then.

    With `longest_seconds` the probes grow apart: the next one waits as long as the pause has lasted, so long at most.
    """
    _update(
        connection,
        system,
        "paused_by = COALESCE(paused_by, 'credentials'), paused_reason = CASE WHEN paused_by = 'operator' "
        "THEN paused_reason ELSE :message END, paused_at = COALESCE(paused_at, :now), reason = :reason, "
        "probe_at = CAST(:now AS timestamptz) + GREATEST(CAST(:probe AS interval), "
        "LEAST(CAST(:now AS timestamptz) - COALESCE(paused_at, :now), CAST(:longest AS interval)))",
        {
            "reason": reason,
            "message": message,
            "now": now,
            "probe": timedelta(seconds=probe_seconds),
            "longest": timedelta(seconds=longest_seconds),
        },
    )


def throttle(connection: Connection, system: str, until: datetime, reason: str, now: datetime) -> None:
    """The vendor asks the whole system to wait until then."""
    _update(
        connection,
        system,
        "throttled_until = GREATEST(COALESCE(throttled_until, :until), :until), reason = :reason",
        {"until": until, "reason": reason, "now": now},
    )


def pause_creates(connection: Connection, system: str, until: datetime, reason: str, now: datetime) -> None:
    """The subscription holds no more records: no creates until then, updates go on."""
    _update(
        connection,
        system,
        "creates_paused_until = :until, creates_reason = :reason",
        {"until": until, "reason": reason, "now": now},
    )


def pause(connection: Connection, system: str, by: str, reason: str, now: datetime) -> bool:
    """A person holds the system. False where there is no such system."""
    return _update(
        connection,
        system,
        "paused_by = 'operator', paused_reason = :reason, paused_at = :now, learned = learned || "
        "jsonb_build_object('paused_by_name', CAST(:by AS text))",
        {"reason": reason, "by": by, "now": now},
    )


def resume(connection: Connection, system: str, now: datetime) -> bool:
    """Everything that holds the system back is lifted: pause, breaker, waits. False where there is no such system."""
    return _update(
        connection,
        system,
        "paused_by = NULL, paused_reason = NULL, paused_at = NULL, breaker = 'closed', failures = 0, probe_at = NULL, "
        "throttled_until = NULL, creates_paused_until = NULL, creates_reason = NULL, reason = NULL",
        {"now": now},
    )


def learn(connection: Connection, system: str, learned: dict[str, Any], now: datetime) -> None:
    """Keep figures (calls today, quota left) where the summary finds them without Redis."""
    _update(
        connection,
        system,
        "learned = learned || CAST(:learned AS jsonb)",
        {"learned": orjson.dumps(learned).decode(), "now": now},
    )
