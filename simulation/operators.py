"""What somebody at the console does: pause and resume, sync now, retry what gave up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from worker.store import contacts, inbox, systems

if TYPE_CHECKING:
    from simulation.story import Story

_RETRY: Final = text(
    "UPDATE link SET state = 'due', attempts = 0, crashes = 0, next_attempt_at = :now "
    "WHERE state IN ('dead', 'waiting') RETURNING id, system"
)


def pause(story: Story, args: Mapping[str, Any]) -> None:
    """A person holds a system."""
    story.faults["pause"] += 1
    with story.database.engine.begin() as connection:
        systems.pause(connection, args["system"], "somebody", "looking at it", story.clock.now())


def resume(story: Story, _args: Mapping[str, Any]) -> None:
    """A person lifts whatever holds any system."""
    with story.database.engine.begin() as connection:
        for system in story.simulators:
            systems.resume(connection, system, story.clock.now())


def sync(story: Story, args: Mapping[str, Any]) -> None:
    """Fetch and deliver one client now."""
    client_id = story.memory.clients.get(args["client"])
    rows = story.database.look("SELECT id FROM contact WHERE source_id = %(c)s", {"c": client_id})
    if rows:
        story.faults["sync now"] += 1
        _fetch(story, [rows[0][0]], forced=True)


def retry(story: Story, _args: Mapping[str, Any]) -> None:
    """Try again what gave up or waits."""
    story.faults["retry by hand"] += 1
    with story.database.engine.begin() as connection:
        rows = connection.execute(_RETRY, {"now": story.clock.now()}).all()
    for row in rows:
        story.broker.deliver(row.system, row.id)
    dead = [row[0] for row in story.database.look("SELECT id FROM contact WHERE fetch_state IN ('dead', 'waiting')")]
    _fetch(story, dead, forced=False)
    story.invariants.rows_changed = True


def _fetch(story: Story, ids: list[int], *, forced: bool) -> None:
    with story.database.engine.begin() as connection:
        contacts.want_fetch(connection, ids, story.clock.now(), forced=forced)
        inbox.reopen(connection, ids)
    for contact_id in ids:
        story.broker.fetch(contact_id)
    story.invariants.rows_changed = True
