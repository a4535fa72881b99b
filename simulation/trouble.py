"""The kinds of trouble that a story can have, each as a list of happenings drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulation import plots, plots_identity
from simulation.people import CITIES, PHONES

if TYPE_CHECKING:
    from simulation.people import Happening
    from simulation.script import Setup

FLAPPING_CLIENT: Final = 0
FLAPS: Final = 80

SHARE: Final = 0.25
"""How likely each kind is in one story."""

TARGETS: Final = ("rompslomp", "recras", "workspace")
VENDORS: Final = ("robaws", *TARGETS)
WRITES: Final = ("POST", "PUT", "PATCH")

MEMBERS: Final[dict[str, dict[str, str]]] = {
    "rompslomp": {"address.city": "city", "phone": "phone"},
    "recras": {"address.city": "plaats", "website": "website"},
    "workspace": {"address.city": "location_city", "phone": "phone", "website": "website"},
}
"""The members that people edit in the targets, by canonical path."""

Writer = Callable[[random.Random, "Setup", float], list["Happening"]]


def _times(rng: random.Random, length: float, most: int = 3) -> list[float]:
    return [rng.uniform(0, length) for _ in range(rng.randint(1, most))]


def flapping(rng: random.Random, length: float) -> list[Happening]:
    """Two automations in Robaws correct each other's town of the first client, every few seconds, for ever so long."""
    begun, every = rng.uniform(0.35, 0.5) * length, rng.uniform(4.0, 5.0)
    return [
        (
            begun + number * every,
            "client_changed",
            {"client": FLAPPING_CLIENT, "members": {"address": {"city": CITIES[number % 2]}}},
        )
        for number in range(FLAPS)
    ]


def _faults(rng: random.Random, length: float, systems: tuple[str, ...], *kinds: dict[str, Any]) -> list[Happening]:
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        fault = dict(rng.choice(kinds))
        made.append((at, "fault", {"system": rng.choice(systems), "times": rng.choice((1, 1, 2, 3)), **fault}))
    return made


def lost(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The work is done, the answer is lost."""
    kinds = [{"fault": "drop_after", "method": method} for method in WRITES]
    return _faults(rng, length, VENDORS, *kinds, {"fault": "drop_after"})


def unsent(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The request never arrives: refused, or lost on its way."""
    return _faults(rng, length, VENDORS, {"fault": "refuse"}, {"fault": "drop_before"})


def late(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The work is done after our timeout, while we have long gone on."""
    made: list[Happening] = []
    for at in _times(rng, length):
        system = rng.choice(TARGETS)
        made.append((at, "late", {"system": system, "share": rng.random(), "times": 1}))
    return made


def slow(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The work is done at once, the answer comes too late, or nearly."""
    return _faults(rng, length, VENDORS, {"fault": "delay", "seconds": 45.0}, {"fault": "delay", "seconds": 25.0})


def throttle(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """429, with and without Retry-After."""
    kinds = ({"fault": "throttle"}, {"fault": "throttle", "retry_after": 30.0}, {"fault": "throttle", "retry_after": 2})
    return _faults(rng, length, VENDORS, *kinds)


def server(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """5xx, before the work."""
    return _faults(rng, length, VENDORS, *({"fault": "status", "status": status} for status in (500, 502, 503, 504)))


def garbage(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """HTML, truncated and wrong JSON, nothing at all."""
    kinds = [{"fault": "html", "status": status} for status in (200, 404, 502)]
    kinds += [{"fault": fault} for fault in ("truncate", "wrong_json", "empty")]
    return _faults(rng, length, VENDORS, *kinds)


def refusal(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The vendor refuses the data for once."""
    return [(at, "refusal", {"system": rng.choice(TARGETS)}) for at in _times(rng, length)]


def quota(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The day's quota is spent, or the subscription is full."""
    return [(at, "quota", {"which": rng.choice(("robaws", "rompslomp"))}) for at in _times(rng, length, 2)]


def credentials(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Credentials are blocked or refused for a time."""
    made: list[Happening] = []
    for at in _times(rng, length, 2):
        args = {"system": rng.choice(VENDORS), "status": rng.choice((401, 401, 403)), "seconds": rng.uniform(5, 300)}
        made.append((at, "credentials", args))
    return made


def outage(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """One vendor is down for long."""
    how = rng.choice(("refuse", "status", "html", "silent"))
    args = {"system": rng.choice(VENDORS), "how": how, "seconds": rng.uniform(60, 3000)}
    return [(rng.uniform(0, length * 0.6), "outage", args)]


def edits(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """People change records in the targets."""
    made: list[Happening] = []
    for at in _times(rng, length, 5):
        system = rng.choice(TARGETS)
        path = rng.choice(sorted(MEMBERS[system]))
        values = {"address.city": (*CITIES, "Oostende"), "phone": (*PHONES[:2], "+32 9 999 99 99")}
        value = rng.choice(values.get(path, ("https://drie.example", "https://een.example")))
        who = rng.randrange(3)
        made.append((at, "record_edited", {"system": system, "client": who, "path": path, "value": value}))
    if rng.random() < 0.4:
        made.append((rng.uniform(0, length), "their_person", {"client": rng.randrange(3)}))
    return made


def deletions(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Records are deleted in the targets, and now and then a client in Robaws."""
    made: list[Happening] = []
    for at in _times(rng, length, 2):
        if rng.random() < 0.2:
            made.append((at, "client_deleted", {"client": rng.randrange(3)}))
        else:
            made.append((at, "record_deleted", {"system": rng.choice(TARGETS), "client": rng.randrange(3)}))
    return made


def by_hand(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Somebody retypes a client in a target, as everybody did before."""
    made: list[Happening] = []
    for at in _times(rng, length * 0.5, 2):
        args = {"system": rng.choice(TARGETS), "client": rng.randrange(3), "exact": rng.random() < 0.7}
        made.append((at, "record_by_hand", args))
    return made


def webhooks(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Webhooks are lost, repeated, delayed, reordered, and sent again when they are stale."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        kind = rng.choice(("lose", "repeat", "delay", "reorder", "again"))
        args = {"fault": kind, "times": rng.choice((1, 2, 3)), "seconds": rng.uniform(1, 200)}
        made.append((at, "webhooks", args))
    return made


def broker(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Nudges are lost, repeated and late; Redis is emptied, or away."""
    args = {"loss": rng.random(), "repeat": rng.random(), "delay": rng.random(), "seconds": rng.uniform(60, length)}
    made: list[Happening] = [(rng.uniform(0, length * 0.5), "broker", args)]
    made += [(at, "flush", {}) for at in _times(rng, length, 2)]
    if rng.random() < 0.3:
        made.append((rng.uniform(0, length), "redis_away", {"seconds": rng.uniform(5, 200)}))
    return made


def kills(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Workers are killed at any boundary."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        args = {"worker": rng.randrange(setup.workers), "points": rng.randint(1, 14), "down": rng.uniform(0.5, 200)}
        made.append((at, "kill", args))
    return made


def freezes(rng: random.Random, setup: Setup, length: float) -> list[Happening]:
    """Workers are stopped, often beyond their lease, and wake up."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        args = {"worker": rng.randrange(setup.workers), "points": rng.randint(1, 14), "seconds": rng.uniform(20, 400)}
        made.append((at, "freeze", args))
    return made


def database(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """The database restarts: connections are cut, before a commit and right after it, too."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        how = rng.choice(("all", "before", "after"))
        made.append((at, "cut", {"how": how, "commits": rng.randint(1, 20)}))
    return made


def clock(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Our clocks jump."""
    jumps = (-30.0, -600.0, 130.0, 1000.0, 40_000.0)
    return [(at, "jump", {"seconds": rng.choice(jumps)}) for at in _times(rng, length, 2)]


def operators(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Somebody at the console pauses and resumes systems, syncs clients and retries what gave up."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        choice = rng.random()
        if choice < 0.3:
            made.append((at, "pause", {"system": rng.choice(VENDORS)}))
            made.append((at + rng.uniform(1, 400), "resume", {}))
        elif choice < 0.55:
            made.append((at, "sync", {"client": rng.randrange(3)}))
        elif choice < 0.75:
            made.append((at, "answer", {"word": rng.choice(("ours", "theirs"))}))
        elif choice < 0.8:
            made.append((at, "discard", {}))
        else:
            made.append((at, "retry", {}))
    return made


def ways_back(rng: random.Random, _setup: Setup, length: float) -> list[Happening]:
    """Somebody leaves clients out and takes them in again, unlinks and links records, replays events, at any moment."""
    made: list[Happening] = []
    for at in _times(rng, length, 4):
        where = {"system": rng.choice(TARGETS), "client": rng.randrange(3)}
        word, opposite = rng.choice((("exclude", "include"), ("unlink", "link"), ("unlink", "include"), ("link", "")))
        made.append((at, word, where))
        if opposite and rng.random() < 0.7:
            made.append((at + rng.uniform(1, 300), opposite, where))
        if rng.random() < 0.4:
            made.append((at + rng.uniform(1, 300), "replay", {}))
    return made


KINDS: Final[dict[str, Writer]] = {
    "lost": lost,
    "unsent": unsent,
    "late": late,
    "slow": slow,
    "throttle": throttle,
    "server": server,
    "garbage": garbage,
    "refusal": refusal,
    "quota": quota,
    "credentials": credentials,
    "outage": outage,
    "edits": edits,
    "deletions": deletions,
    "by_hand": by_hand,
    "webhooks": webhooks,
    "broker": broker,
    "kills": kills,
    "freezes": freezes,
    "database": database,
    "clock": clock,
    "operators": operators,
    "ways_back": ways_back,
    "existing": plots.existing,
    "twins": plots.twins,
    "owned": plots.owned,
    "strangers": plots.strangers,
    "overtaken": plots.overtaken,
    "taken_back": plots.taken_back,
    "overlate": plots.overlate,
    "gateway": plots.gateway,
    "down": plots.down,
    "interrupted": plots_identity.interrupted,
    "corrected": plots_identity.corrected,
    "refused_read": plots_identity.refused_read,
    "wanted_back": plots_identity.wanted_back,
    "told_apart": plots_identity.told_apart,
    "town": plots_identity.town,
    "sisters": plots_identity.sisters,
    "merged": plots_identity.merged,
    "tight": plots_identity.tight,
    "partial": plots_identity.partial,
}
