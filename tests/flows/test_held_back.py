"""A vendor that is held back is held back for everybody, and tried by one."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.flows.stories import client
from worker.flows.gate import Gate
from worker.store import systems

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_a_429_to_one_delivery_makes_the_others_wait_too(hub: Hub, system: str) -> None:
    ids = [hub.robaws.add_client(**client(number)) for number in (1, 2, 3)]
    for source_id in ids:
        hub.event(source_id)
    hub.simulators[system].fail("throttle", retry_after=90)

    hub.settle()
    asked = len(hub.calls(system))
    hub.later(91)
    hub.settle()

    assert asked == 1
    assert [hub.link(source_id, system)["state"] for source_id in ids] == ["synced"] * 3


@pytest.mark.parametrize("held_by", [500, 401])
def test_one_worker_wins_each_probe(hub: Hub, held_by: int) -> None:
    for number in range(1, 7):
        hub.event(hub.robaws.add_client(**client(number)))
    hub.rompslomp.fail("status", times=-1, status=held_by, body="{}")
    hub.settle()
    hub.later(float(hub.settings.breaker.probe_seconds) + 1)
    workers = [Gate(hub.runtime) for _ in range(3)]
    for gate in workers:
        gate.view("rompslomp")

    entered = [gate.way("rompslomp") != "held" for gate in workers]

    assert entered == [True, False, False]


def gaps(hub: Hub, system: str, probes: int) -> list[float]:
    """The seconds from each probe of a system that is paused to the next one."""
    found = []
    for _ in range(probes):
        at = next_probe(hub, system)
        found.append((at - hub.time).total_seconds())
        hub.time = at + timedelta(milliseconds=1)
        hub.gate.forget(system)
        hub.settle()
    return found


def next_probe(hub: Hub, system: str) -> datetime:
    with hub.engine.connect() as connection:
        at = systems.view(connection, system).probe_at
    assert at is not None
    return at


def test_a_block_is_probed_less_and_less_often_and_once_an_hour_at_most(hub: Hub) -> None:
    hub.event(hub.robaws.add_client(**client()))
    hub.robaws.block()
    hub.settle()

    waits = gaps(hub, "robaws", 12)
    calls = len(hub.robaws.calls())
    hub.robaws.unblock()
    gaps(hub, "robaws", 1)

    assert calls == 13
    assert waits[0] <= 30
    assert all(later >= 1.8 * earlier for earlier, later in itertools.pairwise(waits[1:7]))
    assert [round(wait, -2) for wait in waits[-3:]] == [3_600] * 3
    assert hub.equation()["applied"] == 1


def test_refused_credentials_are_probed_at_the_same_pace(hub: Hub) -> None:
    hub.event(hub.robaws.add_client(**client()))
    hub.rompslomp.fail("status", times=-1, status=401, body="{}")
    hub.settle()

    assert all(25 < wait <= 30 for wait in gaps(hub, "rompslomp", 6))
