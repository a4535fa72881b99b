"""What is committed when: the intent before a create leaves, the id before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

TARGETS = ["rompslomp", "recras", "workspace"]


def row_at(hub: Hub, system: str, points: list[str], seen: list[Any]) -> None:
    """Keep the link's row as it is committed when one of the points is passed."""

    def look(name: str) -> bool:
        if name in points:
            with hub.engine.connect() as connection:
                statement = text("SELECT intent, external_id FROM link WHERE system = :s")
                seen.append((name, *connection.execute(statement, {"s": system}).one()))
        return False

    hub.crash_at = look


@pytest.mark.parametrize("system", TARGETS)
def test_the_intent_of_a_create_is_committed_before_it_leaves(hub: Hub, system: str) -> None:
    seen: list[Any] = []
    row_at(hub, system, [f"{system}.create.before_send"], seen)

    hub.sync(hub.robaws.add_client(**client()))

    [(_, intent, external_id)] = seen
    assert intent is not None
    assert intent["posts"] == 1
    assert intent["body"]
    assert external_id is None


@pytest.mark.parametrize("system", TARGETS)
def test_the_id_of_a_record_is_committed_before_anything_else_is_sent_or_stored(hub: Hub, system: str) -> None:
    seen: list[Any] = []
    after = [f"{system}.read.before_send", "directory.add.before_commit", "deliver.finish.before_commit"]
    row_at(hub, system, after, seen)

    hub.sync(hub.robaws.add_client(**client()))

    # Other systems' deliveries pass the same points: of this one, the id is there from its bind on.
    made = [str(record["id"]) for record in hub.simulators[system].state()["records"]]
    own = [one for one in seen if one[2] is not None]
    assert {one[2] for one in own} == set(made)
    assert all(intent is None for _, intent, _ in own)
    if system == "recras":
        assert own[0][0] == "recras.read.before_send"
