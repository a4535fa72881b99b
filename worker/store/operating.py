"""
What an operator does: retry, discard, sync, pause, resume, replay. Shared by the API and the command line.

Each function runs in the caller's transaction and writes a row of `operator_action` into it, so that nothing is done
without a trace. None calls a vendor: they only make rows due, and tell (`Acted.owed`) which nudges are worth sending
after the commit; without a nudge the sweep finds the rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from worker.config import SYSTEM_NAMES
from worker.store import asked_for, contacts, easing, held, inbox, systems
from worker.store.links import left_out_by_a_person
from worker.store.listing import reason_given
from worker.store.listing_events import find
from worker.store.listing_retries import parse_id, public_id
from worker.store.refusals import Conflict, Forbidden, NotFound, Unfit, near
from worker.store.requests import REQUESTED, REQUESTED_BY_PERSON

SOURCE: Final = "robaws"


@dataclass(frozen=True)
class Actor:
    """Who acts: a name for the log of actions, and the role."""

    name: str
    role: str

    @property
    def is_admin(self) -> bool:
        """Whether they may do what reaches far, or undo what somebody else did."""
        return self.role == "admin"


@dataclass(frozen=True)
class Owed:
    """What is due now, for nudges: contacts by id, links by id and system (0: whichever is due there)."""

    contacts: tuple[int, ...] = ()
    links: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Acted:
    """What was done, on what."""

    id: str
    outcome: str
    message: str
    owed: Owed = field(default=Owed(), repr=False, compare=False)


_RECORD: Final = text(
    """
    INSERT INTO operator_action (at, actor, role, action, target, reason, filter, finished_at)
    VALUES (:now, :actor, :role, :action, :target, :reason, :filter, :now)
    """
).bindparams(bindparam("filter", type_=JSONB(none_as_null=True)))

# What is due at a system that is held back waits too, and is a line of the queue.
_WAITS: Final = """(
    state IN ('waiting', 'unknown', 'review', 'dead') OR (state = 'due' AND (
        system = ANY(CAST(:held AS text[])) OR (system = ANY(CAST(:full AS text[])) AND external_id IS NULL))))"""
_FETCH_WAITS: Final = "(fetch_state IN ('waiting', 'dead') OR (fetch_state = 'due' AND :source_held))"

# An id that can be none of that system's leads to no record ever: it is forgotten, and the record searched anew.
_NO_ID: Final = "(state = 'dead' AND COALESCE(reason, '') = 'bad_id')"

_RETRY_LINK: Final = text(
    f"""
    UPDATE link AS l SET
        external_id = CASE WHEN {_NO_ID} THEN NULL ELSE external_id END,
        snapshot = CASE WHEN {_NO_ID} THEN NULL ELSE snapshot END,
        priority = 0,{REQUESTED_BY_PERSON}
    WHERE id = :id AND {_WAITS}
    RETURNING id, system, state
    """
)

_TRY_AGAIN: Final = text(
    f"""
    UPDATE link AS l SET
        priority = CASE WHEN l.next_attempt_at IS NULL THEN :priority ELSE LEAST(l.priority, :priority) END,{REQUESTED}
    WHERE id IN (SELECT id FROM link WHERE contact_id = ANY(CAST(:ids AS bigint[])) AND state IN ('waiting', 'dead')
        ORDER BY contact_id, system FOR NO KEY UPDATE)
    """
)

_DISCARD_LINK: Final = text(
    f"""
    UPDATE link SET state = 'excluded', next_attempt_at = NULL, attempts = 0, crashes = 0, restore = false,
        since = NULL, reason = 'discarded', message = :why
    WHERE id = :id AND {_WAITS}
    RETURNING id, system
    """
)

_DISCARD_FETCH: Final = text(
    f"""
    UPDATE contact SET fetch_state = 'idle', fetch_done = fetch_wanted, fetch_attempts = 0, fetch_crashes = 0,
        fetch_forced = false, fetch_next_attempt_at = NULL, fetch_since = NULL, fetch_reason = NULL,
        fetch_message = NULL, fetch_fingerprint = NULL
    WHERE id = :id AND {_FETCH_WAITS}
    RETURNING id, source_id, fetch_wanted
    """
)

_LOCK_CONTACTS: Final = text(
    "SELECT FROM contact WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY source, source_id FOR NO KEY UPDATE"
)
_LOCK_LINKS: Final = text(
    "SELECT FROM link WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY contact_id, system FOR NO KEY UPDATE"
)


def record(
    connection: Connection,
    actor: Actor,
    action: str,
    target: str,
    reason: str | None,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Write down who did what, on what, and why."""
    connection.execute(
        _RECORD,
        {
            "now": now,
            "actor": actor.name,
            "role": actor.role,
            "action": action,
            "target": target,
            "reason": reason,
            "filter": details,
        },
    )


def required(reason: str | None) -> str:
    """The reason, which this action does not go without."""
    given = reason_given(reason)
    if given is None:
        raise Unfit("say why: this wants a reason")
    return given


def retry(connection: Connection, retry_id: str, actor: Actor, now: datetime, reason: str | None = None) -> Acted:
    """
    Make one line of the retry queue due now, with all its attempts before it.

    A create whose outcome is unknown stays so: it is looked for first, now, and never simply sent again. An id that
    can be none of that system's (`bad_id`) is forgotten, and the record searched as for a new client.
    """
    acted = retry_item(connection, retry_id, now)
    record(connection, actor, "retry", acted.id, reason_given(reason), now)
    return acted


def lock_items(connection: Connection, retry_ids: Sequence[str]) -> None:
    """Lock the rows of several lines in the order that everybody keeps, before they are acted on one by one."""
    found: dict[int, list[int]] = {0: [], 1: []}
    for retry_id in retry_ids:
        kind, row_id = parse_id(retry_id)
        found[kind].append(row_id)
    for kind, statement in ((0, _LOCK_CONTACTS), (1, _LOCK_LINKS)):
        if found[kind]:
            connection.execute(statement, {"ids": found[kind]})


def retry_item(connection: Connection, retry_id: str, now: datetime) -> Acted:
    """As `retry`, without a row of its own: an item of a bulk action."""
    kind, row_id = parse_id(retry_id)
    if kind:
        row = connection.execute(_RETRY_LINK, {"id": row_id, "now": now, **_held(connection, now)}).one_or_none()
        if row is None:
            raise _not_waiting(connection, retry_id)
        what = "it is looked for now" if row.state == "unknown" else _due(connection, row.system, now)
        return Acted(public_id(1, row_id), "retried", what, Owed(links=((row.id, row.system),)))
    if not _fetch_waits(connection, row_id, now):
        raise _not_waiting(connection, retry_id)
    contacts.want_fetch(connection, [row_id], now, correlation_id=_correlation())
    inbox.reopen(connection, [row_id])
    return Acted(public_id(0, row_id), "retried", _due(connection, SOURCE, now), Owed(contacts=(row_id,)))


def discard(connection: Connection, retry_id: str, actor: Actor, now: datetime, reason: str | None) -> Acted:
    """
    Take one line out of the queue for good: a link is excluded, a fetch and its events are closed. Wants a reason.

    What was discarded comes back by an operator's `sync` of the contact.
    """
    why = required(reason)
    acted = discard_item(connection, retry_id, actor, now, why)
    record(connection, actor, "discard", acted.id, why, now)
    return acted


def discard_item(connection: Connection, retry_id: str, actor: Actor, now: datetime, why: str) -> Acted:
    """As `discard`, without a row of its own: an item of a bulk action."""
    kind, row_id = parse_id(retry_id)
    if kind:
        values = {"id": row_id, "why": why, **_held(connection, now)}
        if connection.execute(_DISCARD_LINK, values).one_or_none() is None:
            raise _not_waiting(connection, retry_id)
        _withdraw_questions(connection, row_id, actor, now)
        where = "the client is left out of that system until it is synchronised again"
        return Acted(public_id(1, row_id), "discarded", where)
    row = connection.execute(_DISCARD_FETCH, {"id": row_id, **_held(connection, now)}).one_or_none()
    if row is None:
        raise _not_waiting(connection, retry_id)
    # Those that were dead count among the open ones again for a moment, so that all of them are closed in one way.
    inbox.reopen(connection, [row_id])
    inbox.close(connection, row_id, row.fetch_wanted, state="skipped", reason="discarded", version=None, now=now)
    return Acted(public_id(0, row_id), "discarded", "it is no longer fetched, and its events are skipped")


def sync(connection: Connection, source_id: str, actor: Actor, now: datetime, reason: str | None = None) -> Acted:
    """
    Fetch one contact now and deliver it again, also where nothing changed and where a link was excluded.

    A client that is not known yet is fetched like one that an event named. NotFound for what can be no client's id;
    whether Robaws has such a client is known when it was asked.
    """
    found, is_new = asked_for.make_known(connection, source_id)
    contacts.want_fetch(connection, [found], now, forced=True, correlation_id=_correlation())
    inbox.reopen(connection, [found])
    record(connection, actor, "sync", f"contact-{source_id}", reason_given(reason), now)
    message = ("it is not known here yet: " if is_new else "") + _when_fetched(connection, now)
    if apart := left_out_by_a_person(connection, found):
        message += f"; it stays left out of {' and '.join(apart)}: contacts include or contacts link takes it in again"
    return Acted(source_id, "owed", message, Owed(contacts=(found,)))


def _when_fetched(connection: Connection, now: datetime) -> str:
    behind = held.of(held.held(connection, now), SOURCE)
    if behind is None or behind.creates_only:
        return "it is fetched and delivered now"
    return f"it is fetched and delivered when {SOURCE} may be called again ({behind.reason})"


def pause(connection: Connection, system: str, actor: Actor, now: datetime, reason: str | None) -> Acted:
    """
    Nothing is sent to a system until it is resumed; what is owed to it waits in its rows. Wants a reason.

    Forbidden where somebody else has paused it: their reason stands until they, or an admin, change it.
    """
    why = required(reason)
    _known(system)
    systems.ensure(connection, [system])
    if not systems.pause(connection, system, actor.name, why, now, anyones=actor.is_admin):
        raise _somebody_elses_pause(connection, system)
    record(connection, actor, "pause", f"system-{system}", why, now)
    return Acted(system, "paused", "nothing is sent there until it is resumed")


def resume(connection: Connection, system: str, actor: Actor, now: datetime, reason: str | None = None) -> Acted:
    """
    Lift all that holds a system back: a pause, a breaker, waits that it asked for.

    Rows that waited for the system, and not because of their own data, are due at once. Forbidden where somebody else
    has paused it, but for an admin.
    """
    _known(system)
    systems.ensure(connection, [system])
    behind = held.of(held.held(connection, now), system)
    eased = held.waits(connection, behind) if behind else 0
    if not systems.resume(connection, system, now, by=None if actor.is_admin else actor.name):
        raise _somebody_elses_pause(connection, system)
    eased += easing.ease(connection, system, now)
    record(connection, actor, "resume", f"system-{system}", reason_given(reason), now)
    if behind is None and not eased:
        text = f"{system} was not held back, and nothing waited for it; the workers read its credentials again"
        return Acted(system, "resumed", text, Owed())
    waited = "1 that waited for it is due now" if eased == 1 else f"{eased} that waited for it are due now"
    return Acted(system, "resumed", waited if eased else "nothing waited for it", Owed(links=((0, system),)))


def replay(connection: Connection, event_id: str, actor: Actor, now: datetime, reason: str | None = None) -> Acted:
    """
    Act on an event once more: its contact is owed a fetch. The event itself is not changed, unless it was dead.

    What is fetched is the contact as it is now; the event's body is never written onward. What is new goes out, and
    what did not arrive before goes out again. Nothing is put back that people changed elsewhere, and a client that a
    person left out stays out: that is what `sync` does.
    """
    row = find(connection, event_id)
    if row is None:
        raise NotFound(f"no event {event_id[:80]!r} is kept here")
    if row.contact_id is None and row.state != "new":
        raise Conflict(f"the event ({row.kind}) is not about a client: there is nothing to fetch")
    if row.contact_id is not None:
        _replay(connection, [row.contact_id], now, priority=0)
    record(connection, actor, "replay", f"event-{event_id}", reason_given(reason), now)
    owed = Owed(contacts=(row.contact_id,)) if row.contact_id is not None else Owed()
    return Acted(event_id, "owed", "its contact is fetched and delivered now", owed)


def events_since(connection: Connection, since: datetime) -> tuple[int, int]:
    """How many events about clients were received since then, and of how many clients."""
    row = connection.execute(
        text(
            "SELECT count(*) AS events, count(DISTINCT contact_id) AS contacts FROM inbox_event"
            " WHERE received_at >= :since AND contact_id IS NOT NULL"
        ),
        {"since": since},
    ).one()
    return row.events, row.contacts


def replay_since(connection: Connection, since: datetime, actor: Actor, now: datetime, reason: str | None) -> Acted:
    """The same for every event received since then: each contact once, behind live traffic."""
    found = connection.execute(
        text("SELECT DISTINCT contact_id FROM inbox_event WHERE received_at >= :since AND contact_id IS NOT NULL"),
        {"since": since},
    ).scalars()
    contact_ids = sorted(found)
    _replay(connection, contact_ids, now, priority=1)
    details = {"since": since.isoformat(), "contacts": len(contact_ids)}
    record(connection, actor, "replay", "events", reason_given(reason), now, details)
    return Acted("events", "owed", f"{len(contact_ids)} contacts are fetched and delivered", Owed())


def _replay(connection: Connection, contact_ids: Sequence[int], now: datetime, *, priority: int) -> None:
    contacts.want_fetch(connection, contact_ids, now, priority=priority, correlation_id=_correlation())
    connection.execute(_TRY_AGAIN, {"ids": list(contact_ids), "now": now, "priority": priority})
    inbox.reopen(connection, contact_ids)


def _correlation() -> str:
    return secrets.token_hex(16)


def _known(system: str) -> None:
    if system not in SYSTEM_NAMES:
        raise NotFound(f"{system[:40]!r} is no system: there are {', '.join(SYSTEM_NAMES)}{near(system, SYSTEM_NAMES)}")


def _somebody_elses_pause(connection: Connection, system: str) -> Forbidden:
    who = systems.view(connection, system).paused_by_name or "somebody else"
    return Forbidden(f"{system} was paused by {who}: only they or an admin may change that")


def _held(connection: Connection, now: datetime) -> dict[str, Any]:
    """The values of `_WAITS` and `_FETCH_WAITS`."""
    found = held.held(connection, now)
    closed = [one.system for one in found if not one.creates_only]
    return {"held": closed, "full": [one.system for one in found if one.creates_only], "source_held": SOURCE in closed}


def _due(connection: Connection, system: str, now: datetime) -> str:
    behind = held.of(held.held(connection, now), system)
    if behind is None or behind.creates_only:
        return "it is due now"
    return f"it is due, and goes out when {system} may be called again ({behind.reason})"


def _fetch_waits(connection: Connection, contact_id: int, now: datetime) -> bool:
    statement = text(f"SELECT FROM contact WHERE id = :id AND {_FETCH_WAITS} FOR UPDATE")
    return connection.execute(statement, {"id": contact_id, **_held(connection, now)}).one_or_none() is not None


def _not_waiting(connection: Connection, retry_id: str) -> Exception:
    """NotFound for an id that never was; Conflict, with its state, for one that does not wait any more."""
    kind, row_id = parse_id(retry_id)
    table, column = ("link", "state") if kind else ("contact", "fetch_state")
    state = connection.execute(text(f"SELECT {column} FROM {table} WHERE id = :id"), {"id": row_id}).scalar()
    if state is None:
        return NotFound(f"there is no {retry_id}")
    return Conflict(f"{retry_id} no longer waits: it is {state}")


def _withdraw_questions(connection: Connection, link_id: int, actor: Actor, now: datetime) -> None:
    connection.execute(
        text(
            "UPDATE review SET resolved_at = :now, choice = 'discarded', resolved_by = :by"
            " WHERE link_id = :id AND resolved_at IS NULL"
        ),
        {"id": link_id, "now": now, "by": actor.name},
    )
