"""What a single write of the product may do to a target: looked at on the vendor's own records, before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulation.broken import Broken
from simulation.trouble import MEMBERS

if TYPE_CHECKING:
    from simulation.story import Story
    from worker.store.links import LinkClaim
    from worker.vendors.simulation import SimRequest

EMPTY: Final = (None, "", "-")
"""What counts as no value; the dash is the stand-in for what a vendor requires."""


def watch(story: Story, system: str, request: SimRequest, claim: LinkClaim | None) -> Callable[[], None]:
    """Look at the record of a claim before a change; what is returned looks again, and compares."""
    if claim is None or claim.external_id is None or request.method not in ("PUT", "PATCH") or system not in MEMBERS:
        return lambda: None
    record = str(claim.external_id)
    before = _fields(story, system, record)

    def compare() -> None:
        after = _fields(story, system, record)
        for member in before.keys() & after.keys():
            if before[member] != after[member]:
                _allow(story, claim, record, member, before[member], after[member])

    return compare


def _allow(story: Story, claim: LinkClaim, record: str, member: str, before: Any, after: Any) -> None:
    """The owners' table of docs/what-is-synchronised.md, for one field that a write has changed."""
    system = claim.system
    owner = story.workers[0].runtime.owners(system)[member]
    told = f"{system} {record} {member} was {before!r} and is {after!r} after a write of ours"
    if owner in ("system", "ignore"):
        raise Broken("no person's edit overwritten", f"{told}; the field is `{owner}`")
    if before in EMPTY or (system, record, member) in story.memory.chosen:
        return
    if owner in ("fill", "review"):
        raise Broken("no person's edit overwritten", f"{told}; the field is `{owner}`, and was not empty")
    edit = story.memory.edits.get((system, record, member))
    if edit is not None and edit.stands and before == edit.value:
        raise Broken(
            "no person's edit overwritten", f"{told}; Robaws has said nothing new of it since, nor has anybody"
        )
    if claim.snapshot is None and (system, record) in story.memory.by_hand:
        raise Broken("no person's edit overwritten", f"{told}; on the first link to a record that was there before")


def check_searched(story: Story, claim: LinkClaim, made: str) -> None:
    """
    A record was made for a contact: then none may have stood there for it since before the contact was typed in, and
    since before the list that was searched was read (how old that may be: decision 005).
    """
    for (system, record), (number, at) in story.memory.there_before.items():
        if system != claim.system or story.memory.clients.get(number) != claim.source_id:
            continue
        if (system, claim.source_id, record) in story.memory.refused:
            continue  # a person said that it is somebody else's
        read = story.database.look(
            "SELECT at FROM checkpoint WHERE system = %(s)s AND at < %(at)s", {"s": system, "at": at}
        )
        if read or story.faults["clock jump"]:
            continue
        if _fields(story, system, record) and not _held(story, system, record):
            what = f"{made} is made for client {claim.source_id} in {system}, where {record} had stood all along"
            raise Broken("one record a contact and system", what)


def _held(story: Story, system: str, record: str) -> bool:
    rows = story.database.look(
        "SELECT 1 FROM link WHERE system = %(s)s AND external_id = %(r)s", {"s": system, "r": record}
    )
    return bool(rows)


def _fields(story: Story, system: str, record: str) -> dict[str, Any]:
    """The members that people and we both write; nothing where the record is not there."""
    records: list[dict[str, Any]] = story.simulators[system].state()["records"]
    for one in records:
        if str(one["id"]) == record and not one.get("trashed"):
            return {member: one.get(member) for member in MEMBERS[system].values()}
    return {}
