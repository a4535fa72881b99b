"""
The process dies at every boundary of I/O that the code has, and goes on from what is committed.

The list is read from the code (`tests.crash.points`), so a new boundary without a story fails here, as does a story
that does not come to its boundary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.plant import Plant
from tests.crash.points import all_points
from tests.crash.receiving import RECEIVING
from tests.crash.stories import STORIES, TARGETS
from worker.flows import drain

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

POINTS = [point.name for point in all_points()]
INNER = [name for name in POINTS if name.rpartition(".")[0] not in RECEIVING]


def test_every_boundary_has_a_story_and_every_story_a_boundary() -> None:
    known = {name.rpartition(".")[0] for name in POINTS}

    assert known == STORIES.keys() | RECEIVING.keys()


@pytest.mark.parametrize("point", INNER)
def test_a_process_that_dies_there_loses_nothing_and_doubles_nothing(
    hub: Hub, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "SLICE_SECONDS", drain.SLICE_SECONDS)
    plant = Plant(hub, point)
    STORIES[point.rpartition(".")[0]](plant)

    plant.run()

    assert plant.died, f"the story never came to {point}, only to {sorted(plant.reached)}"
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
    for system in TARGETS:
        there = [one for one in hub.simulators[system].state()["records"] if not one.get("trashed")]
        assert len(there) == 1, f"{system} holds {len(there)} records of one client"
    sides = hub.equation()
    assert (sides["open"], sides["dead"]) == (0, 0)
