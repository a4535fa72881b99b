"""The state of each vendor: breaker, pauses, waits that it asked for; shared by all processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text


@dataclass(frozen=True)
class Recovery:
    """
    A vendor refused calls for their rate (429) and no delivery has succeeded since: one at a time may try.

    `refusals` since `since`; `entered_until` is when the one that tries now counts as lost; `link` was refused last,
    and goes on first.
    """

    since: datetime
    refusals: int
    entered_until: datetime | None = None
    link: int | None = None

    def sentence(self, rate: float | None) -> str:
        """What people are told of it; `rate` is the learned one, in calls a second."""
        often = "a call" if self.refusals == 1 else f"{self.refusals} calls"
        paced = f", at {rate:.2g} calls a second" if rate is not None else ""
        return f"it refused {often} since {self.since:%H:%M:%S} UTC; one client at a time is tried{paced}"


@dataclass(frozen=True)
class Failure:
    """The vendor has failed since `since` without a success between; `message` is what it said last, and why."""

    since: datetime
    message: str | None
    fingerprint: str | None


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
    recovery: Recovery | None = None
    rate: float | None = None
    """The calls a second that were learned from refusals; None where the configured rate holds."""
    paused_by_name: str | None = None
    """Who paused it, where a person did."""
    resumed_at: float | None = None
    """When it was let go on last, in Unix seconds; who made their clients before that reads the credentials again."""
    failure: Failure | None = None

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
    statement = text(f"SELECT {_COLUMNS}, learned FROM system_state WHERE system = :system")
    row = connection.execute(statement, {"system": system}).one_or_none()
    return view_of(row) if row else SystemView(system)


def views(connection: Connection) -> dict[str, SystemView]:
    """Every vendor's state, by name."""
    rows = connection.execute(text(f"SELECT {_COLUMNS}, learned FROM system_state ORDER BY system"))
    return {row.system: view_of(row) for row in rows}


def view_of(row: Row[Any]) -> SystemView:
    """One vendor's state from its row, which has the columns of a view and `learned`."""
    columns = {name: getattr(row, name) for name in _COLUMNS.split(", ")}
    who = row.learned.get("paused_by_name") if row.paused_by == "operator" else None
    return SystemView(
        **columns,
        recovery=recovery_of(row.learned),
        rate=rate_of(row.learned),
        paused_by_name=who,
        resumed_at=row.learned.get("resumed_at"),
        failure=failure_of(row.learned),
    )


def rate_of(learned: Mapping[str, Any]) -> float | None:
    """The learned rate from `system_state.learned`, in calls a second."""
    rate = learned.get("rate_per_second")
    return None if rate is None else float(rate)


def failure_of(learned: Mapping[str, Any]) -> Failure | None:
    """The row of failures from `system_state.learned`."""
    kept = learned.get("failure")
    return (
        Failure(datetime.fromtimestamp(kept["since"], UTC), kept.get("message"), kept.get("fingerprint"))
        if kept
        else None
    )


def recovery_of(learned: Mapping[str, Any]) -> Recovery | None:
    """The recovery from `system_state.learned`."""
    kept = learned.get("recovery")
    if not kept:
        return None
    until = kept.get("entered_until")
    return Recovery(
        datetime.fromtimestamp(kept["since"], UTC),
        int(kept["refusals"]),
        None if until is None else datetime.fromtimestamp(until, UTC),
        kept.get("link"),
    )


def _update(connection: Connection, system: str, assignments: str, values: dict[str, Any], guard: str = "") -> bool:
    statement = text(f"UPDATE system_state SET {assignments}, changed_at = :now WHERE system = :system {guard}")
    return connection.execute(statement, {"system": system, **values}).rowcount == 1


def failed(
    connection: Connection,
    system: str,
    reason: str,
    now: datetime,
    *,
    limit: int,
    probe_seconds: float,
    message: str | None = None,
    fingerprint: str | None = None,
) -> bool:
    """
    Count a failure of the vendor itself; opens the breaker at the limit. Returns whether it is open now.

    `message` is what the vendor said, `fingerprint` that of the cause; they are kept with the time of the first failure
    in a row.
    """
    assignments = """
        failures = failures + 1, reason = :reason,
        learned = learned || jsonb_build_object('failure', jsonb_build_object(
            'since', COALESCE(learned #> '{failure,since}', to_jsonb(CAST(:at AS float8))),
            'message', CAST(:message AS text), 'fingerprint', CAST(:fingerprint AS text))),
        breaker = CASE WHEN failures + 1 >= :limit OR breaker <> 'closed' THEN 'open' ELSE 'closed' END,
        probe_at = CASE WHEN failures + 1 >= :limit OR breaker <> 'closed' THEN CAST(:probe_at AS timestamptz) END
    """
    values = {"reason": reason, "limit": limit, "now": now, "probe_at": now + timedelta(seconds=probe_seconds)}
    values |= {"at": now.timestamp(), "message": message, "fingerprint": fingerprint}
    _update(connection, system, assignments, values)
    return view(connection, system).breaker == "open"


def succeeded(connection: Connection, system: str, now: datetime) -> None:
    """The vendor answered as it should: the breaker closes, a pause for refused credentials ends."""
    assignments = """
        failures = 0, breaker = 'closed', probe_at = NULL, reason = NULL,
        paused_by = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_by END,
        paused_reason = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_reason END,
        paused_at = CASE WHEN paused_by = 'credentials' THEN NULL ELSE paused_at END,
        learned = CASE WHEN paused_by = 'credentials' THEN (learned - 'failure') || CAST(:resumed AS jsonb)
            ELSE learned - 'failure' END
    """
    _update(connection, system, assignments, {"now": now, "resumed": _resumed(now)})


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


def refused_for_rate(
    connection: Connection, system: str, now: datetime, *, rate: float | None, link: int | None
) -> None:
    """
    Count a refusal (429): until a delivery succeeds, one at a time may try, this link first.

    `rate` is what the budget allows from now on (None: it does not know). Whoever tries now, goes on trying.
    """
    _update(
        connection,
        system,
        """learned = learned
            || COALESCE(jsonb_build_object('rate_per_second', CAST(:rate AS float8)), '{}')
            || jsonb_build_object('recovery', COALESCE(learned -> 'recovery', '{}') || jsonb_build_object(
                'since', COALESCE(learned #> '{recovery,since}', to_jsonb(CAST(:at AS float8))),
                'refusals', COALESCE(CAST(learned #>> '{recovery,refusals}' AS bigint), 0) + 1,
                'link', COALESCE(CAST(:link AS bigint), CAST(learned #>> '{recovery,link}' AS bigint))))""",
        {"rate": rate, "link": link, "at": now.timestamp(), "now": now},
    )


def enter(connection: Connection, system: str, now: datetime, until: datetime) -> bool:
    """
    Win the right to try a vendor that refused calls; True for one caller until it leaves, or until then.
    """
    return _update(
        connection,
        system,
        "learned = jsonb_set(learned, '{recovery,entered_until}', to_jsonb(CAST(:until AS float8)))",
        {"now": now, "until": until.timestamp(), "at": now.timestamp()},
        """AND learned ? 'recovery' AND COALESCE(throttled_until <= :now, true)
            AND COALESCE(CAST(learned #>> '{recovery,entered_until}' AS float8) <= CAST(:at AS float8), true)""",
    )


def leave(connection: Connection, system: str, entered: datetime, now: datetime, *, succeeded: bool) -> None:
    """The one that entered (until `entered`) is done; where it succeeded, everybody may go on."""
    _update(
        connection,
        system,
        "learned = CASE WHEN :succeeded THEN learned - 'recovery' ELSE learned #- '{recovery,entered_until}' END",
        {"now": now, "entered": entered.timestamp(), "succeeded": succeeded},
        "AND CAST(learned #>> '{recovery,entered_until}' AS float8) = CAST(:entered AS float8)",
    )


def pause_creates(connection: Connection, system: str, until: datetime, reason: str, now: datetime) -> None:
    """The subscription holds no more records: no creates until then, updates go on."""
    _update(
        connection,
        system,
        "creates_paused_until = :until, creates_reason = :reason",
        {"until": until, "reason": reason, "now": now},
    )


# Whoever paused it, or nobody did; what an earlier release called a token is nobody's name any more.
_THEIR_OWN = "AND (:anyones OR paused_by IS DISTINCT FROM 'operator' OR learned ->> 'paused_by_name' = :by)"


def pause(connection: Connection, system: str, by: str, reason: str, now: datetime, *, anyones: bool = True) -> bool:
    """
    A person holds the system. False where there is no such system, or somebody else holds it already and `anyones`
    is not said.
    """
    return _update(
        connection,
        system,
        "paused_by = 'operator', paused_reason = :reason, paused_at = :now, learned = learned || "
        "jsonb_build_object('paused_by_name', CAST(:by AS text))",
        {"reason": reason, "by": by, "now": now, "anyones": anyones},
        _THEIR_OWN,
    )


def resume(connection: Connection, system: str, now: datetime, *, by: str | None = None) -> bool:
    """
    Everything that holds the system back is lifted: pause, breaker, waits.

    False where there is no such system, or it was paused by a person of another name than `by` (None: by whomever).
    """
    return _update(
        connection,
        system,
        "paused_by = NULL, paused_reason = NULL, paused_at = NULL, breaker = 'closed', failures = 0, probe_at = NULL, "
        "throttled_until = NULL, creates_paused_until = NULL, creates_reason = NULL, reason = NULL, "
        "learned = (learned - 'recovery' - 'failure' - 'paused_by_name') || CAST(:resumed AS jsonb)",
        {"now": now, "anyones": by is None, "by": by, "resumed": _resumed(now)},
        _THEIR_OWN,
    )


def _resumed(now: datetime) -> str:
    return orjson.dumps({"resumed_at": now.timestamp()}).decode()


def learn(connection: Connection, system: str, learned: dict[str, Any], now: datetime) -> None:
    """Keep figures (calls today, quota left) where the summary finds them without Redis."""
    _update(
        connection,
        system,
        "learned = learned || CAST(:learned AS jsonb)",
        {"learned": orjson.dumps(learned).decode(), "now": now},
    )
