"""
What happens in a story, written from its seed: how the company is set up, what people do, what fails and when.

A script is data: it can be printed, and shrunk by leaving items out. Each seed takes only some of the kinds of trouble
(swarm testing: Groce et al., https://doi.org/10.1145/2338965.2336763), so that rare kinds meet in many pairs.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from typing_extensions import override

from simulation import people, trouble

TARGETS: Final = ("rompslomp", "recras", "workspace")
LENGTH_SECONDS: Final = 900.0
FLAPPING_SHARE: Final = 0.1
"""In so many stories two automations correct each other; drawn apart, as it makes a story longer."""


@dataclass(frozen=True)
class Item:
    """One thing that happens, so many seconds after the beginning. `kind` is a word of `happenings.ALL`."""

    at: float
    kind: str
    args: dict[str, Any] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        told = " ".join(f"{name}={value!r}" for name, value in self.args.items())
        return f"{self.at:8.1f} s  {self.kind} {told}".rstrip()


@dataclass(frozen=True)
class Setup:
    """How the company and its machines are set up."""

    clients: int
    workers: int
    slots: int
    schedulers: int
    owners: dict[str, dict[str, str]]
    on_gone: dict[str, str]
    write_back: tuple[str, ...]
    emails: bool
    settings: dict[str, dict[str, Any]]
    simulators: dict[str, dict[str, Any]]
    latency_seconds: float


@dataclass(frozen=True)
class Script:
    """One story before it is told."""

    seed: int
    setup: Setup
    troubles: tuple[str, ...]
    items: tuple[Item, ...]

    def keeping(self, places: Iterable[int]) -> Script:
        """The same story with only these of its items."""
        wanted = set(places)
        kept = tuple(item for place, item in enumerate(self.items) if place in wanted)
        return Script(self.seed, self.setup, self.troubles, kept)


def write_script(seed: int) -> Script:
    """The story of a seed; the same for ever, as long as this package does not change."""
    rng = random.Random(seed)  # noqa: S311 - the whole point is that it can be repeated
    setup = _setup(rng)
    wanted = [name for name in trouble.KINDS if rng.random() < trouble.SHARE]
    if not wanted:
        wanted = [rng.choice(sorted(trouble.KINDS))]
    if "overtaken" in wanted:
        setup = replace(setup, workers=max(2, setup.workers))  # somebody must be there to take over
    items = [Item(*one) for one in people.lives(rng, setup.clients, LENGTH_SECONDS, emails=setup.emails)]
    for name in wanted:
        items += [Item(*one) for one in trouble.KINDS[name](rng, setup, LENGTH_SECONDS)]
    apart = random.Random(f"flapping {seed}")  # noqa: S311 - the whole point is that it can be repeated
    if apart.random() < FLAPPING_SHARE:
        wanted.append("flapping")
        items += [Item(*one) for one in trouble.flapping(apart, LENGTH_SECONDS)]
    items.sort(key=lambda item: item.at)
    return Script(seed, setup, tuple(wanted), tuple(items))


def _setup(rng: random.Random) -> Setup:
    owned = ("address.city", "phone", "website")
    owners = {
        system: {path: rng.choice(("robaws", "robaws", "fill", "review", "system")) for path in owned}
        if rng.random() < 0.5
        else {}
        for system in TARGETS
    }
    return Setup(
        clients=rng.choice((1, 1, 2, 3)),
        workers=rng.choice((1, 2, 2, 3)),
        slots=rng.choice((1, 2, 2)),
        schedulers=rng.choice((1, 2)),
        owners=owners,
        on_gone={system: rng.choice(("review", "recreate")) for system in TARGETS},
        write_back=tuple(system for system in TARGETS if rng.random() < 0.25),
        emails=rng.random() < 0.8,
        settings=_settings(rng),
        simulators=_simulators(rng),
        latency_seconds=rng.choice((0.02, 0.1, 0.5, 2.0)),
    )


def _settings(rng: random.Random) -> dict[str, dict[str, Any]]:
    return {
        "robaws": {},
        "rompslomp": _budget(rng),
        "recras": {
            **_budget(rng),
            "put_mode": rng.choice(("full", "changed")),
            "send_landcode_btw": rng.random() < 0.3,
        },
        "workspace": {
            **_budget(rng),
            "update_mode": rng.choice(("changed", "changed", "all_editable")),
            "reference_style": rng.choice(("robaws_id", "prefixed")),
        },
    }


def _budget(rng: random.Random) -> dict[str, Any]:
    """As a rule the usual one; now and then so small that every story comes to its end."""
    if rng.random() < 0.75:
        return {}
    if rng.random() < 0.3:
        return {"daily_requests": rng.choice((12, 25))}
    return {"rate_per_second": rng.choice((0.2, 0.5)), "burst": rng.choice((1, 3))}


def _simulators(rng: random.Random) -> dict[str, dict[str, Any]]:
    return {
        "robaws": {
            "extra_field_change_fires": rng.random() < 0.5,
            "person_change_fires": True,
            "patch_answers_entity": rng.random() < 0.7,
            "retry_after_seconds": rng.choice((None, 2.0, 20.0)),
            "retries_signed_anew": rng.random() < 0.5,
        },
        "rompslomp": {},
        "recras": {
            "dedupe": rng.random() < 0.7,
            "dedupe_effect": rng.choice(("none", "merge")),
            "order": rng.choice(("shuffled", "id", "newest")),
            "page_size": rng.choice((None, None, 2)),
            "accept_landcode_btw": True,
        },
        "workspace": {
            "create_answer": rng.choice(("200", "201", "id_only", "empty")),
            "change_answer": rng.choice(("whole", "empty")),
            "trashed_get": rng.choice(("404", "200")),
            "list_trashed": rng.random() < 0.5,
            "duplicate_reference": rng.choice(("accept", "accept", "refuse")),
        },
    }
