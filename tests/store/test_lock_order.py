"""
One order of locks: each writing transaction is run against each other, stopped before each of its statements in turn
while the other one goes as far as it can, and none of them ends in a deadlock.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from tests.crash.points import all_points
from tests.fixtures.hub import Hub
from tests.fixtures.lock_order import ORDER, OutOfOrder, Watch, locked
from tests.flows.stories import client
from tests.store.lock_works import WORKS, Stage, stage
from worker.errors import SyncError
from worker.flows import deliver as delivering
from worker.flows import fetch as fetching
from worker.flows.outcome import unexpected
from worker.store.engine import retried

__all__ = ["stage"]

ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
IN_FLOWS: dict[str, str] = {
    "intake": "intake",
    "fetch.store": "fetch.store",
    "fetch.failed": "fetch.failed",
    "deliver.intend": "deliver.intend",
    "deliver.bind": "deliver.bind",
    "deliver.finish": "deliver.finish",
    "deliver.failed": "deliver.failed",
    "gate.learn": "gate.learn",
    "gate.succeeded": "gate.succeeded",
    "sweep.clock": "sweep.clock",
    "sweep.fold": "sweep.fold",
}
"""The transactions of the flows that hold more than one row, with the name of their work below."""
ONE_ROW = {
    "deliver.claim": "skips what is locked",
    "fetch.claim": "skips what is locked",
    "deliver.renew": "one link",
    "deliver.expect": "one link, and rows that are only added",
    "gate.probe": "one system",
    "gate.enter": "one system",
    "gate.leave": "one system",
    "directory.add": "the directory, sorted by id",
    "directory.replace": "the directory, sorted by id",
    "fetch.departure": "as fetch.store, and all links of the contact",
    "sweep.partitions": "whole tables, waited for briefly",
}


class Stopped:
    """Runs a transaction that stops before its statement number `stop_at`, and is rolled back in the end."""

    def __init__(self, stage: Stage, name: str, stop_at: int | None = None) -> None:
        self.stage, self.name, self.stop_at = stage, name, stop_at
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.statements = 0
        self.pid = 0
        self.error: str | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        try:
            with self.stage.hub.engine.connect() as connection:
                self.pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                event.listen(connection, "before_cursor_execute", self.before)
                WORKS[self.name](self.stage, connection)
                connection.rollback()
        except SyncError:
            pass  # it found no row in the state that it wants, after the other one
        except DBAPIError as error:
            self.error = type(error.orig).__name__
        finally:
            self.reached.set()

    def before(self, *_: object) -> None:
        if self.statements == self.stop_at:
            self.reached.set()
            self.go_on.wait(30)
        self.statements += 1

    def waits(self) -> bool:
        """Whether it stands behind another transaction's lock."""
        with self.stage.hub.engine.connect() as connection:
            found = connection.execute(
                text("SELECT cardinality(pg_blocking_pids(:pid)) > 0"), {"pid": self.pid}
            ).scalar_one()
        return bool(found)


def count(stage: Stage, name: str) -> int:
    alone = Stopped(stage, name)
    alone.run()
    assert alone.error is None
    return alone.statements


def against(stage: Stage, first: str, stop_at: int, second: str) -> list[str | None]:
    one, other = Stopped(stage, first, stop_at), Stopped(stage, second)
    one.thread.start()
    one.reached.wait(30)
    other.thread.start()
    end = time.monotonic() + 10
    while other.thread.is_alive() and time.monotonic() < end and not (other.pid and other.waits()):
        other.thread.join(0.002)
    one.go_on.set()
    one.thread.join(30)
    other.thread.join(30)
    return [one.error, other.error]


@pytest.mark.parametrize("name", sorted(WORKS))
def test_each_transaction_locks_in_the_order(stage: Stage, name: str) -> None:
    watch = Watch()
    with stage.hub.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: watch.sees(given[2]))
        WORKS[name](stage, connection)
        connection.rollback()

    assert watch.held or watch.skipped or name == "intake"


@pytest.mark.slow
@pytest.mark.parametrize("first", sorted(WORKS))
def test_no_two_transactions_wait_for_each_other(stage: Stage, first: str) -> None:
    broken = []
    for stop_at in range(1, count(stage, first)):
        for second in sorted(WORKS):
            errors = against(stage, first, stop_at, second)
            if any(errors):
                broken.append((stop_at, second, errors))

    assert broken == []


def test_every_transaction_of_the_flows_has_its_place_here() -> None:
    names = {point.name.rpartition(".")[0] for point in all_points() if point.name.endswith("before_commit")}
    of_flows = {name for name in names if not name.startswith(("accept", "receive", "reject"))}

    assert of_flows <= {*IN_FLOWS, *ONE_ROW}
    assert set(IN_FLOWS.values()) <= set(WORKS)


def test_the_page_has_the_order() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    section = page.split("## Locks\n")[1].split("\n## ")[0]

    assert tuple(re.findall(r"^\d+\. `(\w+)`", section, re.MULTILINE)) == ORDER


@pytest.mark.parametrize(
    ("statements", "fits"),
    [
        (["UPDATE contact SET a = 1", "UPDATE link SET a = 1"], True),
        (["UPDATE link SET a = 1", "UPDATE contact SET a = 1"], False),
        (["SELECT a FROM review WHERE id = 1 FOR UPDATE", "UPDATE link SET a = 1"], False),
        (["SELECT l.a FROM link AS l JOIN contact AS c ON true FOR UPDATE OF l", "UPDATE review SET a = 1"], True),
        (["SELECT a FROM link FOR UPDATE SKIP LOCKED", "UPDATE contact SET a = 1"], True),
        (["UPDATE review SET a = 1", "INSERT INTO link AS l (a) SELECT 1 ON CONFLICT (a) DO UPDATE SET a = 2"], False),
    ],
)
def test_the_order_is_read_from_the_statements(statements: list[str], fits: bool) -> None:
    watch, broken = Watch(), False
    for statement in statements:
        try:
            watch.sees(statement)
        except OutOfOrder:
            broken = True

    assert broken != fits
    assert locked(statements[0])


@pytest.fixture
def interleaved(hub: Hub) -> Iterator[Callable[[str, Callable[[], object]], threading.Thread]]:
    """Before this thread's first statement that holds some words, another transaction goes as far as it can."""
    mine = threading.get_ident()
    listening: list[Any] = []

    def at(words: str, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)

        def before(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if threading.get_ident() == mine and words in " ".join(statement.split()) and not thread.ident:
                thread.start()
                thread.join(0.3)

        event.listen(hub.application, "before_cursor_execute", before)
        listening.append(before)
        return thread

    yield at
    for before in listening:
        event.remove(hub.application, "before_cursor_execute", before)


def test_a_create_is_answered_while_its_client_is_fetched_again(hub: Hub, interleaved: Any) -> None:
    hub.configure(
        recras={"enabled": False}, workspace={"enabled": False}, robaws={"write_back": {"rompslomp": "Rompslomp id"}}
    )
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    fetching.fetch(hub.runtime, hub.gate)
    hub.robaws.change_client(source_id, address={"city": "Aalst"})
    hub.later(60)
    hub.event(source_id)
    fetching.take_events(hub.runtime)
    thread = interleaved("SELECT c.id, 'robaws'", lambda: fetching.fetch(hub.runtime, hub.gate))

    delivering.deliver(hub.runtime, hub.gate, "rompslomp")
    thread.join()

    contact, link = hub.contact(source_id), hub.link(source_id, "rompslomp")
    assert (contact["fetch_reason"], contact["fetch_attempts"], contact["version"]) == (None, 0, 2)
    assert link["reason"] != "internal_error"
    assert link["external_id"] is not None


def test_a_transaction_that_was_the_victim_of_a_deadlock_is_run_again(hub: Hub) -> None:
    ids = [hub.robaws.add_client(**client(number)) for number in (1, 2)]
    for source_id in ids:
        hub.sync(source_id)
    meet = threading.Barrier(2, timeout=10)
    tries: list[int] = []

    def change(mine: int, theirs: int) -> None:
        first = True

        def once() -> None:
            nonlocal first
            tries.append(mine)
            with hub.engine.begin() as connection:
                connection.execute(text("UPDATE contact SET name = name WHERE source_id = :s"), {"s": ids[mine]})
                if first:
                    first = False
                    meet.wait()
                connection.execute(text("UPDATE contact SET name = name WHERE source_id = :s"), {"s": ids[theirs]})

        retried(once)

    other = threading.Thread(target=change, args=(1, 0))
    other.start()
    change(0, 1)
    other.join()

    assert len(tries) > 2
    assert set(tries) == {0, 1}


def test_what_the_database_says_is_told_without_its_statement(hub: Hub) -> None:
    with pytest.raises(DBAPIError) as caught, hub.engine.begin() as connection:
        connection.execute(text("UPDATE contact SET fetch_wanted = 'Jan Peeters'"))

    told = unexpected(caught.value)

    assert told.word == "internal_error"
    assert "UPDATE" not in told.message
    assert "Peeters" not in told.message
