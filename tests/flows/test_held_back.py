"""A vendor that is held back is held back for everybody, and tried by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.stories import client
from worker.flows.gate import Gate

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

    entered = [gate.enter("rompslomp") for gate in workers]

    assert entered == [True, False, False]
