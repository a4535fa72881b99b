"""Trouble in real processes: a poison pill that kills its workers, and a vendor that is slow."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.tree import Tree, running_tree
from tests.flows.stories import client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OTHERS = ("rompslomp", "workspace")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    settings: dict[str, Any] = {"worker": {"lease_seconds": 8}, "retry": {"ladder_seconds": [1, 1, 1, 1, 1, 1, 1]}}
    with running_tree(tmp_path_factory.mktemp("trouble"), **settings) as made:
        yield made


def queue(tree: Tree, source_id: str) -> list[dict[str, Any]]:
    """The lines of the retry queue that are about one client."""
    lines: list[dict[str, Any]] = tree.get("/api/v1/retries")["items"]
    return [line for line in lines if line["contact"]["source_id"] == source_id]


def state(tree: Tree, source_id: str, system: str) -> str:
    """A link's state."""
    links = {link["system"]: link["state"] for link in tree.get(f"/api/v1/contacts/{source_id}")["links"]}
    return str(links.get(system, "none"))


def seen(tree: Tree, times: int) -> bool:
    """Whether Recras was called so often, and there is a worker to be killed for it."""
    return len(tree.sandbox.simulators["recras"].calls()) >= times and "worker" in tree.children()


def test_what_kills_its_worker_again_and_again_is_dead_and_says_so_while_the_rest_goes_on(tree: Tree) -> None:
    recras = tree.sandbox.simulators["recras"]
    source_id = tree.robaws.add_client(**client(70))
    before = len(recras.calls())
    recras.fail("delay", times=-1, seconds=20)
    tree.post(source_id)

    for times in range(1, 5):
        tree.wait_for(partial(seen, tree, before + times), 60)
        if times > 1:  # whatever else the first kill hit has been made up for by now
            tree.wait_for(lambda: {state(tree, source_id, system) for system in OTHERS} == {"synced"})
        os.kill(tree.children()["worker"], signal.SIGKILL)
    tree.wait_for(lambda: state(tree, source_id, "recras") == "dead", 60)
    recras.clear_faults()

    [line] = [line for line in queue(tree, source_id) if line["state"] == "dead"]
    assert (line["system"], line["reason"]) == ("recras", "crashed")
    assert "ended its worker 4 times" in line["message"]
    assert {state(tree, source_id, system) for system in OTHERS} == {"synced"}


def test_a_slow_vendor_holds_up_no_other(tree: Tree) -> None:
    recras = tree.sandbox.simulators["recras"]
    before = len(tree.records("recras"))
    names = {f"Dakwerken De Linde {number}" for number in range(80, 92)}
    recras.fail("delay", times=-1, seconds=2)

    for number in range(80, 92):
        tree.post(tree.robaws.add_client(**client(number)))
    tree.wait_for(lambda: names <= {one["company_name"] for one in tree.records("rompslomp")}, 120)
    tree.wait_for(lambda: names <= {one["name"] for one in tree.records("workspace")}, 120)
    there = len(tree.records("recras")) - before
    recras.clear_faults()
    tree.wait_for(tree.settled, 240)

    assert there < len(names)
    assert names <= {one["naam"] for one in tree.records("recras")}
