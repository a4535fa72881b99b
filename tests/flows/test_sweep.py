"""The sweep makes every lost nudge harmless: what is due is announced again, and what is held back is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.flows.sweep import Sweeper
from worker.store import migrations, systems

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


class Heard:
    """A publisher that remembers, and loses all that it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []
        self.full: set[str] = set()

    def intake(self) -> None:
        self.said.append(("intake", 0))

    def fetch(self, contact_id: int) -> None:
        self.said.append(("fetch", contact_id))

    def deliver(self, system: str, link_id: int) -> None:
        self.said.append((system, link_id))

    def crowded(self, lane: str, /) -> bool:
        return lane in self.full


@pytest.fixture(autouse=True)
def partitions(hub: Hub) -> None:
    """Those of the hub's own month, as they are made before its first row."""
    with hub.owner.begin() as connection:
        migrations.ensure_partitions(connection, hub.time)


def sweep(hub: Hub, *full: str) -> list[tuple[str, int]]:
    """What one sweep announces, where these lanes hold many nudges already."""
    heard = Heard()
    heard.full = set(full)
    hub.runtime.publisher = heard
    Sweeper(hub.runtime).sweep()
    return list(heard.said)


def test_what_is_due_is_announced_again_until_it_is_done(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    new = sweep(hub)
    [contact_id] = fetching.take_events(hub.runtime)
    owed = [sweep(hub), sweep(hub)]
    fetching.fetch(hub.runtime, hub.gate)

    due = sweep(hub)
    hub.settle()
    done = sweep(hub)

    assert new == [("intake", 0)]
    assert owed == [[("fetch", contact_id)]] * 2
    assert due == [(name, hub.link(source_id, name)["id"]) for name in ("rompslomp", "recras", "workspace")]
    assert done == []


def test_a_lane_that_is_full_of_nudges_is_told_nothing_more(hub: Hub) -> None:
    first, second = hub.robaws.add_client(**client(1)), hub.robaws.add_client(**client(2))
    hub.event(first)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    hub.event(second)

    announced = sweep(hub, "fetch", "recras")

    assert {lane for lane, _ in announced} == {"rompslomp", "workspace"}


def test_nothing_is_announced_for_a_system_that_may_not_be_called(hub: Hub) -> None:
    hub.event(hub.robaws.add_client(**client()))
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    with hub.engine.begin() as connection:
        systems.pause(connection, "recras", "an operator", "maintenance", hub.time)

    announced = sweep(hub)

    assert {lane for lane, _ in announced} == {"rompslomp", "workspace"}
