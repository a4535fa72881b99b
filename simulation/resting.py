"""
What must be true of everything that rests: nothing newer is wanted of it.

Looked at while trouble goes on, so that no later event, retry or answer can hide what was swallowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulation.broken import Broken

if TYPE_CHECKING:
    from simulation.story import Story

NOTHING_NEWER: Final = "nothing rests while something newer is wanted"

# The log of requests says which version a delivery was about; one that sent nothing is judged at the end.
_LINKS: Final = """
    SELECT l.system, c.source_id, l.state, l.reason, l.wanted_version, l.synced_version, tried.version
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id
    CROSS JOIN LATERAL (
        SELECT max(greatest(a.contact_version, l.synced_version)) AS version FROM attempt AS a WHERE a.link_id = l.id
    ) AS tried
    WHERE l.system <> 'robaws' AND (
        (l.state IN ('dead', 'review') AND l.wanted_version > tried.version)
        OR (l.state = 'synced' AND l.wanted_version > l.synced_version))
"""
_FETCHES: Final = """
    SELECT c.source_id, c.fetch_state, c.fetch_wanted, c.fetch_done FROM contact AS c
    WHERE c.fetch_state IN ('idle', 'dead') AND EXISTS (
        SELECT FROM inbox_event AS e WHERE e.contact_id = c.id AND e.state = 'taken')
"""
_GONE: Final = """
    SELECT c.source_id FROM contact AS c WHERE c.gone_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM link AS l WHERE l.contact_id = c.id AND (l.state = 'working' OR l.intent IS NOT NULL))
"""


def check(story: Story) -> None:
    """Every link, every fetch. Broken names the first that rests though something newer is wanted."""
    for system, client, state, reason, wanted, synced, tried in story.database.look(_LINKS):
        what = (
            f"client {client} in {system} is {state} ({reason}), has {synced}, wants {wanted}; {tried} was tried last"
        )
        raise Broken(NOTHING_NEWER, what)
    for client, state, wanted, done in story.database.look(_FETCHES):
        what = f"the fetch of client {client} is {state}, {done} of {wanted} are done, and an event waits for it"
        raise Broken(NOTHING_NEWER, what)


def note_gone(story: Story) -> None:
    """From now on nothing may be made for clients that are known to be gone; what was under way is found out about."""
    deleted = story.memory.deleted_clients
    story.memory.known_gone |= {row[0] for row in story.database.look(_GONE) if row[0] in deleted}
