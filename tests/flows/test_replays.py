"""An operator replays events: clients are fetched and delivered once more, those of a time span in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.flows.test_requested_meanwhile import PERSON, REFUSAL, fetch_only
from worker.flows import fetch as fetching
from worker.store import operating

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """One target is enough here."""
    hub.configure(recras={"enabled": False}, workspace={"enabled": False})
    return hub


def test_a_background_replay_does_not_take_a_waiting_links_priority(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=1, status=503)
    hub.sync(source_id)

    with hub.engine.begin() as connection:
        operating.replay_since(connection, hub.time - timedelta(days=90000), PERSON, hub.time, "after an outage")
    hub.robaws.change_client(source_id, tel="09 200 00 99")
    fetching.fetch(hub.runtime, hub.gate)

    assert hub.link(source_id, "rompslomp")["priority"] == 0


def test_a_background_replay_goes_behind_live_traffic(hub: Hub) -> None:
    clients = [hub.robaws.add_client(**client(name=f"Dakwerken {n}", email=f"{n}@firma{n}.example")) for n in range(3)]
    for source_id in clients:
        hub.sync(source_id)
    hub.later(60)

    with hub.engine.begin() as connection:
        operating.replay_since(connection, hub.time - timedelta(days=90000), PERSON, hub.time, "after an outage")
    hub.later(10)
    hub.robaws.change_client(clients[2], tel="09 200 00 99")
    hub.event(clients[2])
    hub.forget_calls()
    fetch_only(hub)

    fetched = [call.split("?")[0].rsplit("/", 1)[1] for call in hub.calls("robaws")]
    assert fetched[0] == clients[2]
    assert sorted(fetched) == clients
    assert [hub.contact(source_id)["fetch_priority"] for source_id in clients] == [1, 1, 0]


def test_what_a_replay_tries_again_is_a_request_like_any_other(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.rompslomp.fail("status", times=-1, method="POST", status=422, body=REFUSAL)
    hub.sync(source_id)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET crashes = 3, own_failures = 5 WHERE state = 'dead'"))
    before = hub.link(source_id, "rompslomp")["request_seq"]

    with hub.engine.begin() as connection:
        operating.replay_since(connection, hub.time - timedelta(days=90000), PERSON, hub.time, "after an outage")
    asked = hub.link(source_id, "rompslomp")
    hub.rompslomp.clear_faults()
    hub.rompslomp.fail("status", times=1, method="POST", status=503)
    hub.settle()

    link = hub.link(source_id, "rompslomp")
    assert (asked["state"], asked["priority"], asked["request_seq"]) == ("due", 1, before + 1)
    assert (link["own_failures"], link["crashes"], link["attempts"]) == (0, 0, 1)
