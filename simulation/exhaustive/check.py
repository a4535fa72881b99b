"""
What must hold at every state, and from every state once all trouble has ended.

Trouble ends like this: whatever is under way is answered, a paused system is resumed, time goes by as long as something
is due, and a person answers every question. Then the product owes nothing, and the system says what Robaws says, unless
a person decided otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simulation.broken import Broken
from simulation.exhaustive import actions, commands
from simulation.exhaustive.state import fingerprint

if TYPE_CHECKING:
    from simulation.exhaustive.world import World

MOST_ROUNDS: Final = 250
MOST_ANSWERS: Final = 6
PATIENT_ANSWERS: Final = 3
CONVERGES: Final = "everything converges"
OPEN: Final = ("new", "taken")


def check_state(world: World, rows: Mapping[str, Any]) -> None:
    """What holds at every moment; Broken names what does not."""
    _check_equation(world, rows)
    _check_records(world, rows)
    _check_edits(world)
    _check_answers(world, rows)
    _note_gone(world, rows)


def _check_equation(world: World, rows: Mapping[str, Any]) -> None:
    totals = {name: sum(row[name] for row in rows["event_tally"] or ()) for name in ("received", "applied", "skipped")}
    states = [row["state"] for row in rows["inbox_event"] or ()]
    is_open, dead = sum(state in OPEN for state in states), states.count("dead")
    if totals["received"] != totals["applied"] + totals["skipped"] + is_open + dead:
        raise Broken("received = applied + skipped + open + dead", f"{totals}, open {is_open}, dead {dead}")
    if totals["received"] != world.ghost.received:
        raise Broken("no event lost", f"{world.ghost.received} events came, {totals['received']} are counted")


def _check_records(world: World, rows: Mapping[str, Any]) -> None:
    if world.ghost.more_allowed:
        return
    there = {str(record["id"]) for record in world.records()}
    sources = {row["id"]: row["source_id"] for row in rows["contact"] or ()}
    linked = {sources[row["contact_id"]]: row["external_id"] for row in rows["link"] or ()}
    for client, made in world.ghost.made.items():
        live = {record for record in made if record in there}
        if linked.get(client) in there and linked[client] not in live and live:
            live.add(linked[client])
        if len(live) > 1:
            raise Broken("one record a client and system", f"client {client} has {sorted(live)}")


def _check_edits(world: World) -> None:
    if world.ghost.edited is None or world.ghost.asked_back:
        return
    for record in world.records():
        if str(record["id"]) == world.ghost.edited:
            email = record.get(actions.EMAIL[world.system])
            if email != actions.TYPED_THERE:
                raise Broken("no person's edit overwritten", f"record {record['id']} holds {email!r} again")


def _check_answers(world: World, rows: Mapping[str, Any]) -> None:
    sources = {row["id"]: row["source_id"] for row in rows["contact"] or ()}
    for row in rows["link"] or ():
        if f"{sources[row['contact_id']]}:{row['external_id']}" in world.ghost.refused:
            raise Broken("a person's answer holds", f"linked to record {row['external_id']}, which a person refused")


def _note_gone(world: World, rows: Mapping[str, Any]) -> None:
    """From when on a client must not be made any more: it is known to be gone, and no request of its is under way."""
    waiting = {
        row["contact_id"] for row in rows["link"] or () if row["state"] == "working" or row["intent"] is not None
    }
    for row in rows["contact"] or ():
        if row["gone_at"] is not None and row["id"] not in waiting and row["source_id"] in world.ghost.deleted:
            world.ghost.known_gone.add(row["source_id"])


def check_convergence(world: World, known: set[bytes]) -> None:
    """
    End all trouble, and compare. Uses the world up: what is under way goes on.

    `known` are states from which this was seen to hold; those passed on the way are added.
    """
    passed: list[bytes] = []
    answers = tried = 0
    for _ in range(MOST_ROUNDS):
        for flow in list(world.flows.values()):
            while flow.name in world.flows:
                flow.fate = "answered"
                world.go_on(flow)
        rows = world.rows()
        check_state(world, rows)
        here = fingerprint(world, rows, answers)
        if here in known:
            known.update(passed)
            return
        # What is due at a system that is held back does not move: then something else is tried.
        tried = tried + 1 if passed and here == passed[-1] else 0
        passed.append(here)
        if _resumed(world, rows):
            continue
        if tried == 0 and actions.fetch_due(world, rows) is not None:
            world.fetch()
        elif tried <= 1 and actions.delivery_due(world, rows) is not None:
            world.deliver()
        elif answers < MOST_ANSWERS and _answered(world, rows, patient=answers < PATIENT_ANSWERS):
            answers += 1
        elif (moment := actions.next_moment(world, rows)) is not None and _owed(rows):
            world.later(moment)
        else:
            _check_end(world, rows)
            known.update(passed)
            return
    raise Broken(CONVERGES, f"still busy after {MOST_ROUNDS} steps: {_states(world.rows())}")


def _resumed(world: World, rows: Mapping[str, Any]) -> bool:
    held = any(
        row["system"] == world.system and row["paused_by"] not in (None, "credentials") for row in rows["system_state"]
    )
    if held:
        commands.resume(world)
    return held


def _answered(world: World, rows: Mapping[str, Any], *, patient: bool) -> bool:
    """
    A person answers the first question that can be answered: by its first choice, and by its last, which leaves the
    client out, once the same keeps being asked. A vendor may leave no other way, whose references are unique, say.
    """
    for review in rows["review"] or ():
        if review["resolved_at"] is not None:
            continue
        choices = commands.choices(world, review)
        for choose, external_id in choices if patient else reversed(choices):
            if commands.answer(world, review["id"], choose, external_id):
                return True
    return False


def _owed(rows: Mapping[str, Any]) -> bool:
    """Whether anything waits for a time; a system to which nothing is owed is probed for ever."""
    return any(row["state"] in actions.DUE for row in rows["link"] or ()) or any(
        row["fetch_state"] in actions.DUE for row in rows["contact"] or ()
    )


def _states(rows: Mapping[str, Any]) -> str:
    links = [(row["state"], row["reason"], row["message"]) for row in rows["link"] or ()]
    fetches = [(row["fetch_state"], row["fetch_reason"]) for row in rows["contact"] or ()]
    return f"links {links}, fetches {fetches}"


def _check_end(world: World, rows: Mapping[str, Any]) -> None:
    states = _states(rows)
    if left := [row["state"] for row in rows["inbox_event"] or () if row["state"] in OPEN]:
        raise Broken(CONVERGES, f"{len(left)} events are open for ever; {states}")
    if any(row["state"] == "dead" for row in rows["inbox_event"] or ()):
        raise Broken(CONVERGES, f"an event is dead though its client can be read; {states}")
    links = {row["contact_id"]: row for row in rows["link"] or ()}
    for contact in rows["contact"] or ():
        client = contact["source_id"]
        if contact["fetch_state"] != "idle":
            raise Broken(CONVERGES, f"the fetch of client {client} is {contact['fetch_state']}; {states}")
        if client in world.ghost.deleted:
            continue
        _check_link(world, contact, links.get(contact["id"]), states)


def _check_link(world: World, contact: Mapping[str, Any], link: Mapping[str, Any] | None, states: str) -> None:
    client = contact["source_id"]
    said = world.robaws.client(client)
    if (contact["canonical"] or {}).get("phone", "").replace(" ", "") != said["tel"].replace(" ", ""):
        raise Broken(CONVERGES, f"client {client} says {said['tel']}, we {contact['canonical']}; {states}")
    if client in world.ghost.left_out:
        if link is not None and link["state"] != "excluded":
            raise Broken("a person's answer holds", f"client {client} was left out and is {link['state']}")
        return
    if link is None:
        raise Broken(CONVERGES, f"client {client} is wanted nowhere; {states}")
    if said["address"]["city"] == actions.REFUSED_CITY:
        return
    if link["state"] != "synced" or link["wanted_version"] != link["synced_version"]:
        raise Broken(CONVERGES, f"client {client} is acceptable and never delivered; {states}")
    record = next((one for one in world.records() if str(one["id"]) == link["external_id"]), None)
    if record is None and link["external_id"] in world.ghost.removed:
        return  # nothing tells of it, until something is written there
    if record is None:
        raise Broken(CONVERGES, f"client {client} is linked to {link['external_id']}, which is not there")
    _check_values(world, client, said, record)


def _check_values(world: World, client: str, said: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    phone = str(record.get(actions.PHONE[world.system]) or "")
    if phone.replace(" ", "") != said["tel"].replace(" ", ""):
        raise Broken(CONVERGES, f"client {client} says {said['tel']}, its record {phone}")
    email = record.get(actions.EMAIL[world.system])
    if world.ghost.asked_back and email != said["email"]:
        raise Broken("a person's command is carried out", f"the record was to say {said['email']}, and says {email}")
