"""A nudge that says nothing new is left out, and what it was about is delivered all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.flows.drain import Lanes
from worker.runtime import Silent
from worker.sparing import TELL_OTHERS_SECONDS, TELL_SECONDS, Sparing

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


class Kept(Silent):
    """A broker that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    @override
    def deliver(self, system: str, link_id: int) -> None:
        self.told.append((system, link_id))


def test_nobody_is_called_for_what_a_thread_at_that_system_takes_next(hub: Hub) -> None:
    kept, times = Kept(), iter([0.0, 0.5 * TELL_SECONDS, 1.5 * TELL_SECONDS])
    lanes = Lanes(hub.runtime, hub.gate)
    hub.runtime.publisher = Sparing(kept, lanes, lambda: next(times))
    first = hub.robaws.add_client(**client(1))
    hub.event(first)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    calls = {system for system, _ in kept.told}
    kept.told.clear()

    def meanwhile(name: str) -> bool:
        if name == "rompslomp.create.before_send":
            hub.runtime.publisher.deliver("rompslomp", 101)
            hub.runtime.publisher.deliver("rompslomp", 102)
        return False

    times = iter([10.0, 10.0 + 0.5 * TELL_SECONDS])
    hub.crash_at = meanwhile
    done = lanes.deliver("rompslomp")

    assert calls == {"rompslomp", "recras", "workspace"}
    assert kept.told == [("rompslomp", 101)], "the second one came a moment after the first, and was left out"
    assert done == 1


def test_a_system_where_nobody_is_at_work_is_told_of_every_link(hub: Hub) -> None:
    kept = Kept()
    spared = Sparing(kept, Lanes(hub.runtime, hub.gate), lambda: 7.0)

    for link in (1, 2, 3):
        spared.deliver("recras", link)

    assert kept.told == [("recras", 1), ("recras", 2), ("recras", 3)]


def test_a_link_that_comes_due_while_the_last_one_is_delivered_is_not_left_lying(hub: Hub) -> None:
    lanes = Lanes(hub.runtime, hub.gate)
    hub.runtime.publisher = Sparing(Kept(), lanes, lambda: 7.0)
    hub.event(hub.robaws.add_client(**client(1)))
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)

    def another_comes(name: str) -> bool:
        if name == "workspace.create.after_answer":
            hub.crash_at = lambda _name: False
            hub.event(hub.robaws.add_client(**client(2)))
            fetching.take_events(hub.runtime)
            fetching.fetch(hub.runtime, hub.gate)
        return False

    hub.crash_at = another_comes
    done = lanes.deliver("workspace")

    assert done == 2
    assert [state for _, system, state, _ in hub.links() if system == "workspace"] == ["synced", "synced"]


def test_where_every_thread_here_is_at_work_only_other_processes_are_called_and_seldom(hub: Hub) -> None:
    kept, lanes, times = Kept(), Lanes(hub.runtime, hub.gate), iter([0.0])
    spared = Sparing(kept, lanes, lambda: next(times))
    lane = lanes._lanes["recras"]
    while lane.taken < lane.places - 1:
        assert lane.enter()
    times = iter([0.0, 1.5 * TELL_SECONDS])
    spared.deliver("recras", 1)
    spared.deliver("recras", 2)
    one_was_left = list(kept.told)
    assert lane.enter()

    times = iter([3 * TELL_SECONDS, 1.6 * TELL_OTHERS_SECONDS])
    spared.deliver("recras", 3)
    spared.deliver("recras", 4)

    assert one_was_left == [("recras", 1), ("recras", 2)]
    assert kept.told[2:] == [("recras", 4)]
