"""A person's word goes before a wait and not before the gate: what is paused is not called, however much is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.stories import client
from tests.store.people import OPERATOR, act
from worker.flows import deliver as delivering
from worker.store import operating, operating_bulk
from worker.store.listing_retries import RetryFilter

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def test_what_many_retries_made_due_waits_for_a_system_that_is_paused(hub: Hub) -> None:
    refusal = '{"error": {"message": "Contact is invalid.", "type": "client.parameters.validation"}}'
    hub.rompslomp.fail("status", times=2, method="POST", status=422, body=refusal)
    for number in (1, 2):
        hub.event(hub.robaws.add_client(**client(number)))
    hub.settle()
    act(hub, operating.pause, "rompslomp", reason="maintenance")
    hub.gate.forget("rompslomp")
    hub.forget_calls()
    with hub.engine.begin() as connection:
        operating_bulk.make(
            connection, "retry", RetryFilter(state="dead"), OPERATOR, hub.time, reason=None, approval_above=100
        )
        owed = operating_bulk.work(connection, hub.time)
    assert owed is not None

    results = [delivering.deliver(hub.runtime, hub.gate, system, link_id).result for link_id, system in owed.links]
    called = hub.calls("rompslomp")
    act(hub, operating.resume, "rompslomp")
    hub.gate.forget("rompslomp")
    hub.settle()

    assert (results, called) == (["none", "none"], [])
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
