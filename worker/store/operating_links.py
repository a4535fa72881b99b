"""
Who takes part where: leave a client out of a system or take it in again, link it to a record or take that back.

Each action wants a reason, is logged with it, and is undone by its opposite. None calls a vendor: whether the record is
there is looked up before (`flows.looking_up`), without a transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from worker.config import TARGETS
from worker.core.identity import IdShape
from worker.store import link_rows, source_link, written
from worker.store.link_rows import LinkRow
from worker.store.listing_contacts import contact_id
from worker.store.operating import Acted, Actor, Owed, record, required
from worker.store.refusals import Conflict, NotFound, Unfit, near

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.config import Settings


def exclude(
    connection: Connection, source_id: str, system: str, actor: Actor, now: datetime, reason: str | None
) -> Acted:
    """
    Leave a client out of a system. Its record there stays as it is and stays linked, for the day it is included again.

    A create that was not answered stays written down, so that `include` looks for it first.
    """
    why = required(reason)
    link, _ = _find(connection, source_id, system, adding=True)
    if link.state == "excluded" and link.reason is not None:
        raise Conflict(f"client {source_id} is left out of {system} already")
    link_rows.must_stay_out(link)
    message = f"{actor.name} left this client out of the system: {why}"
    link_rows.save(
        connection,
        link,
        replace(link.resting("excluded", reason="excluded_by_person", message=message), restore=False),
        now,
    )
    link_rows.withdraw_questions(connection, link.id, actor.name, "exclude", now)
    return _done(
        connection, link, "excluded", f"client {source_id} is left out of {system}", actor, "exclude", why, now
    )


def include(
    connection: Connection, source_id: str, system: str, actor: Actor, now: datetime, reason: str | None
) -> Acted:
    """
    Take a client in again that was left out, whoever left it out; what changed meanwhile is delivered.

    One that was unlinked is searched as a new one; the record that it was unlinked from is not taken again.
    """
    why = required(reason)
    link, _ = _find(connection, source_id, system)
    if link.state != "excluded":
        raise Conflict(f"client {source_id} is not left out of {system}: it is {link.state}")
    _must_live(link)
    if not link.taking_part and link.external_id is None:
        raise Conflict(f"client {source_id} is left out of all systems by sync.filter in the settings")
    link_rows.save(connection, link, _wanted(link).due(now), now)
    said = "it is delivered now" if link.external_id else "its record is searched now, and made if there is none"
    return _done(connection, link, "included", said, actor, "include", why, now, due=True)


def link(
    connection: Connection,
    source_id: str,
    system: str,
    external_id: str | None,
    actor: Actor,
    now: datetime,
    reason: str | None,
    *,
    shape: IdShape,
) -> Acted:
    """
    Say which record a client is, whatever it was linked to before.

    It starts as a first link: what is empty there is filled, what differs is asked about. The record of a client that
    is gone from Robaws, or left out of that system, is taken over. Conflict where another client holds it, and while a
    create is open that was not answered. `shape` is what ids look like there.
    """
    why = required(reason)
    wanted = checked(system, external_id, shape)
    found, holder = _find(connection, source_id, system, adding=True, external_id=wanted)
    _must_live(found)
    if found.intent is not None:
        raise Conflict(
            "a create for this client was sent and not answered, and may have been made: it is looked for first"
            + (" (include the client for that)" if found.state == "excluded" else "")
        )
    if found.external_id == wanted and found.state != "excluded":
        raise Conflict(f"client {source_id} is linked to record {wanted} in {system} already")
    before = written.there(connection, found.id, found.external_id) if found.external_id not in (None, wanted) else ""
    moved = bound(connection, found, holder, wanted, actor, now, why)
    link_rows.save(connection, found, _wanted(moved).due(now), now)
    link_rows.withdraw_questions(connection, found.id, actor.name, f"link:{wanted}", now)
    said = f"linked to record {wanted}; what differs is settled at the next delivery, which is due now"
    text_ = ". ".join(part for part in (said, before) if part)
    details = {"external_id": wanted, "before": found.external_id}
    return _done(connection, found, "linked", text_, actor, "link", why, now, due=True, details=details)


def unlink(
    connection: Connection, source_id: str, system: str, actor: Actor, now: datetime, reason: str | None
) -> Acted:
    """
    Take a link back: the record is not this client's. The client is left out there until it is linked or included.

    The record stays as it is; what was written into it is told, so that a person can put it right.
    """
    why = required(reason)
    found, _ = _find(connection, source_id, system)
    if found.intent is not None:
        raise Conflict(
            "a create for this client was sent and not answered, and may have been made: it is looked for first"
        )
    if found.external_id is None:
        raise Conflict(f"client {source_id} is linked to no record in {system}")
    record_id = found.external_id
    told = written.there(connection, found.id, record_id)
    message = f"{actor.name} took the link to record {record_id} back: {why}"
    after = found.at_record(None).resting("excluded", reason="unlinked", message=message)
    link_rows.save(connection, found, replace(after, answers=after.answers.refuse([record_id])), now)
    link_rows.withdraw_questions(connection, found.id, actor.name, "unlink", now)
    source_link.want_again(connection, found.contact_id, now)
    said = f"client {source_id} is no longer linked to record {record_id}, and left out of {system}. {told}"
    details = {"external_id": record_id}
    return _done(connection, found, "unlinked", said, actor, "unlink", why, now, details=details)


def target(settings: Settings, system: str) -> str:
    """A system that contacts go to, by the settings; Unfit for another name."""
    known = [name for name in TARGETS if settings.system(name).enabled]
    if system not in known:
        there = f"there are {', '.join(known) or 'none'}{near(system, known)}"
        raise Unfit(f"{system[:40]!r} is no system that clients go to: {there}")
    return system


def checked(system: str, external_id: str | None, shape: IdShape) -> str:
    """An id that can be one of that system's; Unfit for another."""
    if external_id is None or not shape.fits(external_id):
        raise Unfit(f"say which record: external_id is its id in {system}, and an id there is {shape.words}")
    return external_id


def bound(
    connection: Connection,
    link: LinkRow,
    holder: LinkRow | None,
    external_id: str,
    actor: Actor,
    now: datetime,
    why: str | None,
) -> LinkRow:
    """
    The link at that record, taken over where its holder is gone or left out; one that it had before is refused.

    Conflict where a living client holds it. Both links are locked (`link_rows.lock`).
    """
    if holder is not None:
        release(connection, holder, link, actor, now, why)
    answers = link.answers.refuse([link.external_id] if link.external_id not in (None, external_id) else [])
    moved = link.at_record(external_id)
    return replace(moved, intent=None, answers=answers.accept(external_id))


def release(connection: Connection, holder: LinkRow, to: LinkRow, actor: Actor, now: datetime, why: str | None) -> None:
    """A link loses its record to another client, and is left out from now on. Conflict where its client lives."""
    record_id, who = holder.external_id, f"client {holder.source_id}"
    if not (holder.gone or holder.state == "excluded"):
        raise Conflict(f"record {record_id} in {holder.system} belongs to another client already: {who}")
    message = f"its record {record_id} was given to client {to.source_id} by {actor.name}"
    link_rows.save(
        connection, holder, holder.at_record(None).resting("excluded", reason="taken_over", message=message), now
    )
    link_rows.withdraw_questions(connection, holder.id, actor.name, "taken_over", now)
    if not holder.gone:
        source_link.want_again(connection, holder.contact_id, now)
    details = {"external_id": record_id, "by": f"contact-{to.source_id}"}
    record(connection, actor, "release", f"link-{holder.id}", why, now, details)


def _find(
    connection: Connection, source_id: str, system: str, *, adding: bool = False, external_id: str | None = None
) -> tuple[LinkRow, LinkRow | None]:
    """The link of a client to a system, locked, with another one that holds a record. `adding`: made if it is new."""
    found = contact_id(connection, source_id)
    look = link_rows.find if adding else link_rows.existing
    link_id = look(connection, found, system)
    if link_id is None:
        raise NotFound(f"client {source_id} has never taken part in {system}")
    return link_rows.lock(connection, link_id, system, external_id)


def _must_live(link: LinkRow) -> None:
    if link.gone:
        raise Conflict(f"client {link.source_id} is gone from Robaws: nothing is delivered for it")
    if link.version == 0:
        raise Conflict(f"client {link.source_id} was not fetched yet: try again when it was")


def _wanted(link: LinkRow) -> LinkRow:
    """Owed the newest version of its contact."""
    return replace(link, wanted_version=max(link.wanted_version, link.version))


def _done(
    connection: Connection,
    found: LinkRow,
    outcome: str,
    message: str,
    actor: Actor,
    action: str,
    why: str,
    now: datetime,
    *,
    due: bool = False,
    details: dict[str, Any] | None = None,
) -> Acted:
    """Write down who did it, and tell what is due."""
    record(connection, actor, action, f"link-{found.id}", why, now, {"system": found.system, **(details or {})})
    return Acted(found.source_id, outcome, message, Owed(links=((found.id, found.system),)) if due else Owed())
