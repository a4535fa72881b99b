"""SIGTERM to a worker in the middle of a vendor's call: what can be ended is ended, the rest is taken up once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest

from tests.e2e.tree import Tree, running_tree
from tests.flows.stories import client
from worker.embedded.servers import connect_existing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SYSTEMS = ("rompslomp", "recras", "workspace")
STOP_SECONDS = 9.0
LEASE_SECONDS = 24.0
SHORT_SECONDS = 3.0
LONG_SECONDS = 17.0
"""Longer than the worker is given to stop, shorter than its lease and than a vendor's timeout."""

_LINKS = """
    SELECT l.system, l.state, l.crashes, l.external_id IS NOT NULL, l.intent IS NOT NULL, l.next_attempt_at IS NOT NULL
    FROM link AS l JOIN contact AS c ON c.id = l.contact_id WHERE c.source_id = %(source_id)s
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stops")


@pytest.fixture(scope="module")
def tree(home: Path) -> Iterator[Tree]:
    with running_tree(home, worker={"lease_seconds": LEASE_SECONDS, "stop_seconds": STOP_SECONDS}) as made:
        yield made


def links(home: Path, source_id: str) -> dict[str, tuple[Any, ...]]:
    """Each link's state, its crashes, whether it has a record, an open intent, and a time at which it is due."""
    servers = connect_existing(home / "home")
    assert servers is not None
    with psycopg.connect(servers.database_url) as connection:
        return {row[0]: row[1:] for row in connection.execute(_LINKS, {"source_id": source_id})}


def stop_during_creates(tree: Tree, seconds: float, source_id: str) -> None:
    """Tell the worker to stop while every vendor takes so long for its create; returns when the worker has ended."""
    tree.wait_for(lambda: "worker" in tree.children(), 60)
    worker = tree.children()["worker"]
    simulators = [tree.sandbox.simulators[system] for system in SYSTEMS]
    calls = [len(simulator.calls("POST")) for simulator in simulators]
    for simulator in simulators:
        simulator.fail("delay", method="POST", seconds=seconds)
    tree.post(source_id)
    tree.wait_for(lambda: all(len(one.calls("POST")) > n for one, n in zip(simulators, calls, strict=True)), 60)
    os.kill(worker, signal.SIGTERM)
    tree.wait_for(lambda: not psutil.pid_exists(worker), 120)


def abandoned(home: Path) -> int:
    """How often a worker left something behind."""
    return (home / "home" / "logs" / "worker.log").read_text().count("worker.abandons")


def records(tree: Tree, name: str) -> dict[str, int]:
    """How many records each system has for this client."""
    key = {"rompslomp": "company_name", "recras": "naam", "workspace": "name"}
    return {system: [one[key[system]] for one in tree.records(system)].count(name) for system in SYSTEMS}


def test_calls_of_some_seconds_are_waited_for_and_their_records_written_down(tree: Tree, home: Path) -> None:
    source_id = tree.robaws.add_client(**client(50))
    before = abandoned(home)

    stop_during_creates(tree, SHORT_SECONDS, source_id)
    left = links(home, source_id)
    tree.wait_for(tree.settled, 120)

    assert {system: (row[1], row[2], row[3]) for system, row in left.items()} == dict.fromkeys(
        SYSTEMS, (0, True, False)
    )
    assert abandoned(home) == before
    assert records(tree, "Dakwerken De Linde 50") == dict.fromkeys(SYSTEMS, 1)


def test_creates_that_take_longer_are_abandoned_with_a_lease_that_ends_and_make_no_double(
    tree: Tree, home: Path
) -> None:
    source_id = tree.robaws.add_client(**client(60))
    before = abandoned(home)

    stop_during_creates(tree, LONG_SECONDS, source_id)
    left = links(home, source_id)
    tree.wait_for(tree.settled, 240)

    assert left == dict.fromkeys(SYSTEMS, ("working", 0, False, True, True))
    assert abandoned(home) == before + 1
    assert records(tree, "Dakwerken De Linde 60") == dict.fromkeys(SYSTEMS, 1)
    assert {row[:3] for row in links(home, source_id).values()} == {("synced", 0, True)}
    assert tree.get("/api/v1/summary")["conservation"] == 0
