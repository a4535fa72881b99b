"""What goes wrong at a vendor, and what follows: nothing is lost, nobody else is held up, and it heals itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.store import systems

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

TARGETS = ("rompslomp", "recras", "workspace")


def state_of(hub: Hub, system: str) -> systems.SystemView:
    with hub.engine.connect() as connection:
        return systems.view(connection, system)


@pytest.mark.parametrize("system", TARGETS)
def test_a_vendor_that_is_down_holds_up_nobody_else_and_catches_up(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("status", times=-1, status=503)

    hub.sync(source_id)
    others = {name: hub.link(source_id, name)["state"] for name in TARGETS if name != system}
    hub.simulators[system].clear_faults()
    hub.settle_all()

    assert set(others.values()) == {"synced"}
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    assert len(hub.simulators[system].state()["records"]) == 1


def test_failures_in_a_row_open_the_breaker_and_a_probe_closes_it(hub: Hub) -> None:
    ids = [hub.robaws.add_client(**client(number)) for number in range(1, 8)]
    hub.rompslomp.fail("status", times=-1, status=500)
    for source_id in ids:
        hub.event(source_id)

    hub.settle()
    tried = len(hub.rompslomp.calls())
    opened = state_of(hub, "rompslomp").breaker
    hub.rompslomp.clear_faults()
    hub.settle_all()

    assert opened == "open"
    assert tried == 5
    assert state_of(hub, "rompslomp").breaker == "closed"
    assert len(hub.rompslomp.state()["records"]) == 7


@pytest.mark.parametrize("system", TARGETS)
def test_a_429_makes_the_whole_system_wait_as_told_and_costs_no_attempt(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("throttle", retry_after=90)

    hub.sync(source_id)
    before = len(hub.simulators[system].calls())
    hub.later(60)
    hub.settle()
    waited = len(hub.simulators[system].calls()) == before
    hub.later(31)
    hub.settle()

    assert waited
    link = hub.link(source_id, system)
    assert (link["state"], link["attempts"]) == ("synced", 0)


@pytest.mark.parametrize(
    ("system", "status"), [("rompslomp", 401), ("recras", 401), ("recras", 403), ("workspace", 401)]
)
def test_refused_credentials_pause_the_system_with_a_reason(hub: Hub, system: str, status: int) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("status", times=-1, status=status, body="{}")

    hub.sync(source_id)
    first = len(hub.simulators[system].calls())
    paused = state_of(hub, system)
    hub.later(5)
    hub.settle()
    silent = len(hub.simulators[system].calls()) == first
    hub.simulators[system].clear_faults()
    hub.settle_all()

    assert paused.paused_by == "credentials"
    assert paused.paused_reason
    assert silent
    assert hub.link(source_id, system)["state"] == "synced"
    assert hub.link(source_id, system)["attempts"] == 0


def test_a_refusal_of_the_data_is_dead_with_the_vendors_words_and_revives_when_the_client_changes(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    words = '{"error": {"message": "Contact is invalid: Company name mist.", "type": "client.parameters.validation"}}'
    hub.rompslomp.fail("status", times=1, method="POST", status=422, body=words)

    hub.sync(source_id)
    dead = hub.link(source_id, "rompslomp")
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    assert (dead["state"], dead["status"]) == ("dead", 422)
    assert "Company name mist" in dead["message"]
    assert hub.link(source_id, "rompslomp")["state"] == "synced"
    assert [record["city"] for record in hub.rompslomp.state()["records"]] == ["Aalst"]


def test_a_406_of_recras_is_its_refusal_with_fields(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    body = '[{"field": "naam", "message": "Is te kort.", "parameters": []}]'
    hub.recras.fail("status", times=1, method="POST", status=406, body=body)

    hub.sync(source_id)

    link = hub.link(source_id, "recras")
    assert link["state"] == "dead"
    assert link["fields"] == {"naam": "Is te kort."}


def test_a_full_subscription_pauses_creates_and_lets_updates_go_on(hub: Hub) -> None:
    old = hub.robaws.add_client(**client(1))
    hub.sync(old)
    full = '{"error": {"message": "Quota bereikt.", "type": "client.quota_reached"}}'
    hub.rompslomp.fail("status", times=1, method="POST", status=422, body=full)
    first, second = (hub.robaws.add_client(**client(number)) for number in (2, 3))

    hub.sync(first)
    hub.sync(second)
    posts = len(hub.rompslomp.calls("POST"))
    hub.robaws.change_client(old, address={"city": "Aalst"})
    hub.sync(old)
    updated = hub.link(old, "rompslomp")["state"]
    hub.settle_all()

    assert posts == 2
    assert updated == "synced"
    assert len(hub.rompslomp.state()["records"]) == 3


def test_a_400_of_workspace_is_tried_once_more_and_then_dead(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.workspace.fail("code_400", times=-1, method="POST")

    hub.sync(source_id)
    first = hub.link(source_id, "workspace")["state"]
    hub.settle_all()

    assert first == "waiting"
    assert hub.link(source_id, "workspace")["state"] == "dead"
    assert len(hub.workspace.calls("POST")) == 2


def test_a_wrong_address_pauses_the_system_and_loses_no_record(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.configure(rompslomp={"path_template": "/{company_id}/{resource}"})

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    view = state_of(hub, "rompslomp")
    assert (view.paused_by, hub.link(source_id, "rompslomp")["external_id"] is not None) == ("credentials", True)


@pytest.mark.parametrize("system", TARGETS)
def test_a_page_that_says_404_pauses_the_system_and_uses_up_nobodys_attempts(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.simulators[system].fail("html", times=-1, status=404)

    hub.sync(source_id)

    view, link = state_of(hub, system), hub.link(source_id, system)
    assert (view.paused_by, view.breaker) == ("credentials", "closed")
    assert (link["state"], link["reason"], link["attempts"]) == ("due", "wrong_address", 0)


@pytest.mark.parametrize("system", TARGETS)
def test_a_record_that_is_gone_waits_for_a_person_by_default(hub: Hub, system: str) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    hub.simulators[system].delete_record(str(hub.link(source_id, system)["external_id"]))  # type: ignore[attr-defined]

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    link = hub.link(source_id, system)
    assert (link["state"], link["reason"]) == ("review", "gone")


@pytest.mark.parametrize("system", ["rompslomp", "workspace"])
def test_a_record_that_is_gone_is_made_anew_where_the_settings_say_so(hub: Hub, system: str) -> None:
    hub.configure(**{system: {"on_gone": "recreate"}})
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    lost = hub.link(source_id, system)["external_id"]
    hub.simulators[system].delete_record(str(lost))  # type: ignore[attr-defined]

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)
    hub.settle_all()

    link = hub.link(source_id, system)
    assert link["state"] == "synced"
    assert link["external_id"] != lost


def test_a_fetch_that_fails_keeps_its_events_open_and_comes_back(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.fail("html", times=2, status=502)

    hub.sync(source_id)
    meanwhile = hub.equation()
    hub.settle_all()

    assert meanwhile == {"received": 1, "applied": 0, "skipped": 0, "open": 1, "dead": 0}
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def test_a_fetch_that_gives_up_leaves_dead_events_and_the_next_event_revives_it(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.fail("status", times=1, status=422, body='{"message": "no"}')

    hub.sync(source_id)
    dead = hub.equation()
    hub.sync(source_id)

    assert dead == {"received": 1, "applied": 0, "skipped": 0, "open": 0, "dead": 1}
    assert hub.equation() == {"received": 2, "applied": 2, "skipped": 0, "open": 0, "dead": 0}


def test_a_blocked_credential_at_robaws_stops_all_calls(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.block()

    hub.sync(source_id)
    calls = len(hub.robaws.calls())
    hub.later(10)
    hub.settle()
    hub_calls = len(hub.robaws.calls())
    hub.robaws.unblock()
    hub.settle_all()

    assert (calls, hub_calls) == (1, 1)
    assert "block" in (state_of(hub, "robaws").paused_reason or "block")
    assert hub.equation()["applied"] == 1


def test_the_days_quota_of_robaws_parks_the_fetch_until_its_reset(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.robaws.spend_daily_quota()

    hub.sync(source_id)
    hub.later(600)
    hub.settle()

    assert len(hub.robaws.calls()) == 1
    assert hub.equation()["open"] == 1
    assert hub.contact(source_id)["fetch_attempts"] == 0


def test_what_ends_its_worker_again_and_again_is_dead_and_says_so(hub: Hub) -> None:
    from tests.fixtures.hub import Crash

    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    for _ in range(4):
        hub.crash_at = lambda name: name == "rompslomp.search.before_send"
        with pytest.raises(Crash):
            hub.settle_all()
        hub.restart()

    hub.settle_all()

    link = hub.link(source_id, "rompslomp")
    assert (link["state"], link["reason"]) == ("dead", "crashed")


def test_a_wrong_base_url_of_robaws_skips_no_event(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    right = hub.settings.systems.robaws.base_url
    hub.configure(robaws={"base_url": right.replace("/api/v2", "/api")})

    hub.sync(source_id)
    wrong = hub.equation()
    hub.configure(robaws={"base_url": right})
    hub.settle_all()

    assert wrong["open"] == 1
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def test_a_link_that_a_person_left_out_stays_out_until_a_person_asks_for_it(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.sync(source_id)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'excluded', reason = 'discarded' WHERE system = 'rompslomp'"))

    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.sync(source_id)

    assert hub.link(source_id, "rompslomp")["state"] == "excluded"
    assert [record["city"] for record in hub.rompslomp.state()["records"]] == ["Gent"]
