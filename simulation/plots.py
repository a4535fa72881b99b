"""
Trouble with an aim: what people do, and what fails in just that moment, so that one guard of the product is needed.

Chance alone seldom brings such moments about: a worker that is stopped between its plan and its write while a newer
version comes, a change that is taken back while the worker that made it is dead.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from simulation.people import CITIES, PERSONS, PHONES, STREETS, firm

if TYPE_CHECKING:
    from simulation.people import Happening
    from simulation.script import Setup

TARGETS: Final = ("rompslomp", "recras", "workspace")
SETTLED: Final = 0.4
"""After this share of a story every client is there, as a rule in all systems."""

NEW_STREETS: Final = ("Dorpsplein 1", "Stationsweg 3", "Beekdreef 5", "Zandpad 9")

TWINS: Final = (11, 12)
TWIN_FIRM: Final = 3

UNANSWERED: Final = {"overtaken", "taken_back", "overlate", "gateway", "down"}
"""The plots in which a create may stay without an answer."""


def existing(rng: random.Random, setup: Setup, _length: float) -> list[Happening]:
    """Clients stand in the targets before anybody types them into Robaws: once, twice, or nearly the same."""
    made: list[Happening] = []
    for system in rng.sample(TARGETS, rng.choice((1, 2, 3))):
        args = {"system": system, "client": rng.randrange(setup.clients)}
        how = rng.choice(("once", "once", "once", "twice", "nearly"))
        made += [(0.0, "record_by_hand", {**args, "exact": how != "nearly"}) for _ in range(1 + (how == "twice"))]
    return made


def twins(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Two clients of Robaws are the same firm, typed in at the same time, and may be one record in a target."""
    born = rng.uniform(10, length * 0.5)
    members = firm(TWIN_FIRM, emails=setup.emails)
    made: list[Happening] = [
        (born + place * rng.uniform(0, 1), "client_added", {"client": twin, "members": members})
        for place, twin in enumerate(TWINS)
    ]
    systems = [system for system in TARGETS if rng.random() < 0.7]
    made += [(0.0, "record_by_hand", {"system": system, "client": TWINS[0], "exact": True}) for system in systems]
    return made


def owned(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Somebody changes a field in a target, and somebody else the same field in Robaws."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2, 3))):
        at, client = rng.uniform(length * SETTLED, length), rng.randrange(setup.clients)
        path, theirs = rng.choice((("address.city", "Oostende"), ("phone", "+32 9 999 99 99")))
        systems = [system for system in TARGETS if (system, path) != ("recras", "phone")]
        edit = {"system": rng.choice(systems), "client": client, "path": path, "value": theirs}
        made.append((at, "record_edited", edit))
        made.append((at + rng.uniform(5, 90), "client_changed", {"client": client, "members": _new(rng, path)}))
    return made


def strangers(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Recras has contact persons whom Robaws does not know, while Robaws's own come and go."""
    client, place = rng.randrange(setup.clients), rng.randrange(len(PERSONS))
    at = rng.uniform(length * SETTLED, length * 0.6)
    person = {"client": client, "person": place}
    made: list[Happening] = [
        (at, "their_person", {"client": client}),
        (at + rng.uniform(10, 100), "person_added", {**person, "members": dict(PERSONS[place])}),
    ]
    if rng.random() < 0.5:
        made.append((at + rng.uniform(110, 250), "person_removed", person))
    return made


def overtaken(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A worker stands still just before its request leaves, or while it waits; meanwhile the client changes again."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2))):
        at, client = rng.uniform(length * SETTLED, length * 0.7), rng.randrange(setup.clients)
        path = rng.choice(("address.city", "address.city", "phone"))
        where = rng.choice(
            ("update.before_send", "update.before_send", "deliver.claim.after_commit", "read.after_answer")
        )
        trap = {"how": "freeze", "where": f"{rng.choice(TARGETS)}.{where}" if "deliver" not in where else where}
        made.append((at, "trap", {**trap, "seconds": rng.uniform(125, 240)}))
        made.append((at, "client_changed", {"client": client, "members": _new(rng, path)}))
        made.append((at + rng.uniform(10, 120), "client_changed", {"client": client, "members": _new(rng, path)}))
    if rng.random() < 0.4:
        where = f"{rng.choice(TARGETS)}.create.before_send"
        made.append((0.0, "trap", {"how": "freeze", "where": where, "seconds": rng.uniform(125, 240)}))
    return made


def taken_back(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A change is made in a target, the worker that made it dies or never hears of it, and the change is taken back."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2, 3))):
        at, client, system = rng.uniform(length * SETTLED, length * 0.8), rng.randrange(setup.clients), _target(rng)
        if rng.random() < 0.75:
            trap = {"how": "kill", "where": f"{system}.update.after_answer", "seconds": rng.uniform(0.5, 60)}
            made.append((at, "trap", {**trap, "client": client, "back_after": rng.uniform(2, 60)}))
        else:
            method = "PUT" if system == "recras" else "PATCH"
            made.append((at, "fault", {"system": system, "fault": "drop_after", "method": method, "times": 1}))
            made.append((at + rng.uniform(4, 30), "client_taken_back", {"client": client}))
        made.append((at, "client_changed", {"client": client, "members": _street(rng.choice(NEW_STREETS))}))
    return made


def overlate(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A change is given up, and made late, when there is a newer one already."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2, 3))):
        at, client = rng.uniform(length * SETTLED, length * 0.9), rng.randrange(setup.clients)
        system = rng.choice(("recras", "recras", "workspace", "workspace", "rompslomp"))
        old, new = rng.sample(NEW_STREETS, 2)
        made.append((at, rng.choice(("late", "gateway")), {"system": system, "share": rng.uniform(0.5, 1), "times": 1}))
        made.append((at, "client_changed", {"client": client, "members": _street(old)}))
        made.append((at + rng.uniform(4, 40), "client_changed", {"client": client, "members": _street(new)}))
    return made


def gateway(rng: random.Random, _setup: Setup, _length: float) -> list[Happening]:
    """A proxy before a vendor gives creates up, and they are made all the same: at once, or somewhat later."""
    systems = rng.sample(TARGETS, rng.choice((1, 2)))
    return [
        (0.0, "gateway", {"system": system, "share": rng.choice((0.0, rng.random())), "times": rng.choice((1, 1, 2))})
        for system in systems
    ]


def down(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """One target is down for long while every client changes."""
    at = rng.uniform(0, length * 0.3)
    how = rng.choice(("refuse", "status", "html", "silent"))
    made: list[Happening] = [(at, "outage", {"system": _target(rng), "how": how, "seconds": length})]
    for client in range(setup.clients):
        moments = [rng.uniform(length * 0.3, length * 0.8) for _ in range(2)]
        made += [
            (moment, "client_changed", {"client": client, "members": _new(rng, "address.city")}) for moment in moments
        ]
    return made


def _street(street: str) -> dict[str, Any]:
    """A member that Robaws owns in every system, whatever the story's settings say."""
    return {"address": {"addressLine1": street}}


def _target(rng: random.Random) -> str:
    return rng.choice(TARGETS)


def _new(rng: random.Random, path: str) -> dict[str, Any]:
    if path == "phone":
        return {"tel": rng.choice((*PHONES, "+32 9 000 05 55"))}
    if rng.random() < 0.2:
        return {"address": {"addressLine1": rng.choice(STREETS)}}
    return {"address": {"city": rng.choice((*CITIES, "Mechelen", "Ieper"))}}
