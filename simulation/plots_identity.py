"""
Trouble about who is who, and about moments that need one exact order.

Namesakes, sister companies, a person and his own company, clients merged or made again, a town with more records than a
page; a change in the very moment of a call, a correction while what it corrects is being refused, a vendor with a limit
that nobody told us.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from simulation.people import firm

if TYPE_CHECKING:
    from simulation.people import Happening
    from simulation.script import Setup

TARGETS: Final = ("rompslomp", "recras", "workspace")
SISTERS: Final = (21, 22)
MERGED: Final = (31, 32)
REFUSED_CITY: Final = "Nergenshuizen"
REFUSED_AFTER_SECONDS: Final = 10.0
TOWN: Final = 600
"""More records than a search by postcode ever looked at."""
_CHANGES: Final = {"rompslomp": "PATCH", "recras": "PUT", "workspace": "POST"}
OPERATIONS: Final = ("search", "list", "create", "update", "read")


def interrupted(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A client changes in the very moment of a call: before it leaves, or when its answer has just come."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2, 3))):
        client, moment = rng.randrange(setup.clients), rng.choice(("before_send", "after_answer"))
        where = rng.choice(
            [f"{system}.{operation}.{moment}" for system in TARGETS for operation in OPERATIONS]
            + [f"robaws.read.{moment}"] * 5
        )
        members = {"address": {"city": rng.choice(("Deinze", "Eeklo", "Lokeren"))}}
        trap = {"how": "change", "where": where, "seconds": 0.0, "members": members}
        made.append((rng.uniform(0, length * 0.9), "trap", {**trap, "client": client}))
    return made


def corrected(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """
    A system refuses a town, or a name; somebody types it in, and corrects it before, while or after it is sent: half of
    the times just when the request leaves.
    """
    system, client = rng.choice(TARGETS), rng.randrange(setup.clients)
    at = rng.uniform(length * 0.4, length * 0.8)
    town = rng.choice(("Deinze", "Eeklo"))
    within = rng.choice(("city", "name"))  # a town can be left out, a name cannot
    wrong: dict[str, object] = {"address": {"city": REFUSED_CITY}}
    right: dict[str, object] = {"address": {"city": town}}
    if within == "name":
        wrong, right = {"name": f"Bouwwerken {REFUSED_CITY}"}, {"name": f"Bouwwerken {town}"}
    made: list[Happening] = [
        (0.0, "refuse_city", {"system": system, "within": within}),
        (at, "client_changed", {"client": client, "members": wrong}),
    ]
    if rng.random() < 0.5:
        trap = {"how": "change", "where": f"{system}.update.before_send", "seconds": 0.0, "members": right}
        return [*made, (at + 0.1, "trap", {**trap, "client": client})]
    corrects = (at + rng.choice((0.3, 3.0, 6.0, 9.0, 20.0)), "client_changed", {"client": client, "members": right})
    return [*made, corrects]


def refused_read(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Robaws takes its time to refuse a read for good; meanwhile the client changes once more."""
    made: list[Happening] = []
    for _ in range(rng.choice((1, 2))):
        at, client = rng.uniform(0, length * 0.9), rng.randrange(setup.clients)
        refused = {"system": "robaws", "fault": "status", "times": 1, "status": 400, "method": "GET"}
        made.append((at, "fault", {**refused, "path": r"/clients/[0-9]+$", "seconds": REFUSED_AFTER_SECONDS}))
        for later, town in ((0.1, "Deinze"), (rng.uniform(0.5, 9.0), rng.choice(("Eeklo", "Lokeren")))):
            made.append((at + later, "client_changed", {"client": client, "members": {"address": {"city": town}}}))
    return made


def wanted_back(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A field that Robaws owns is edited there; a person wants it back while something else is slowly written."""
    systems = [system for system in TARGETS if setup.owners[system].get("address.city", "robaws") == "robaws"]
    if not systems:
        return []
    at, client, system = rng.uniform(length * 0.8, length), rng.randrange(setup.clients), rng.choice(systems)
    street = rng.choice(("Dorpsplein 1", "Stationsweg 3"))
    slow = {"system": system, "fault": "delay", "times": 1, "method": _CHANGES[system], "seconds": 20.0}
    trap = {"how": "sync", "where": f"{system}.update.before_send", "seconds": 0.0, "client": client}
    return [
        (at, "record_edited", {"system": system, "client": client, "path": "address.city", "value": "Oostende"}),
        (at + 1.0, "fault", slow),
        (at + 1.0, "trap", trap),
        (at + 2.0, "client_changed", {"client": client, "members": {"address": {"addressLine1": street}}}),
    ]


def told_apart(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A record is there that may be the client's, and the person who is asked says that it is somebody else's."""
    system, client = rng.choice(("recras", *TARGETS)), rng.randrange(setup.clients)
    made: list[Happening] = [(0.0, "record_by_hand", {"system": system, "client": client, "exact": False})]
    made += [(length * share, "answer", {"word": "ours", "says_no": True}) for share in (0.4, 0.6, 0.8)]
    return made


def town(rng: random.Random, setup: Setup, _length: float) -> list[Happening]:
    """A town with hundreds of records of one postcode, and the client's own among them."""
    client = rng.randrange(setup.clients)
    return [
        (0.0, "town", {"client": client, "records": TOWN, "place": rng.randrange(TOWN)}),
    ]


def sisters(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Two clients share something and are not one: father and son, a person and his company, sister companies."""
    born = rng.uniform(10, length * 0.4)
    first, second = rng.choice(_PAIRS)
    members = [_laid_over(firm(3, emails=setup.emails), one) for one in (first, second)]
    made: list[Happening] = [
        (born + place * rng.choice((0.0, 0.5, 60.0)), "client_added", {"client": sister, "members": members[place]})
        for place, sister in enumerate(SISTERS)
    ]
    if rng.random() < 0.5:
        made.append((0.0, "record_by_hand", {"system": rng.choice(TARGETS), "client": SISTERS[0], "exact": True}))
    return made


def merged(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """A client is deleted at Robaws and typed in again, or two of one company are merged there."""
    old, new = MERGED
    members = firm(3, emails=setup.emails)
    born, again = rng.uniform(10, length * 0.3), rng.uniform(length * 0.4, length * 0.6)
    twice = rng.random() < 0.5
    made: list[Happening] = [(born, "client_added", {"client": old, "members": members})]
    made.append(((born + 20.0) if twice else again + 5.0, "client_added", {"client": new, "members": members}))
    made.append((again, "client_deleted", {"client": old}))
    made.append((again + 1.0, "webhooks", {"fault": "again"}))
    return made


def tight(rng: random.Random, _setup: Setup, _length: float) -> list[Happening]:
    """A vendor allows a few calls in a few seconds, and nobody told us."""
    calls, seconds = rng.choice(((4, 3.0), (1, 1.0), (10, 30.0)))
    return [(0.0, "limit", {"system": rng.choice(("rompslomp", "workspace")), "calls": calls, "seconds": seconds})]


def partial(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Robaws leaves members out of some answers."""
    return [
        (rng.uniform(length * 0.2, length * 0.9), "partial", {"times": rng.choice((1, 2, 3))})
        for _ in range(rng.choice((1, 2)))
    ]


_PAIRS: Final[tuple[tuple[dict[str, Any], dict[str, Any]], ...]] = (
    ({"name": "Jan Peeters"}, {"name": "Jan Peeters BV", "address": {"addressLine1": "Nijverheidslaan 3"}}),
    ({"name": "Piet Claes", "email": "piet@claes.example"}, {"name": "Piet Claes", "email": "zoon@claes.example"}),
    ({"name": "De Eik Bouw BV"}, {"name": "De Eik Vastgoed BV"}),
    ({"name": "Lindehof NV", "vatIdNumber": "BE0000000097"}, {"name": "Lindehof", "vatIdNumber": "BE0000000196"}),
)


def _laid_over(members: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    address = {**members["address"], **more.get("address", {})}
    return {**members, **more, "address": address}
