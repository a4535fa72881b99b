"""A vendor that keeps its callers waiting takes the threads of its own lane, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.flows.drain import Lanes

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def test_a_slow_delivery_holds_its_own_lane_and_no_other(hub: Hub) -> None:
    one_thread = hub.settings.worker.model_copy(update={"concurrency": 1})
    hub.settings = hub.settings.model_copy(update={"worker": one_thread})
    hub.restart()
    for number in (1, 2):
        hub.event(hub.robaws.add_client(**client(number)))
    fetching.take_events(hub.runtime)
    while fetching.fetch(hub.runtime, hub.gate).result != "none":
        pass
    lanes = Lanes(hub.runtime, hub.gate)
    meanwhile: list[int] = []

    def another_thread(name: str) -> bool:
        if name == "rompslomp.search.before_send" and not meanwhile:
            meanwhile.extend((lanes.deliver("rompslomp"), lanes.deliver("recras")))
        return False

    hub.crash_at = another_thread
    done = lanes.deliver("rompslomp")

    assert meanwhile == [0, 2]
    assert done == 2
