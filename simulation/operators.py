"""What somebody at the console does, by the functions that the API and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.store import listing_retries, operating
from worker.store.listing_retries import RetryFilter
from worker.store.operating import Actor, Owed
from worker.store.refusals import Conflict, NotFound

if TYPE_CHECKING:
    from simulation.story import Story

SOMEBODY: Final = Actor("somebody", "operator")


def pause(story: Story, args: Mapping[str, Any]) -> None:
    """A person holds a system."""
    story.faults["pause"] += 1
    with story.database.engine.begin() as connection:
        operating.pause(connection, args["system"], SOMEBODY, story.clock.now(), "looking at it")


def resume(story: Story, _args: Mapping[str, Any]) -> None:
    """A person lifts whatever holds any system."""
    for system in story.simulators:
        with story.database.engine.begin() as connection:
            acted = operating.resume(connection, system, SOMEBODY, story.clock.now())
        _nudge(story, acted.owed)


def sync(story: Story, args: Mapping[str, Any]) -> None:
    """Fetch and deliver one client now."""
    client_id = story.memory.clients.get(args["client"])
    if client_id is None:
        return
    try:
        with story.database.engine.begin() as connection:
            acted = operating.sync(connection, client_id, SOMEBODY, story.clock.now())
    except NotFound:
        return
    story.faults["sync now"] += 1
    _nudge(story, acted.owed)


def retry(story: Story, _args: Mapping[str, Any]) -> None:
    """
    Try again all that waits or gave up. What is under way arrives before that: a person who does not wait for an
    unanswered change takes the risk that it comes late (docs/simulation.md).
    """
    story.faults["retry by hand"] += 1
    story.network.hurry()
    with story.database.engine.begin() as connection:
        waiting = listing_retries.ids(connection, RetryFilter())
    for retry_id in waiting:
        try:
            with story.database.engine.begin() as connection:
                acted = operating.retry(connection, retry_id, SOMEBODY, story.clock.now())
        except Conflict:
            continue
        _nudge(story, acted.owed)


def _nudge(story: Story, owed: Owed) -> None:
    for contact_id in owed.contacts:
        story.broker.fetch(contact_id)
    for link_id, system in owed.links:
        story.broker.deliver(system, link_id)
    story.invariants.rows_changed = True
