"""
What must be true when a story has ended: every system says what Robaws says, or waits for a person with a reason.

The vendors are read with the product's own clients, which the conformance suite holds to the vendors' pages; what is
compared is what the mapping's table says, field by field.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from simulation import plots, plots_identity
from simulation.broken import Broken
from simulation.invariants import find_record
from simulation.trouble import FLAPPING_CLIENT
from worker.core.mapping import VendorMapping
from worker.core.planning import Snapshot
from worker.vendors.contract import Record
from worker.vendors.transport import Session, Unmetered, make_client

if TYPE_CHECKING:
    from simulation.story import Story

MOST_WRITES: Final = 25
MOST_VERSIONS: Final = 60
"""What a loop of eighty changes may cost: eight until the fuse blows, one a rest, and eight for each person's word."""
TARGETS: Final = ("rompslomp", "recras", "workspace")

_LINKS: Final = """
    SELECT l.id, l.contact_id, l.system, l.state, l.reason, l.message, l.external_id, l.snapshot, l.wanted_version,
        l.synced_version, c.source_id, c.canonical, c.version, l.parked
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id ORDER BY l.id
"""


def unsettled(story: Story) -> list[Any]:
    """What is still to be done, for the message of a story that does not end."""
    links = story.database.look(
        "SELECT system, state, reason, message, next_attempt_at FROM link WHERE state NOT IN ('synced', 'excluded')"
    )
    fetches = story.database.look(
        "SELECT source_id, fetch_state, fetch_reason FROM contact WHERE fetch_state <> 'idle'"
    )
    return [*links, *fetches]


def questions(story: Story) -> int:
    """How many questions wait for a person."""
    return int(story.database.look("SELECT count(*)::int FROM review WHERE resolved_at IS NULL")[0][0])


def check_echo(story: Story, healed: int) -> None:
    """After everything was well again, each link was written to a few times, and then no more."""
    writes = Counter(one.link_id for one in story.network.written[healed:])
    for link_id, count in writes.items():
        if count > MOST_WRITES:
            raise Broken("no echo loop", f"link {link_id} was written to {count} times after all was well again")


def check(story: Story, *, answered: bool = False) -> None:
    """
    Compare everything. Broken names what does not hold. `answered`: a person has answered all that was asked, so
    nothing may wait for one any more.
    """
    lift_limits(story)
    _check_events(story)
    _check_contacts(story)
    _check_flapping(story)
    rows = story.database.look(_LINKS)
    by_client = {(row[10], row[2]): row for row in rows}
    for client_id in story.memory.clients.values():
        if client_id in story.memory.deleted_clients:
            continue
        for system in TARGETS:
            row = by_client.get((client_id, system))
            if row is None:
                raise Broken("everything converges", f"client {client_id} was never wanted in {system}")
            _check_link(story, row, answered=answered)


def lift_limits(story: Story) -> None:
    """Whoever only looks is not to wait for a vendor's turn."""
    for simulator in story.simulators.values():
        limited: Any = getattr(simulator, "access", simulator)
        if hasattr(limited, "rate_limit"):
            limited.rate_limit = None


def _check_events(story: Story) -> None:
    left = story.database.look("SELECT state, count(*) FROM inbox_event WHERE state IN ('new', 'taken') GROUP BY 1")
    if left:
        raise Broken("everything converges", f"events are still open: {left}")
    dead = story.database.look("SELECT source_id, fetch_reason, fetch_message FROM contact WHERE fetch_state = 'dead'")
    if dead:
        raise Broken("everything converges", f"fetches gave up: {dead}")


def _check_contacts(story: Story) -> None:
    client = story.workers[0].runtime.client("robaws")
    for client_id in story.memory.clients.values():
        if client_id in story.memory.deleted_clients:
            continue
        held = story.database.look("SELECT canonical FROM contact WHERE source_id = %(c)s", {"c": client_id})
        now, _ = client.fetch(session(story, "robaws"), client_id)
        if not held or held[0][0] != now:
            raise Broken("everything converges", f"client {client_id} is {now} in Robaws, and here {held}")


def _check_flapping(story: Story) -> None:
    client_id = story.memory.clients.get(FLAPPING_CLIENT)
    if "flapping" not in story.script.troubles or client_id in (None, *story.memory.deleted_clients):
        return
    [(version, state)] = story.database.look(
        "SELECT version, fetch_state FROM contact WHERE source_id = %(c)s", {"c": client_id}
    )
    if version > MOST_VERSIONS or state != "idle":
        raise Broken("no echo loop", f"client {client_id} went to and fro through {version} versions and is {state}")


def session(story: Story, system: str) -> Session:
    """A way to a vendor that meets no trouble and counts as nobody's."""
    settings = story.settings.system(system)
    runtime = story.workers[0].runtime
    http = make_client(settings.base_url, runtime._transports[system])
    return Session(system, http, Unmetered(), clock=story.clock.wall)


def _check_link(story: Story, row: Any, *, answered: bool) -> None:
    system, who = row[2], f"client {row[10]} in {row[2]}"
    if _is_left(story, row, who, answered=answered):
        return
    if row[8] != row[9] or row[9] != row[12]:
        raise Broken("everything converges", f"{who} wants {row[8]}, has {row[9]}, the contact is at {row[12]}")
    if find_record(story, system, str(row[6])) is None:
        if (system, row[6]) in story.memory.deleted_records:
            return  # nothing has changed since, so nobody had a reason to look
        raise Broken("one record a contact and system", f"{who} is linked to {row[6]}, which is not there")
    _check_record(story, row, who)


def _is_left(story: Story, row: Any, who: str, *, answered: bool) -> bool:
    """Whether a link may stay as it is, without being in line: it waits for a person, or was given up with a reason."""
    state, reason = row[3], row[4]
    if state == "excluded" and reason == "discarded" and "discarded" in story.memory.excuses:
        return True
    if (row[2], row[10]) in story.memory.left_out:
        if state != "excluded":
            raise Broken("a person's answer holds", f"{who} was left out by a person, and is {state}")
        return True
    if state == "review":
        _check_review(story, row, who, answered=answered)
        return bool(reason != "field_conflict")
    if state == "dead" and _may_be_dead(story, row):
        return True
    if state != "synced":
        raise Broken("everything converges", f"{who} is {state}: {reason}, {row[5]}")
    return False


def _check_review(story: Story, row: Any, who: str, *, answered: bool) -> None:
    if row[4] in ("match_taken", "match_refused") and row[10] in _twins(story):
        return  # the vendor itself may take the two for one, whatever a person says here
    if answered or row[4] not in _reasons(story, row):
        raise Broken("everything converges", f"{who} waits for a person: {row[4]}, {row[5]}")


def _twins(story: Story) -> set[str]:
    """Clients that one company has at Robaws more than once, or that a careful person would take for one."""
    several = (*plots.TWINS, *plots_identity.MERGED, *plots_identity.SISTERS)
    return {story.memory.clients[twin] for twin in several if twin in story.memory.clients}


def _may_be_dead(story: Story, row: Any) -> bool:
    """A Workspace that refuses a reference which a record in the bin still has: a person empties the bin."""
    refuses = story.script.setup.simulators["workspace"]["duplicate_reference"] == "refuse"
    in_bin = any(system == "workspace" for system, _ in story.memory.deleted_records)
    return bool(row[2] == "workspace" and row[4] == "rejected_unclear" and refuses and in_bin)


def _reasons(story: Story, row: Any) -> set[str]:
    """For which reasons a person may be asked, by what happened in this story."""
    troubles, memory = set(story.script.troubles), story.memory
    allowed: set[str] = set()
    if any(record_system == row[2] for record_system, _ in memory.deleted_records) or "gone" in memory.excuses:
        allowed |= {"gone", "unusable"}
    if memory.by_hand or _twins(story) or memory.relinked:
        allowed |= {"several_matches", "doubtful_match", "match_taken", "reference_collision", "field_conflict"}
    if memory.refused:
        allowed |= {"match_refused"}
    owners = story.workers[0].runtime.owners(row[2])
    if "review" in owners.values() or troubles & {"refusal", "corrected"}:
        allowed.add("field_conflict")
    if troubles & (
        {"lost", "late", "slow", "garbage", "server", "outage", "unsent", "kills", "freezes"} | plots.UNANSWERED
    ):
        allowed |= {"outcome_unknown"}
    return allowed


def _check_record(story: Story, row: Any, who: str) -> None:
    system, external_id = row[2], str(row[6])
    client = story.workers[0].runtime.client(system)
    mapping: VendorMapping = client.mapping
    record: Record = client.read(session(story, system), external_id)
    snapshot = Snapshot.from_json(row[7]) or Snapshot()
    ours = mapping.outward(row[11])
    owners = story.workers[0].runtime.owners(system)
    by_hand = (system, external_id) in story.memory.by_hand
    waiting = {path for name, one in row[13].items() for path in (name, *one.get("members", ()))}
    for field in mapping.rows:
        if field.vendor not in ours.fields or field.direction == "in" or field.write == "create":
            continue
        if owners[field.vendor] != "robaws" or field.vendor in ours.placeholders or field.null_rule == "never":
            continue
        if (system, external_id, field.vendor) in story.memory.edits.keys() | story.memory.let_stand:
            continue
        mine, theirs = field.key(ours.fields[field.vendor]), field.key(record.fields.get(field.vendor))
        if mine == theirs:
            continue
        if field.vendor in waiting or (by_hand and field.key(snapshot.theirs.get(field.vendor)) == theirs):
            continue  # a person is asked, or what was there before on the first link stands
        told = f"{field.vendor} is {record.fields.get(field.vendor)!r}, and should be {ours.fields[field.vendor]!r}"
        raise Broken("everything converges", f"{who}: {told}")
    not_ours = by_hand or row[10] in _twins(story) or (system, row[10]) in story.memory.merged_there
    if mapping.persons is not None and record.persons is not None and not not_ours:
        strangers = {person for place, person in story.memory.their_persons if place == external_id}
        _check_persons(mapping, record, ours.persons, strangers, who)


def _check_persons(mapping: VendorMapping, record: Record, ours: Any, strangers: set[str], who: str) -> None:
    table = mapping.persons
    assert table is not None  # noqa: S101 - looked at by the caller
    mine = sorted(str(table.name(person.fields)) for person in ours)
    shown = [person for person in record.persons or () if person.external_id not in strangers]
    theirs = sorted(str(table.name(person.fields)) for person in shown)
    if mine != theirs:
        raise Broken("everything converges", f"{who}: the persons are {theirs}, and should be {mine}")
