"""Every step that can follow a state, by name, and what it costs of the bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from simulation.exhaustive import commands
from simulation.exhaustive.step import Action
from simulation.exhaustive.wire import READ_FATES, WRITE_FATES
from worker.runtime import SOURCE

if TYPE_CHECKING:
    from simulation.exhaustive.world import World

REFUSED_CITY: Final = "Nergenshuizen"
CONTENTS: Final[dict[str, dict[str, Any]]] = {
    "A": {"tel": "+32 9 000 00 01", "address": {"city": "Gent"}},
    "B": {"tel": "+32 9 000 00 02", "address": {"city": "Gent"}},
    "refused": {"tel": "+32 9 000 00 01", "address": {"city": REFUSED_CITY}},
}
"""What a client may say at Robaws; the last one is refused by the vendor."""
EMAIL: Final = {"rompslomp": "contact_person_email_address", "workspace": "email"}
PHONE: Final = {"rompslomp": "phone", "workspace": "phone"}
TYPED_THERE: Final = "typed-there@delinde.example"
SOON: Final = timedelta(seconds=1.5)
DUE: Final = ("due", "waiting", "working", "unknown")


def enabled(world: World, rows: Mapping[str, Any]) -> Iterator[Action]:
    """All that can happen next."""
    yield from _typed(world)
    yield from _flows(world, rows)
    yield from _under_way(world)
    yield from commands.enabled(world, rows)
    if (moment := next_moment(world, rows)) is not None:
        yield Action("time goes by", "ticks", lambda world: world.later(moment))


def _typed(world: World) -> Iterator[Action]:
    for client in world.clients():
        said = world.robaws.client(client)
        for word, content in CONTENTS.items():
            if said["tel"] != content["tel"] or said["address"]["city"] != content["address"]["city"]:
                yield Action(f"client {client} becomes {word}", "typing", _change(client, word))
        yield Action(f"an event for client {client} comes again", "typing", _event(client))
        yield Action(f"client {client} is deleted", "typing", _delete(client))
    for record in world.records():
        if record.get(EMAIL[world.system]) != TYPED_THERE:
            yield Action(f"a person edits record {record['id']}", "typing", _edit(str(record["id"])))
        yield Action(f"a person deletes record {record['id']}", "typing", _remove(str(record["id"])))


def _event(client: str) -> Callable[[World], object]:
    return lambda world: world.event(client)


def _change(client: str, word: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        world.robaws.change_client(client, **CONTENTS[word])
        world.event(client)

    return do


def _delete(client: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        world.robaws.delete_client(client)
        world.ghost.deleted.add(client)
        world.event(client)

    return do


def _edit(record: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        world.target.edit_record(record, {EMAIL[world.system]: TYPED_THERE})
        # What is typed while something of ours is on its way there may be overwritten by it or come after it.
        world.ghost.edited = record if _settled(world) else None
        world.ghost.asked_back = False

    return do


def _remove(record: str) -> Callable[[World], object]:
    def do(world: World) -> None:
        world.target.delete_record(record)
        world.ghost.removed.add(record)
        if world.ghost.edited == record:
            world.ghost.edited = None

    return do


def _settled(world: World) -> bool:
    """Whether nothing is owed there, nothing is under way and nothing is asked."""
    [(unsettled,)] = world.database.look(
        "SELECT EXISTS (SELECT FROM contact WHERE fetch_state <> 'idle') OR EXISTS (SELECT FROM link WHERE "
        "state <> 'synced' OR restore OR repair <> '[]' OR wanted_version <> synced_version)"
    )
    return not unsettled and not world.flows


def _flows(world: World, rows: Mapping[str, Any]) -> Iterator[Action]:
    """A worker takes what is due, or will be in a moment: a step for that moment alone would only make paths longer."""
    if (at := fetch_due(world, rows, SOON)) is not None:
        yield Action("a worker fetches", "", _after(at, lambda world: world.fetch()))
    if (at := delivery_due(world, rows, SOON)) is not None:
        yield Action("a worker delivers", "", _after(at, lambda world: world.deliver()))


def _after(moment: datetime, do: Callable[[World], None]) -> Callable[[World], object]:
    def later(world: World) -> None:
        if moment > world.now:
            world.later(moment)
        do(world)

    return later


def fetch_due(world: World, rows: Mapping[str, Any], ahead: timedelta = timedelta(0)) -> datetime | None:
    """When the next fetch can be claimed, or the source be probed, if that is within `ahead`."""
    moments = [row["fetch_next_attempt_at"] for row in rows["contact"] or () if row["fetch_state"] in DUE]
    return _first(world, [*moments, *_probes(rows, SOURCE)], ahead)


def delivery_due(world: World, rows: Mapping[str, Any], ahead: timedelta = timedelta(0)) -> datetime | None:
    """When the next delivery can be claimed, or the system be probed, if that is within `ahead`."""
    links = [row for row in rows["link"] or () if row["system"] == world.system and row["state"] in DUE]
    return _first(world, [*(row["next_attempt_at"] for row in links), *_probes(rows, world.system)], ahead)


def _probes(rows: Mapping[str, Any], system: str) -> list[str | None]:
    states = rows["system_state"] or ()
    return [row["probe_at"] for row in states if row["system"] == system and row["breaker"] != "closed"]


def _first(world: World, moments: list[str | None], ahead: timedelta) -> datetime | None:
    first = min((datetime.fromisoformat(moment) for moment in moments if moment), default=None)
    return first if first is not None and first <= world.now + ahead else None


def _under_way(world: World) -> Iterator[Action]:
    for flow in world.flows.values():
        fates = WRITE_FATES if flow.writes else READ_FATES
        yield Action(f"{flow.name}: {flow.sent} is answered", "", _go_on(flow.name, "answered"))
        for fate in fates:
            yield Action(f"{flow.name}: {flow.sent} meets {fate}", "faults", _go_on(flow.name, fate))
    if world.flows:
        yield Action("the worker is killed", "crashes", _crash)


def _go_on(name: str, fate: Any) -> Callable[[World], object]:
    def do(world: World) -> None:
        flow = world.flows[name]
        flow.fate = fate
        world.go_on(flow)

    return do


def _crash(world: World) -> None:
    world.stop()
    world.restart()


def next_moment(world: World, rows: Mapping[str, Any]) -> datetime | None:
    """The next time at which something is due that is not due now; a lease ends too."""
    moments = [row["next_attempt_at"] for row in rows["link"] or () if row["state"] in DUE]
    moments += [row["fetch_next_attempt_at"] for row in rows["contact"] or () if row["fetch_state"] in DUE]
    for row in rows["system_state"] or ():
        if row["breaker"] != "closed" or row["paused_by"] == "credentials":
            moments.append(row["probe_at"])
        moments += [row["throttled_until"], row["creates_paused_until"]]
    ahead = [moment for text in moments if text and (moment := datetime.fromisoformat(text)) > world.now]
    return min(ahead, default=None)
