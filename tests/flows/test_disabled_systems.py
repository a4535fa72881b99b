"""What waits for a system that the settings disable is owed to nobody, and is owed again when they enable it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.flows.stories import client
from worker.flows.sweep import Sweeper
from worker.store import operating_links, summary
from worker.store.operating import Actor

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


def sweep_again(hub: Hub, sweeper: Sweeper, seconds: float) -> None:
    hub.later(seconds)
    sweeper.sweep()
    hub.settle()


def test_what_changed_while_a_system_was_disabled_is_delivered_when_it_is_enabled(hub: Hub) -> None:
    one, left_out = (
        hub.robaws.add_client(**client()),
        hub.robaws.add_client(**client(name="Tuinen", email="t@t.example")),
    )
    hub.sync(one)
    hub.sync(left_out)
    with hub.engine.begin() as connection:
        operating_links.exclude(connection, left_out, "recras", Actor("An", "operator"), hub.time, "no guest of ours")
    hub.configure(recras={"enabled": False})
    Sweeper(hub.runtime).sweep()
    hub.later(86_400)
    for source_id in (one, left_out):
        hub.robaws.change_client(source_id, address={"city": "Aalst"})
        hub.sync(source_id)
    new = hub.robaws.add_client(**client(name="Nieuw", email="info@nieuw.example"))
    hub.sync(new)
    stale = hub.link(one, "recras")["wanted_version"]

    hub.configure(recras={"enabled": True})
    sweeper = Sweeper(hub.runtime)
    sweep_again(hub, sweeper, 60)

    assert stale == 1
    assert sorted(record["plaats"] for record in hub.recras.state()["records"]) == ["Aalst", "Gent", "Gent"]
    assert [hub.link(source_id, "recras")["state"] for source_id in (one, left_out, new)] == [
        "synced",
        "excluded",
        "synced",
    ]
    assert hub.link(new, "recras")["priority"] == 1


def test_what_an_old_worker_stores_after_a_system_was_enabled_is_delivered_there(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.configure(recras={"enabled": False})
    Sweeper(hub.runtime).sweep()
    hub.later(3_600)
    hub.configure(recras={"enabled": True})
    sweeper = Sweeper(hub.runtime)
    sweep_again(hub, sweeper, 60)
    hub.configure(recras={"enabled": False})
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    hub.configure(recras={"enabled": True})
    sweeper.runtime = hub.runtime
    for _ in range(3):
        sweep_again(hub, sweeper, 130)

    assert [record["plaats"] for record in hub.recras.state()["records"]] == ["Aalst"]
    with hub.engine.connect() as connection:
        noted = connection.execute(text("SELECT count(*) FROM checkpoint WHERE name = 'disabled'")).scalar_one()
    assert noted == 0


def test_a_system_that_is_enabled_for_the_first_time_is_owed_nothing_at_once(hub: Hub) -> None:
    hub.configure(recras={"enabled": False})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    Sweeper(hub.runtime).sweep()

    hub.configure(recras={"enabled": True})
    sweep_again(hub, Sweeper(hub.runtime), 60)

    assert hub.recras.state()["records"] == []
    assert [system for _, system, _, _ in hub.links()] == ["rompslomp", "workspace"]
