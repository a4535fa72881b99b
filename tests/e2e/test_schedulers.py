"""Two schedulers at once: one leads and sweeps, the other stands by until the lead is free."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from tests.flows.stories import client
from worker.processes.pulse import Pulse
from worker.processes.schedule import LEADER_LOCK, Leadership, keep_sweeping
from worker.runtime import Runtime
from worker.vendors.transport import Unmetered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.hub import Hub


class Turns(threading.Event):
    """A stop that is given after so many sweeps, without waiting for any."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.turns -= 1
        if self.turns <= 0:
            self.set()
        return self.is_set()


class Heard:
    """A publisher that counts."""

    def __init__(self) -> None:
        self.nudges = 0

    def intake(self) -> None:
        self.nudges += 1

    def fetch(self, contact_id: int) -> None:
        self.nudges += 1

    def deliver(self, system: str, link_id: int) -> None:
        self.nudges += 1

    def crowded(self, lane: str, /) -> bool:
        return False


@contextmanager
def leading(hub: Hub) -> Iterator[Leadership]:
    """Another scheduler, that leads."""
    other = Leadership(hub.engine)
    assert other.held()
    yield other
    other.give_up()


def sweeps(hub: Hub, home: Path, turns: int = 3) -> int:
    """How many nudges a scheduler of its own sends in so many turns."""
    heard = Heard()
    runtime = Runtime(hub.settings, engine=hub.engine, budget=Unmetered(), publisher=heard, now=lambda: hub.time)
    pulse = Pulse(hub.settings.model_copy(update={"home": home}), "scheduler")
    keep_sweeping(runtime, Leadership(hub.engine), pulse, Turns(turns))
    assert pulse.fresh()
    return heard.nudges


def test_one_of_two_schedulers_sweeps(hub: Hub, tmp_path: Path) -> None:
    hub.event(hub.robaws.add_client(**client()))

    with leading(hub):
        beside_another = sweeps(hub, tmp_path)
    alone = sweeps(hub, tmp_path)

    assert (beside_another, alone) == (0, 3)


def test_the_lead_is_free_when_the_leaders_connection_ends(hub: Hub) -> None:
    second = Leadership(hub.engine)
    with leading(hub) as first:
        before = second.held()
        with hub.engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND objid = :k"
                ),
                {"k": LEADER_LOCK % 2**32},
            )
        after = second.held()
        with pytest.raises(SQLAlchemyError):
            first.held()
        still = first.held()
    second.give_up()

    assert (before, after, still) == (False, True, False)
