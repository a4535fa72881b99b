"""Two systems that learn their ids at the same moment owe Robaws one write-back, and neither fails."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.flows.stories import client
from worker.flows import fetch as fetching
from worker.store import source_link

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub


def test_two_at_once_make_one_row(hub: Hub) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    contact_id = hub.contact(source_id)["id"]
    failures: list[Exception] = []
    together = threading.Barrier(2)

    def owe() -> None:
        try:
            with hub.engine.begin() as connection:
                together.wait(10)
                source_link.want_write_back(connection, contact_id, hub.time, None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=owe) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    assert hub.link(source_id, "robaws")["wanted_version"] == 2
