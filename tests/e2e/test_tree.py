"""The main job through real processes: receiver, Redis, Celery worker, scheduler, PostgreSQL, vendors on a socket."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import redis

from tests.e2e.tree import Tree, running_tree
from tests.flows.stories import client
from worker.embedded.servers import connect_existing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
TARGETS = ("rompslomp", "recras", "workspace")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tree")


@pytest.fixture(scope="module")
def tree(home: Path) -> Iterator[Tree]:
    with running_tree(home, worker={"lease_seconds": 3}, retry={"ladder_seconds": [0.3, 1, 2, 4, 8]}) as made:
        yield made


def in_every_system(tree: Tree, name: str) -> bool:
    return (
        [r["company_name"] for r in tree.records("rompslomp")].count(name) == 1
        and [r["naam"] for r in tree.records("recras")].count(name) == 1
        and [r["name"] for r in tree.records("workspace")].count(name) == 1
    )


def test_a_signed_event_brings_a_client_into_every_system(tree: Tree) -> None:
    source_id = tree.robaws.add_client(**client(1))

    status = tree.post(source_id)
    tree.wait_for(lambda: in_every_system(tree, "Dakwerken De Linde 1"))
    tree.wait_for(tree.settled)

    assert status == 202
    shown = tree.get(f"/api/v1/contacts/{source_id}")
    assert {link["system"]: link["state"] for link in shown["links"]} == dict.fromkeys(TARGETS, "synced")


def test_the_same_event_twice_is_told_apart(tree: Tree) -> None:
    source_id = tree.robaws.add_client(**client(2))

    assert [tree.post(source_id, "the-same"), tree.post(source_id, "the-same")] == [202, 200]
    tree.wait_for(tree.settled)


def test_a_burst_of_fifty_events_costs_at_most_two_fetches_after_it_and_one_write_a_system(tree: Tree) -> None:
    source_id = tree.robaws.add_client(**client(3))
    tree.post(source_id)
    tree.wait_for(tree.settled)
    before = {name: len(tree.sandbox.simulators[name].calls()) for name in TARGETS}

    tree.robaws.change_client(source_id, tel="+32 9 000 77 77")
    for _ in range(50):
        tree.post(source_id)
    during = len(tree.robaws.calls("GET", f"/clients/{source_id}$"))
    tree.wait_for(tree.settled)

    assert len(tree.robaws.calls("GET", f"/clients/{source_id}$")) - during <= 2
    writes = {
        name: [one for one in tree.sandbox.simulators[name].calls()[before[name] :] if one.request.method != "GET"]
        for name in TARGETS
    }
    assert {name: len(made) for name, made in writes.items()} == dict.fromkeys(TARGETS, 1)


@pytest.mark.parametrize("part", ["worker", "scheduler", "receiver"])
def test_a_killed_part_is_started_again_and_nothing_is_lost(tree: Tree, part: str) -> None:
    number = {"worker": 11, "scheduler": 12, "receiver": 13}[part]
    source_id = tree.robaws.add_client(**client(number))
    tree.post(source_id)

    killed = tree.children()[part]
    os.kill(killed, signal.SIGKILL)
    tree.wait_for(lambda: tree.children().get(part, killed) != killed)
    tree.wait_for(lambda: in_every_system(tree, f"Dakwerken De Linde {number}"), 60)
    tree.wait_for(tree.settled, 60)


def test_an_emptied_redis_loses_nothing(tree: Tree, home: Path) -> None:
    servers = connect_existing(home / "home")
    assert servers is not None
    client_of_redis = redis.Redis.from_url(servers.redis_url)
    source_ids = [tree.robaws.add_client(**client(20 + number)) for number in range(5)]

    for source_id in source_ids:
        tree.post(source_id)
        client_of_redis.flushall()
    tree.wait_for(tree.settled, 60)

    assert all(in_every_system(tree, f"Dakwerken De Linde {20 + number}") for number in range(5))
    assert tree.get("/api/v1/summary")["conservation"] == 0
    client_of_redis.close()


@pytest.mark.parametrize("system", TARGETS)
def test_a_lost_answer_with_a_killed_worker_and_an_emptied_redis_makes_no_double(
    tree: Tree, home: Path, system: str
) -> None:
    number = 30 + TARGETS.index(system)
    servers = connect_existing(home / "home")
    assert servers is not None
    client_of_redis = redis.Redis.from_url(servers.redis_url)
    source_id = tree.robaws.add_client(**client(number))
    posts = len(tree.sandbox.simulators[system].calls("POST"))
    tree.sandbox.simulators[system].fail("delay", method="POST", seconds=8)

    tree.post(source_id)
    tree.wait_for(lambda: len(tree.sandbox.simulators[system].calls("POST")) > posts)
    os.kill(tree.children()["worker"], signal.SIGKILL)
    client_of_redis.flushall()
    tree.wait_for(tree.settled, 100)

    assert in_every_system(tree, f"Dakwerken De Linde {number}")
    client_of_redis.close()


def test_it_stops_cleanly_and_leaves_no_process(home: Path) -> None:
    import psutil

    with running_tree(home / "another") as made:
        children = psutil.Process(made.process.pid).children(recursive=True)
        status = made.stop()

    gone, alive = psutil.wait_procs(children, timeout=10)
    assert (status, alive) == (0, [])
    assert gone
