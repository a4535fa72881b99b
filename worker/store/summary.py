"""
The summary: how everything stands, read in one statement and so in one snapshot.

Its cost follows the work that is open, never the history: what grows without end is counted as it happens
(`event_tally`, `row_tally`), the rest is counted from partial indexes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Final

from sqlalchemy import Connection, text

from worker.config import SYSTEM_NAMES
from worker.core.masks import BY_WORD, MASK, Shown, Vocabulary, Word
from worker.store import held
from worker.store.arrivals import LAST_EVENT, RESULTS, Arrivals, arrivals, since
from worker.store.held import Held
from worker.store.states import LINK_STATES
from worker.store.systems import rate_of, recovery_of

if TYPE_CHECKING:
    from worker.config import Settings

SOURCE: Final = "robaws"
TARGETS: Final = ("rompslomp", "recras", "workspace")

_READ: Final = text(
    f"""
    SELECT
        (SELECT jsonb_build_object('received', COALESCE(sum(received), 0), 'applied', COALESCE(sum(applied), 0),
            'skipped', COALESCE(sum(skipped), 0), 'rejected', COALESCE(sum(rejected), 0)) FROM event_tally) AS tally,
        (SELECT count(*) FROM inbox_event WHERE state = 'new')
            + (SELECT count(*) FROM inbox_event WHERE state = 'taken') AS open,
        (SELECT count(*) FROM inbox_event WHERE state = 'dead') AS dead,
        (SELECT received_at FROM inbox_event WHERE state = 'new' ORDER BY id LIMIT 1) AS oldest_new,
        (SELECT jsonb_agg(t) FROM (
            SELECT counted, system, sum(rows) AS rows FROM row_tally GROUP BY counted, system) AS t) AS rows,
        (SELECT jsonb_agg(t) FROM (
            SELECT system, state, count(*) AS count, min(since) AS since FROM link
            WHERE state NOT IN ('synced', 'excluded') GROUP BY system, state) AS t) AS links,
        (SELECT jsonb_object_agg(t.system, t.count) FROM (
            SELECT l.system, count(*) AS count FROM link AS l JOIN system_state AS s ON s.system = l.system
            WHERE l.state = 'due' AND l.external_id IS NULL AND s.creates_paused_until > :now
            GROUP BY l.system) AS t) AS creates_due,
        (SELECT jsonb_build_object('count', count(*), 'since', min(fetch_since)) FROM contact
            WHERE fetch_state IN ('due', 'working', 'waiting')) AS fetch_due,
        (SELECT count(*) FROM contact WHERE fetch_state = 'dead') AS fetch_dead,
        (SELECT jsonb_agg(s) FROM system_state AS s) AS systems,
        {LAST_EVENT} AS last_event,
        {RESULTS} AS results
    """
)

_FOLD: Final = text(
    """
    WITH gone AS (
        DELETE FROM row_tally WHERE id IN (SELECT id FROM row_tally ORDER BY id LIMIT 50000 FOR UPDATE SKIP LOCKED)
        RETURNING counted, system, rows
    )
    INSERT INTO row_tally (counted, system, rows)
    SELECT counted, system, sum(rows) FROM gone GROUP BY counted, system HAVING sum(rows) <> 0
    """
)


@dataclass(frozen=True)
class Events:
    """Events since the beginning; `open` and `dead` are rows of the inbox now, `rejected` were none."""

    received: int
    applied: int
    skipped: int
    open: int
    dead: int
    rejected: int


@dataclass(frozen=True)
class Contacts:
    """Contacts, and those whose fetch is owed or was given up."""

    total: int
    fetch_due: int
    fetch_dead: int


_WORD: Final = re.compile(r"[a-z_]{1,40}")
_OUR_SENTENCE: Final = re.compile(
    r"the day's quota of calls is used up until [0-9: -]{16} UTC"
    r"|rate_limited: it refused (?:a call|[0-9]+ calls) since [0-9:]{8} UTC; one client at a time is tried"
    r"(?:, at [0-9.e+-]+ calls a second)?"
)


def _reason(reason: str, view: Mapping[str, Any], _vocabulary: Vocabulary) -> str:
    """What a viewer sees: our words and sentences, and neither what a person typed nor what the vendor said."""
    ours = view.get("state") != "paused" and (_WORD.fullmatch(reason) or _OUR_SENTENCE.fullmatch(reason))
    return reason if ours else MASK


@dataclass(frozen=True)
class System:
    """
    One vendor. `oldest_due_seconds`: for how long the oldest work has been owed; 0 when nothing is.

    `quota_remaining`: what is left of the day, by our own limit or the vendor's word, whichever is less; None where
    neither is known.
    """

    state: Word
    reason: Annotated[str, Shown(_reason)] | None
    oldest_due_seconds: int
    calls_today: int
    quota_remaining: int | None


@dataclass(frozen=True)
class Summary:
    """Everything in figures, as of one moment. `conservation` is 0 unless an event was lost or counted twice."""

    events: Events
    contacts: Contacts
    links: Annotated[Mapping[str, Mapping[str, int]], BY_WORD]
    systems: Annotated[Mapping[str, System], BY_WORD]
    conservation: int
    webhooks: Arrivals

    def to_json(self) -> dict[str, Any]:
        """The shape of `GET /api/v1/summary`."""
        return asdict(self)


def read(connection: Connection, settings: Settings, now: datetime) -> Summary:
    """The summary of this moment; one statement."""
    row = connection.execute(_READ, {"refused_since": since(now), "now": now}).one()
    tally = {name: int(count) for name, count in row.tally.items()}
    events = Events(tally["received"], tally["applied"], tally["skipped"], row.open, row.dead, tally["rejected"])
    counted = {(one["counted"], one["system"]): int(one["rows"]) for one in row.rows or ()}
    working = row.links or []
    return Summary(
        events,
        Contacts(counted.get(("contact", ""), 0), row.fetch_due["count"], row.fetch_dead),
        _links(working, counted, held.of_rows(map(_row, row.systems or ()), now), row.creates_due or {}),
        _systems(settings, row, working, now),
        events.received - events.applied - events.skipped - events.open - events.dead,
        arrivals(row.last_event, row.results, now),
    )


def _row(stored: Mapping[str, Any]) -> SimpleNamespace:
    """A row of `system_state` out of its JSON."""
    times = ("probe_at", "paused_at", "throttled_until", "creates_paused_until")
    return SimpleNamespace(
        **{
            name: datetime.fromisoformat(value) if name in times and value is not None else value
            for name, value in stored.items()
        }
    )


def _links(
    working: list[dict[str, Any]],
    counted: Mapping[tuple[str, str], int],
    behind: Sequence[Held],
    creates_due: Mapping[str, int],
) -> dict[str, dict[str, int]]:
    """
    Counts by system and state; what is neither excluded nor at work is synced.

    What is due at a system that is held back waits, here as in every list (`held.behind`).
    """
    names = [*TARGETS, *sorted({system for kind, system in counted if kind == "link"} - set(TARGETS))]
    links = {name: dict.fromkeys(LINK_STATES, 0) for name in names}
    for one in working:
        links[one["system"]][one["state"]] = one["count"]
    for one_held in behind:
        states = links.get(one_held.system)
        if states is not None:
            waits = creates_due.get(one_held.system, 0) if one_held.creates_only else states["due"]
            states["due"] -= waits
            states["waiting"] += waits
    for name, states in links.items():
        states["excluded"] = counted.get(("excluded", name), 0)
        states["synced"] = counted.get(("link", name), 0) - sum(states.values())
    return links


def _systems(settings: Settings, row: Any, working: list[dict[str, Any]], now: datetime) -> dict[str, System]:
    stored = {one["system"]: one for one in row.systems or ()}
    owed: dict[str, list[datetime]] = {name: [] for name in SYSTEM_NAMES}
    for one in working:
        if one["state"] in ("due", "working", "waiting", "unknown") and one["since"] and one["system"] in owed:
            owed[one["system"]].append(datetime.fromisoformat(one["since"]))
    if row.fetch_due["since"]:
        owed[SOURCE].append(datetime.fromisoformat(row.fetch_due["since"]))
    if row.oldest_new:
        owed[SOURCE].append(row.oldest_new)
    return {
        name: system(
            stored.get(name) or {},
            enabled=settings.system(name).enabled,
            daily_requests=settings.system(name).daily_requests,
            # What is left over from a system's time is owed again when the settings enable it.
            oldest=min(owed[name], default=None) if settings.system(name).enabled else None,
            now=now,
        )
        for name in SYSTEM_NAMES
    }


def system(
    stored: Mapping[str, Any], *, enabled: bool, daily_requests: int | None, oldest: datetime | None, now: datetime
) -> System:
    """One vendor's line, from its row of `system_state` as JSON (empty where it has none)."""
    learned = stored.get("learned") or {}
    today = learned.get("day") == now.strftime("%Y-%m-%d")
    calls = int(learned.get("calls_today") or 0) if today else 0
    own = max(0, daily_requests - calls) if daily_requests else None
    told = learned.get("quota_remaining") if today else None
    left = min((int(limit) for limit in (own, told) if limit is not None), default=None)
    if _out_of_calls(stored, now):
        left = 0  # the figures above are some seconds old
    state, reason = _state(stored, enabled, now)
    waited = max(0, int((now - oldest).total_seconds())) if oldest else 0
    return System(state, reason, waited, calls, left)


def _state(stored: Mapping[str, Any], enabled: bool, now: datetime) -> tuple[str, str | None]:
    if not enabled:
        return "disabled", None
    if stored.get("paused_by"):
        return "paused", stored.get("paused_reason") or stored.get("reason")
    if stored.get("breaker") == "open":
        return "broken", stored.get("reason")
    if stored.get("breaker") == "probing":
        return "probing", stored.get("reason")
    if _out_of_calls(stored, now):
        until = datetime.fromisoformat(stored["throttled_until"]).astimezone(UTC)
        return "running", f"the day's quota of calls is used up until {until:%Y-%m-%d %H:%M} UTC"
    learned = stored.get("learned") or {}
    if recovery := recovery_of(learned):
        return "running", f"rate_limited: {recovery.sentence(rate_of(learned))}"
    if _later(stored.get("throttled_until"), now):
        return "running", stored.get("reason") or "rate_limited"
    if _later(stored.get("creates_paused_until"), now):
        return "running", stored.get("creates_reason") or "quota_reached"
    return "running", None


def _out_of_calls(stored: Mapping[str, Any], now: datetime) -> bool:
    return stored.get("reason") == "daily_quota" and _later(stored.get("throttled_until"), now)


def _later(at: str | None, now: datetime) -> bool:
    return at is not None and datetime.fromisoformat(at) > now


def contacts_known(connection: Connection) -> int:
    """How many contacts there are, by the tally."""
    statement = text("SELECT COALESCE(sum(rows), 0) FROM row_tally WHERE counted = 'contact'")
    return int(connection.execute(statement).scalar_one())


def fold_rows(connection: Connection) -> None:
    """Fold the row tally into one row a count, so that its sum stays cheap. The scheduler's, as is the events'."""
    connection.execute(_FOLD)
