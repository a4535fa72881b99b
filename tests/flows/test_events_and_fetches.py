"""Which fetch covers which event: one that began after the event came, and no earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.flows.stories import client
from worker.flows import fetch as fetching

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def versions(hub: Hub) -> list[tuple[str, str, int | None]]:
    """Every event with its state and the contact's version that carries it."""
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT event_id, state, contact_version FROM inbox_event ORDER BY id"))
        return [tuple(row) for row in rows]


def test_an_event_that_comes_while_its_client_is_fetched_waits_for_the_next_fetch(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    fetching.take_events(hub.runtime)

    def change(name: str) -> bool:
        if name == "robaws.read.after_answer":
            hub.crash_at = lambda _name: False
            hub.robaws.change_client(source_id, address={"city": "Aalst"})
            hub.event(source_id)
            fetching.take_events(hub.runtime)
        return False

    hub.crash_at = change
    fetching.fetch(hub.runtime, hub.gate)
    meanwhile = versions(hub)
    hub.settle_all()

    assert meanwhile == [("event-1", "applied", 1), ("event-2", "taken", None)]
    assert versions(hub) == [("event-1", "applied", 1), ("event-2", "applied", 2)]
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
