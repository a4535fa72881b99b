"""What each word of a script does to the story. Something whose client or record is not there does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulation import conditions, operators, people, plots, plots_identity, retyping, typing_in
from simulation.memory import Edit
from simulation.network import WireFault
from simulation.processes import Trap
from simulation.trouble import MEMBERS, VENDORS
from simulation.typing_in import living
from worker.vendors.robaws.mapping import to_canonical

if TYPE_CHECKING:
    from simulation.story import Story

Happening = Callable[["Story", Mapping[str, Any]], None]


# --------------------------------------------------------------------------------------------------- in the targets
def record_edited(story: Story, args: Mapping[str, Any]) -> None:
    """
    Somebody changes a record in a target.

    Not between our read and our write: no vendor has a conditional write, so what falls into that moment can be
    overwritten by anybody's client (docs/simulation.md says so).
    """
    system, record = args["system"], _record(story, args)
    if record is None:
        return
    if _in_hand(story, system, record):
        story.later.append((story.clock.true + 7.0, lambda: record_edited(story, args)))
        return
    member = MEMBERS[system][args["path"]]
    owner = story.workers[0].runtime.owners(system)[member]
    story.simulators[system].edit_record(record, {member: args["value"]})
    stands = owner == "robaws" and _is_settled(story, system, record)
    story.memory.edited(Edit(system, record, member, args["value"], owner, stands))
    story.invariants.vendor_changed = True


def _is_settled(story: Story, system: str, record: str) -> bool:
    """Whether this link has all that Robaws says now, and nothing of ours may still arrive."""
    rows = story.database.look(
        "SELECT c.source_id, c.canonical FROM link l JOIN contact c ON c.id = l.contact_id "
        "WHERE l.system = %(s)s AND l.external_id = %(r)s AND l.state = 'synced' AND l.wanted_version = c.version "
        "AND NOT l.restore AND l.repair = '[]' AND c.fetch_state = 'idle' AND c.gone_at IS NULL",
        {"s": system, "r": record},
    )
    if not rows or rows[0][0] in story.memory.deleted_clients:
        return False
    said = to_canonical(story.robaws.client(rows[0][0]), story.workers[0].runtime.client("robaws").options)
    return bool(said == rows[0][1])


def their_person(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody adds a contact person in Recras, who is none of ours and must stay."""
    record = _record(story, {**args, "system": "recras"})
    if record is None:
        return
    if _in_hand(story, "recras", record):
        story.later.append((story.clock.true + 7.0, lambda: their_person(story, args)))
        return
    recras: Any = story.simulators["recras"]
    person = recras.add_person(record, voornaam="Dirk", achternaam="Smet", email1="dirk@voorbeeld.example")
    story.memory.their_persons[record, person] = "Smet"
    story.invariants.vendor_changed = True


def _in_hand(story: Story, system: str, record: str) -> bool:
    if any(entry[1] == system for entry in story.network.later):
        return True
    rows = story.database.look(
        "SELECT 1 FROM link WHERE system = %(s)s AND state = 'working' AND external_id = %(r)s",
        {"s": system, "r": record},
    )
    return bool(rows)


def record_deleted(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody deletes a record in a target."""
    record = _record(story, args)
    if record is not None:
        story.simulators[args["system"]].delete_record(record)  # type: ignore[attr-defined]
        story.memory.removed(args["system"], record)
        story.invariants.vendor_changed = True


def _record(story: Story, args: Mapping[str, Any]) -> str | None:
    """The record that a client is linked to, if it is still there."""
    from simulation.invariants import find_record

    client_id = story.memory.clients.get(args["client"])
    rows = story.database.look(
        "SELECT l.external_id FROM link l JOIN contact c ON c.id = l.contact_id "
        "WHERE c.source_id = %(c)s AND l.system = %(s)s AND l.external_id IS NOT NULL",
        {"c": client_id, "s": args["system"]},
    )
    if not rows or find_record(story, args["system"], rows[0][0]) is None:
        return None
    return str(rows[0][0])


def record_by_hand(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody retypes a client in a target, exactly or with another town."""
    number, system = args["client"], args["system"]
    client_id = living(story, args)
    members = story.robaws.client(client_id) if client_id is not None else None
    if members is None:
        firm = plots.TWIN_FIRM if number in (*plots.TWINS, *plots_identity.SISTERS) else number
        if firm == number and number >= story.script.setup.clients:
            return
        members = people.firm(firm, emails=story.script.setup.emails)
    record = retyping.retype(story.simulators[system], system, members, exact=args["exact"])
    story.memory.by_hand[system, record] = str(number)
    if args["exact"] and number not in (*story.memory.clients, *plots_identity.SISTERS):
        story.memory.there_before[system, record] = (number, story.clock.now())
    story.invariants.vendor_changed = True


# --------------------------------------------------------------------------------------------------------- trouble
def fault(story: Story, args: Mapping[str, Any]) -> None:
    """The next requests to a vendor fail in some way."""
    told = dict(args)
    system, kind = told.pop("system"), told.pop("fault")
    story.faults[kind] += 1
    if kind == "refuse":
        story.network.faults.append(WireFault("refuse", system, told["times"]))
        return
    if kind == "status":
        told |= {"body": "{}"}
    story.simulators[system].fail(kind, **told)
    _excuse_gone(story, args)


def _excuse_gone(story: Story, args: Mapping[str, Any]) -> None:
    if args.get("status") == 404 and args["system"] != "robaws":
        story.memory.excuses.add("gone")


def late(story: Story, args: Mapping[str, Any]) -> None:
    """The next write is worked on after our timeout."""
    story.network.faults.append(WireFault("late", args["system"], args["times"], args["share"]))


def gateway(story: Story, args: Mapping[str, Any]) -> None:
    """A proxy answers 504 to the next write, which is worked on all the same."""
    story.network.faults.append(WireFault("gateway", args["system"], args["times"], args["share"]))


def refusal(story: Story, args: Mapping[str, Any]) -> None:
    """A vendor refuses one write's data."""
    status, body = conditions.REFUSALS[args["system"]]
    method = "POST" if args["system"] == "workspace" else None
    methods = [method] if method else ["POST", "PUT" if args["system"] == "recras" else "PATCH"]
    story.faults["refusal"] += 1
    story.simulators[args["system"]].fail("status", times=1, method=story.rng.choice(methods), status=status, body=body)


def town(story: Story, args: Mapping[str, Any]) -> None:
    """Workspace holds many records of one postcode, the client's own among them."""
    members = people.firm(args["client"], emails=story.script.setup.emails)
    address = members["address"]
    for number in range(args["records"]):
        if number == args["place"]:
            record_by_hand(story, {"system": "workspace", "client": args["client"], "exact": True})
        story.simulators["workspace"].add_record(  # type: ignore[attr-defined]
            name=f"Bewoner {number}", location_city=address["city"], location_postal=address["postalCode"]
        )
    story.faults["town"] += 1


def quota(story: Story, args: Mapping[str, Any]) -> None:
    """Robaws's day is spent, or Rompslomp's subscription is full for a while."""
    story.faults["quota"] += 1
    if args["which"] == "robaws":
        story.robaws.spend_daily_quota()
        return
    simulator: Any = story.simulators["rompslomp"]
    simulator.max_contacts = len(simulator.state()["records"])

    def room() -> None:
        simulator.max_contacts = None

    story.later.append((story.clock.true + 400.0, room))


def credentials(story: Story, args: Mapping[str, Any]) -> None:
    """A vendor refuses our credentials for a time."""
    system = args["system"]
    story.faults["credentials"] += 1
    simulator: Any = story.simulators[system]
    if system == "robaws" and args["status"] == 401:
        story.robaws.block()
        story.later.append((story.clock.true + args["seconds"], story.robaws.unblock))
        return
    simulator.fail("status", times=-1, status=args["status"], body="{}")
    story.later.append((story.clock.true + args["seconds"], simulator.clear_faults))


def outage(story: Story, args: Mapping[str, Any]) -> None:
    """A vendor is down for a time, in one of several ways."""
    system = args["system"]
    story.faults["outage"] += 1
    story.network.down[system] = args["how"]
    story.later.append((story.clock.true + args["seconds"], lambda: story.network.down.pop(system, None)))


def webhooks(story: Story, args: Mapping[str, Any]) -> None:
    """The next webhooks go wrong, or old ones are sent again."""
    story.faults[f"webhooks {args['fault']}"] += 1
    if args["fault"] == "again":
        story.robaws.resend_webhooks()
        return
    settings = {"times": args["times"]}
    if args["fault"] in ("delay", "reorder"):
        settings["seconds"] = args["seconds"]
    story.robaws.fail_webhooks(args["fault"], **settings)


def broker(story: Story, args: Mapping[str, Any]) -> None:
    """The broker behaves badly for a time."""
    story.faults["broker"] += 1
    manners = story.broker.manners
    manners.loss, manners.repeat, manners.delay = args["loss"], args["repeat"], args["delay"]

    def better() -> None:
        manners.loss = manners.repeat = manners.delay = 0.0

    story.later.append((story.clock.true + args["seconds"], better))


def flush(story: Story, _args: Mapping[str, Any]) -> None:
    """Redis is emptied: nudges and budgets are gone."""
    story.faults["flush"] += 1
    story.broker.empty()
    story.budget.forget()


def redis_away(story: Story, args: Mapping[str, Any]) -> None:
    """Redis does not answer for a time."""
    story.faults["redis away"] += 1
    story.broker.empty()
    story.budget.away = True
    story.broker.manners.loss = 1.0

    def back() -> None:
        story.budget.away = False
        story.broker.manners.loss = 0.0

    story.later.append((story.clock.true + args["seconds"], back))


def kill(story: Story, args: Mapping[str, Any]) -> None:
    """A worker dies at one of its next boundaries."""
    process = story.workers[args["worker"]]
    process.kill_in, process.down_seconds = args["points"], args["down"]
    story.memory.excuses.add("crashed")


def freeze(story: Story, args: Mapping[str, Any]) -> None:
    """A worker stands still from one of its next boundaries on."""
    process = story.workers[args["worker"]]
    process.freeze_in, process.freeze_seconds = args["points"], args["seconds"]
    story.memory.excuses.add("crashed")


def trap(story: Story, args: Mapping[str, Any]) -> None:
    """Whoever comes to a boundary first is killed there, or stands still."""
    story.traps.append(Trap(**args))
    story.memory.excuses.add("crashed")


def cut(story: Story, args: Mapping[str, Any]) -> None:
    """The database cuts its connections: all now, or the one that commits."""
    if args["how"] == "all":
        story.faults["database cut"] += 1
        story.database.cut()
    else:
        story.cuts.append((args["commits"], args["how"]))


def jump(story: Story, args: Mapping[str, Any]) -> None:
    """
    Our clocks are set. What is under way arrives before that: how long an unanswered create is left alone is measured
    by our clock, and no clock can measure it while it is being set (docs/simulation.md).
    """
    story.faults["clock jump"] += 1
    story.network.hurry()
    story.clock.jump(args["seconds"])
    story.invariants.forget_rates()


def heal(story: Story) -> None:
    """All trouble ends: vendors, wires, broker and clocks are well, whoever was paused is resumed."""
    story.note("* all is well again")
    for _, act in sorted(story.later, key=lambda entry: entry[0]):
        act()
    story.later.clear()
    story.network.heal()
    for system in VENDORS:
        story.simulators[system].clear_faults()
    story.memory.refuses_city.clear()
    story.robaws.unblock()
    story.cuts.clear()
    story.traps.clear()
    if story.clock.offset:
        story.clock.offset = 0.0
        story.invariants.forget_rates()
    for process in story.processes:
        process.frozen_until = 0.0
        process.kill_in = process.freeze_in = None
    operators.resume(story, {})
    for number, client_id in story.memory.clients.items():
        # What no webhook told is told by the next one; here, the client is saved once more.
        if client_id not in story.memory.deleted_clients:
            typing_in.client_changed(story, {"client": number, "members": {}})


def last_retries(story: Story) -> None:
    """Somebody goes through what gave up, and tries it again."""
    story.note("* what gave up is tried again")
    operators.retry(story, {})


def last_answers(story: Story) -> None:
    """Somebody answers every question that is open."""
    story.note("* every question is answered")
    operators.answer(story, {"word": story.rng.choice(("ours", "theirs"))})


ALL: Final[dict[str, Happening]] = {
    "client_added": typing_in.client_added,
    "client_changed": typing_in.client_changed,
    "client_taken_back": typing_in.client_taken_back,
    "client_deleted": typing_in.client_deleted,
    "person_added": typing_in.person_added,
    "person_changed": typing_in.person_changed,
    "person_removed": typing_in.person_removed,
    "record_edited": record_edited,
    "record_deleted": record_deleted,
    "record_by_hand": record_by_hand,
    "their_person": their_person,
    "fault": fault,
    "late": late,
    "gateway": gateway,
    "refusal": refusal,
    "quota": quota,
    "credentials": credentials,
    "outage": outage,
    "webhooks": webhooks,
    "broker": broker,
    "flush": flush,
    "redis_away": redis_away,
    "kill": kill,
    "freeze": freeze,
    "trap": trap,
    "cut": cut,
    "jump": jump,
    "pause": operators.pause,
    "resume": operators.resume,
    "sync": operators.sync,
    "retry": operators.retry,
    "answer": operators.answer,
    "discard": operators.discard,
    "refuse_city": conditions.refuse_city,
    "limit": conditions.limit,
    "partial": conditions.partial,
    "town": town,
    "replay": operators.replay,
    "exclude": operators.exclude,
    "include": operators.include,
    "link": operators.link,
    "unlink": operators.unlink,
}
