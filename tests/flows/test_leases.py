"""A worker that was stopped for longer than its lease, and wakes up while another one has done its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub

TARGETS = ["rompslomp", "recras", "workspace"]


def frozen_at(hub: Hub, point: str, seconds: float, meanwhile: Callable[[], None]) -> Callable[[str], bool]:
    """A hook: the worker that comes to this point stops for so long, and meanwhile others work."""
    frozen = [False]

    def stop(name: str) -> bool:
        if name != point or frozen[0]:
            return False
        frozen[0] = True
        hub.later(seconds)
        meanwhile()
        return False

    return stop


@pytest.mark.parametrize("system", TARGETS)
def test_a_create_that_was_frozen_before_it_left_makes_no_second_record(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client(email=None, invoiceEmail="facturen@delinde.example"))
    hub.event(source_id)
    hub.crash_at = frozen_at(hub, f"{system}.create.before_send", 200, hub.settle)

    hub.settle()
    hub.settle_all()

    assert len(hub.simulators[system].state()["records"]) == 1
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_an_old_change_that_was_frozen_before_it_left_does_not_undo_a_newer_one(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)

    def newer() -> None:
        hub.robaws.change_client(source_id, address={"city": "Brugge"})
        hub.sync(source_id)

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.event(source_id)
    hub.crash_at = frozen_at(hub, f"{system}.update.before_send", 200, newer)
    hub.settle()

    member = {"rompslomp": "city", "workspace": "location_city"}[system]
    assert [record[member] for record in hub.simulators[system].state()["records"]] == ["Brugge"]


def test_a_slow_delivery_keeps_its_lease_while_nobody_else_wants_it(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.crash_at = frozen_at(hub, "workspace.create.before_send", 100, lambda: None)

    hub.settle()

    link = hub.link(source_id, "workspace")
    assert (link["state"], link["fence"], link["crashes"]) == ("synced", 1, 0)
    assert "deliver.renew.after_commit" in hub.points


@pytest.mark.parametrize("system", ["recras", "workspace"])
def test_the_time_to_settle_begins_when_a_create_is_given_up(hub: Hub, system: str) -> None:
    """Found by the simulation (seed 124): it was counted from before the freeze, so the second create came at once."""
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.crash_at = frozen_at(hub, f"{system}.create.before_send", 80, lambda: None)
    hub.simulators[system].fail("drop_before", method="POST")

    hub.settle()
    hub.later(10)
    hub.settle()
    early = len(hub.simulators[system].calls("POST"))
    hub.later(60)
    hub.settle()

    assert (early, len(hub.simulators[system].calls("POST"))) == (1, 2)


def test_the_time_to_settle_begins_at_the_end_of_the_lease_when_the_worker_died(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.crash_at = lambda name: name == "workspace.create.before_send"
    with pytest.raises(Crash):
        hub.settle()
    hub.restart()

    hub.later(121)
    hub.settle()
    early = len(hub.workspace.calls("POST"))
    hub.later(60)
    hub.settle()

    assert (early, len(hub.workspace.calls("POST"))) == (0, 1)
    assert hub.link(source_id, "workspace")["state"] == "synced"
