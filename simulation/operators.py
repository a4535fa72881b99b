"""What somebody at the console does, by the functions that the API and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from simulation.clock import BEGIN
from simulation.network import record_ids
from worker.store import listing_retries, operating, operating_links, operating_reviews
from worker.store.listing_retries import RetryFilter
from worker.store.operating import Actor, Owed
from worker.store.refusals import Conflict, NotFound, Unfit
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from simulation.story import Story

SOMEBODY: Final = Actor("somebody", "operator")
_QUESTIONS: Final = """
    SELECT r.id, r.kind, r.path, l.system, l.external_id, r.detail, c.source_id, r.reason
    FROM review AS r JOIN link AS l ON l.id = r.link_id JOIN contact AS c ON c.id = l.contact_id
    WHERE r.resolved_at IS NULL ORDER BY r.id
"""


def pause(story: Story, args: Mapping[str, Any]) -> None:
    """A person holds a system."""
    story.faults["pause"] += 1
    with story.database.console.begin() as connection:
        operating.pause(connection, args["system"], SOMEBODY, story.clock.now(), "looking at it")


def resume(story: Story, _args: Mapping[str, Any]) -> None:
    """A person lifts whatever holds any system."""
    for system in story.simulators:
        with story.database.console.begin() as connection:
            acted = operating.resume(connection, system, SOMEBODY, story.clock.now())
        _nudge(story, acted.owed)


def sync(story: Story, args: Mapping[str, Any]) -> None:
    """Fetch and deliver one client now."""
    client_id = story.memory.clients.get(args["client"])
    if client_id is None:
        return
    try:
        with story.database.console.begin() as connection:
            acted = operating.sync(connection, client_id, SOMEBODY, story.clock.now())
    except NotFound:
        return
    story.faults["sync now"] += 1
    story.memory.wanted_back(client_id, _records(story, client_id))
    story.memory.left_out = {one for one in story.memory.left_out if one[1] != client_id}
    _nudge(story, acted.owed)


def _records(story: Story, client_id: str) -> set[tuple[str, str]]:
    rows = story.database.look(
        "SELECT l.system, l.external_id FROM link l JOIN contact c ON c.id = l.contact_id "
        "WHERE c.source_id = %(c)s AND l.external_id IS NOT NULL",
        {"c": client_id},
    )
    return {(row[0], row[1]) for row in rows}


def retry(story: Story, _args: Mapping[str, Any]) -> None:
    """
    Try again all that waits or gave up. What is under way arrives before that: a person who does not wait for an
    unanswered change takes the risk that it comes late (docs/simulation.md).
    """
    story.faults["retry by hand"] += 1
    story.network.hurry()
    with story.database.console.begin() as connection:
        waiting = listing_retries.ids(connection, RetryFilter(), story.clock.now())
    for retry_id in waiting:
        try:
            with story.database.console.begin() as connection:
                acted = operating.retry(connection, retry_id, SOMEBODY, story.clock.now())
        except Conflict:
            continue
        _nudge(story, acted.owed)


def discard(story: Story, _args: Mapping[str, Any]) -> None:
    """Take the first thing that waits out of the queue for good."""
    with story.database.console.begin() as connection:
        waiting = [
            one for one in listing_retries.ids(connection, RetryFilter(), story.clock.now()) if one.startswith("link")
        ]
    if not waiting:
        return
    try:
        with story.database.console.begin() as connection:
            operating.discard(connection, waiting[0], SOMEBODY, story.clock.now(), "not wanted there")
    except Conflict:
        return
    story.faults["discard"] += 1
    story.memory.excuses.add("discarded")
    story.invariants.rows_changed = True


def answer(story: Story, args: Mapping[str, Any]) -> None:
    """
    Answer every question that is open: about a record by its first candidate, or with `says_no` by none of them, about
    a field by `word`.
    """
    for row in story.database.look(_QUESTIONS):
        choose, external_id = _choice(story, row, args["word"], says_no=bool(args.get("says_no")))
        try:
            with story.database.console.begin() as connection:
                acted = operating_reviews.resolve(
                    connection,
                    str(row[0]),
                    choose,
                    SOMEBODY,
                    story.clock.now(),
                    shape_of=id_shape,
                    external_id=external_id,
                )
        except (Conflict, Unfit):
            continue
        story.faults[f"answer {choose}"] += 1
        _remember(story, row, choose, external_id)
        _nudge(story, acted.owed)


def _remember(story: Story, row: Any, choose: str, external_id: str | None) -> None:
    system, client, detail = row[3], str(row[6]), row[5]
    if row[7] == "match_refused":
        story.memory.merged_there.add((system, client))
    fields = {(system, str(row[4]), path) for path in (row[2], *(detail.get("members") or ()))}
    if choose == "ours":
        for field in fields:
            story.memory.edits.pop(field, None)
        story.memory.chosen |= fields
    elif choose == "theirs":
        story.memory.let_stand |= fields
    elif choose == "create":
        candidates = {str(one["external_id"]) for one in detail.get("candidates") or () if one.get("external_id")}
        story.memory.refused |= {(system, client, record) for record in candidates}
    elif choose == "exclude":
        story.memory.left_out.add((system, client))
    elif external_id is not None:
        story.memory.refused.discard((system, client, external_id))


def _choice(story: Story, row: Any, word: str, *, says_no: bool) -> tuple[str, str | None]:
    if row[1] == "field":
        return word, None
    if says_no:
        return ("exclude" if row[7] == "match_refused" else "create"), None
    there = record_ids(story.simulators[row[3]]) if row[3] != "robaws" else frozenset()
    for candidate in row[5].get("candidates") or ():
        if str(candidate["external_id"]) in there and not _taken(story, row[3], candidate["external_id"]):
            return "link", str(candidate["external_id"])
    # A vendor that takes two for one whatever it is told: a person can only leave one of them out.
    return ("exclude" if row[7] == "match_refused" else "create"), None


def _taken(story: Story, system: str, external_id: str) -> bool:
    """Whether a client that is there, and takes part, holds this record."""
    statement = (
        "SELECT 1 FROM link l JOIN contact c ON c.id = l.contact_id "
        "WHERE l.system = %(s)s AND l.external_id = %(e)s AND l.state <> 'excluded' AND c.gone_at IS NULL"
    )
    return bool(story.database.look(statement, {"s": system, "e": external_id}))


def replay(story: Story, _args: Mapping[str, Any]) -> None:
    """Act on all events once more."""
    with story.database.console.begin() as connection:
        since = datetime.fromtimestamp(BEGIN, UTC)
        acted = operating.replay_since(connection, since, SOMEBODY, story.clock.now(), "after an outage")
    story.faults["replay"] += 1
    _nudge(story, acted.owed)


def exclude(story: Story, args: Mapping[str, Any]) -> None:
    """Leave a client out of a system."""
    if (client := _by_hand(story, args, operating_links.exclude, "exclude")) is not None:
        story.memory.left_out.add((args["system"], client))


def include(story: Story, args: Mapping[str, Any]) -> None:
    """Take it in again."""
    if (client := _by_hand(story, args, operating_links.include, "include")) is not None:
        story.memory.left_out.discard((args["system"], client))


def unlink(story: Story, args: Mapping[str, Any]) -> None:
    """Say that the record is not the client's."""
    record = _linked(story, args)
    if (client := _by_hand(story, args, operating_links.unlink, "unlink")) is None:
        return
    story.memory.relinked = True
    story.memory.left_out.add((args["system"], client))
    if record is not None:
        story.memory.refused.add((args["system"], client, record))
        story.memory.given_back(args["system"], record)


def link(story: Story, args: Mapping[str, Any]) -> None:
    """Say that a record which nobody holds is the client's."""
    system = args["system"]
    free = [record for record in sorted(record_ids(story.simulators[system])) if not _taken(story, system, record)]
    if not free:
        return
    record, before = story.rng.choice(free), _linked(story, args)
    client = _by_hand(story, args, operating_links.link, "link", external_id=record, shape=id_shape(system))
    if client is None:
        return
    story.memory.relinked = True
    story.memory.left_out.discard((system, client))
    story.memory.refused.discard((system, client, record))
    story.memory.by_hand.setdefault((system, record), client)
    for left in (before, record):
        if left is not None:
            story.memory.given_back(system, left)


def _linked(story: Story, args: Mapping[str, Any]) -> str | None:
    client_id = story.memory.clients.get(args["client"])
    found = dict(_records(story, client_id)) if client_id is not None else {}
    return found.get(args["system"])


def _by_hand(story: Story, args: Mapping[str, Any], act: Any, word: str, **more: Any) -> str | None:
    """Do it; the client's id where it was done."""
    client_id = story.memory.clients.get(args["client"])
    if client_id is None:
        return None
    given = {"actor": SOMEBODY, "now": story.clock.now(), "reason": "looked at it", **more}
    try:
        with story.database.console.begin() as connection:
            acted = act(connection, client_id, args["system"], **given)
    except (Conflict, Unfit, NotFound):
        return None
    story.faults[word] += 1
    _nudge(story, acted.owed)
    return client_id


def _nudge(story: Story, owed: Owed) -> None:
    for contact_id in owed.contacts:
        story.broker.fetch(contact_id)
    for link_id, system in owed.links:
        story.broker.deliver(system, link_id)
    story.invariants.rows_changed = True
