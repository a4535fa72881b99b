"""What PostgreSQL does not take is refused alone: the events that shared its commit are stored."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Engine, text

from webhooks.figures import Figures
from webhooks.group_commit import Arrival, GroupCommit


def arrival(event_id: bytes) -> Arrival:
    return Arrival(b"{}", b"{}", event_id=event_id, kind=b"client.updated", source_id=b"1834", correlation_id=b"c")


@pytest.mark.parametrize("bad", [b"not \xff utf-8", b"a \x00 in a text"])
def test_an_event_that_cannot_be_stored_does_not_hold_up_those_beside_it(
    migrated_url: str, engine: Engine, bad: bytes
) -> None:
    async def story() -> list[str]:
        commit = GroupCommit(migrated_url, Figures(), lambda: None)
        commit.start()
        # The connection is not there yet, so that all three wait for the same commit.
        results = await asyncio.gather(*(commit.store(arrival(event_id)) for event_id in (b"e-1", bad, b"e-2")))
        await commit.stop()
        return list(results)

    results = asyncio.run(story())

    assert results == ["accepted", "unstorable", "accepted"]
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT event_id FROM inbox_event ORDER BY event_id")).scalars().all()
        counted = connection.execute(text("SELECT sum(received) FROM event_tally")).scalar_one()
    assert (stored, counted) == (["e-1", "e-2"], 2)
