"""A worker that was stopped for longer than its lease, and wakes up while another one has done its work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.hub import Crash
from tests.flows.stories import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub
    from worker.vendors.simulation import SimRequest, SimResponse

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


@pytest.mark.parametrize("system", TARGETS)
def test_a_clock_that_was_set_back_does_not_lengthen_a_lease(hub: Hub, system: str) -> None:
    """Found by the simulation (seed 288): the frozen worker's lease seemed to last, and its create left as a second."""
    source_id = hub.robaws.add_client(**client(email=None, invoiceEmail="facturen@delinde.example"))
    hub.event(source_id)

    def others() -> None:
        hub.settle_all()
        hub.set_back(600)

    hub.crash_at = frozen_at(hub, f"{system}.create.before_send", 200, others)
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


@pytest.mark.parametrize("system", ["recras", "workspace"])
def test_a_look_that_began_too_early_does_not_say_that_a_create_was_not_made(hub: Hub, system: str) -> None:
    """Found by the simulation (seed 1648): its answer came after the time to settle, and the record in between."""
    hub.event(hub.robaws.add_client(**client()))
    hub.simulators[system].fail("drop_before", method="POST")
    hub.settle()
    looks: list[str] = []

    def slowly(name: str) -> bool:
        if name.startswith(f"{system}.") and name.endswith(".after_answer") and not looks:
            looks.append(name)
            hub.later(65)
        return False

    hub.crash_at = slowly
    hub.later(10)
    hub.settle()
    after_the_slow_look = len(hub.simulators[system].calls("POST"))
    hub.settle_all()

    assert len(looks) == 1
    assert (after_the_slow_look, len(hub.simulators[system].calls("POST"))) == (1, 2)


@pytest.mark.parametrize(("lease", "early"), [(120, 1), (20, 0)])
def test_a_create_whose_worker_died_has_its_time_to_settle_within_the_lease_or_after_it(
    hub: Hub, lease: float, early: int
) -> None:
    worker = hub.settings.worker.model_copy(update={"lease_seconds": lease})
    hub.settings = hub.settings.model_copy(update={"worker": worker})
    hub.restart()
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    hub.crash_at = lambda name: name == "workspace.create.before_send"
    with pytest.raises(Crash):
        hub.settle()
    hub.restart()

    hub.later(lease + 1)
    hub.settle()
    posts = len(hub.workspace.calls("POST"))
    hub.later(75)
    hub.settle()

    assert (posts, len(hub.workspace.calls("POST"))) == (early, 1)
    assert hub.link(source_id, "workspace")["state"] == "synced"


@pytest.mark.parametrize("system", TARGETS)
def test_a_lease_shorter_than_a_call_makes_no_second_record(
    hub: Hub, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker lost its lease while it waited for a slow vendor; its create was made after another one had looked."""
    worker = hub.settings.worker.model_copy(update={"lease_seconds": 4.0})
    hub.settings = hub.settings.model_copy(update={"worker": worker})
    hub.restart()
    source_id = hub.robaws.add_client(**client(email=None, invoiceEmail="facturen@delinde.example"))
    hub.event(source_id)

    simulator = hub.simulators[system]
    handle = simulator.handle
    posts: list[str] = []
    in_time: list[bool] = []

    def slowly(request: SimRequest) -> SimResponse:
        """The create is made after more than 20 seconds, and others look at the link all the while."""
        if request.method == "POST" and "search" not in request.path:
            posts.append(request.path)
            if len(posts) == 1:
                left_at = hub.time
                while hub.time < left_at + timedelta(seconds=20):
                    hub.later(1)
                    hub.settle()
                in_time.append(hub.time < left_at + timedelta(seconds=30))
        return handle(request)

    monkeypatch.setattr(simulator, "handle", slowly)
    hub.settle()
    early = len(posts)
    hub.settle_all()

    assert in_time == [True]
    assert early == 1
    assert len(hub.simulators[system].state()["records"]) == 1
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize(("system", "method"), [("recras", "PUT"), ("workspace", "POST")])
def test_an_unanswered_change_is_not_followed_by_a_newer_one_before_it_could_be_made(
    hub: Hub, system: str, method: str
) -> None:
    """Found by the simulation (seeds 447 and 555): made late, the old change undid the newer one."""
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.simulators[system].fail("delay", method=method, seconds=60.0)
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Brugge"})
    hub.sync(source_id)

    hub.later(50)
    hub.settle()
    early = len(hub.simulators[system].calls(method))
    hub.later(20)
    hub.settle()

    assert len(hub.simulators[system].calls(method)) == early + 1
    assert hub.link(source_id, system)["state"] == "synced"


@pytest.mark.parametrize("system", ["rompslomp", "recras", "workspace"])
def test_a_change_whose_connection_was_closed_is_repeated_by_the_ladder(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.simulators[system].fail("drop_before", method={"rompslomp": "PATCH", "recras": "PUT"}.get(system, "POST"))

    hub.sync(source_id)
    hub.later(10)
    hub.settle()

    assert hub.link(source_id, system)["state"] == "synced"
