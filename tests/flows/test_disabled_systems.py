"""What waits for a system that the settings disable is owed to nobody, and is owed again when they enable it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.stories import client
from worker.flows.sweep import Sweeper
from worker.store import summary

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def oldest(hub: Hub, system: str) -> int:
    with hub.engine.connect() as connection:
        return summary.read(connection, hub.settings, hub.time).systems[system].oldest_due_seconds


def test_what_waits_for_a_system_that_is_disabled_is_left_out_until_it_is_enabled(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.recras.fail("status", times=-1, status=503)
    hub.sync(source_id)
    before = oldest(hub, "recras") >= 0 and hub.link(source_id, "recras")["state"]

    hub.configure(recras={"enabled": False})
    hub.later(3_600)
    Sweeper(hub.runtime).sweep()
    left_out = hub.link(source_id, "recras")
    aged = oldest(hub, "recras")
    hub.recras.clear_faults()
    hub.configure(recras={"enabled": True})
    hub.later(3_600)
    Sweeper(hub.runtime).sweep()
    hub.settle()

    assert before == "waiting"
    assert (left_out["state"], left_out["reason"], aged) == ("excluded", "disabled", 0)
    assert hub.link(source_id, "recras")["state"] == "synced"


def test_a_write_back_that_is_no_longer_wanted_is_left_out_until_it_is_wanted_again(hub: Hub) -> None:
    hub.configure(robaws={"write_back": {"rompslomp": "Rompslomp id"}})
    source_id = hub.robaws.add_client(**client())
    hub.robaws.fail("status", times=-1, method="PATCH", status=503)
    hub.sync(source_id)

    hub.configure(robaws={"write_back": {}})
    hub.later(3_600)
    Sweeper(hub.runtime).sweep()
    left_out = hub.link(source_id, "robaws")
    aged = oldest(hub, "robaws")
    hub.robaws.clear_faults()
    hub.configure(robaws={"write_back": {"rompslomp": "Rompslomp id"}})
    Sweeper(hub.runtime).sweep()
    hub.settle()

    assert (left_out["state"], left_out["reason"], aged) == ("excluded", "disabled", 0)
    assert hub.link(source_id, "robaws")["state"] == "synced"


def test_an_open_create_at_a_disabled_system_is_found_out_about_when_it_is_enabled(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.workspace.fail("drop_after", times=1, method="POST")
    hub.sync(source_id)

    hub.configure(workspace={"enabled": False})
    hub.later(3_600)
    Sweeper(hub.runtime).sweep()
    state = hub.link(source_id, "workspace")["state"]
    aged = oldest(hub, "workspace")
    hub.configure(workspace={"enabled": True})
    Sweeper(hub.runtime).sweep()
    hub.settle_all()

    assert (state, aged) == ("unknown", 0)
    assert hub.link(source_id, "workspace")["state"] == "synced"
    assert len(hub.workspace.state()["records"]) == 1
