"""The receiver as a process: it says where it listens, stops cleanly, and answers first what it has taken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import orjson
import psutil
import pytest
from sqlalchemy import text

from tests.webhooks.conftest import SECRET, wait_until
from worker.core.signature import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from webhooks.server import serve
from worker.config import Settings
class Silent:
    def intake(self): pass
    def fetch(self, contact_id): pass
    def deliver(self, system, link_id): pass
    def crowded(self, lane): return False
settings = Settings.model_validate({
    "database": {"url": sys.argv[1]}, "redis": {"url": "redis://127.0.0.1:1/0"}, "receiver": {"port": 0},
    "systems": {"robaws": {"webhook_secrets": [sys.argv[2]]}},
})
serve(settings, lambda host, port: print(f"http://{host}:{port}", flush=True), publisher=Silent())
"""


class Process:
    """A running receiver."""

    def __init__(self, database_url: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, database_url, SECRET], stdout=subprocess.PIPE, text=True
        )
        assert self.child.stdout is not None
        self.url = self.child.stdout.readline().strip()
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        wait_until(lambda: self.http.get("/readyz").status_code == 200)

    def event(self, event_id: str, size: int = 0) -> int:
        body = orjson.dumps({"id": event_id, "event": "client.updated", "data": {"id": "1", "x": "y" * size}})
        headers = {"Content-Type": "application/json", "Robaws-Signature": sign(SECRET, int(time.time()), body)}
        return self.http.post("/webhooks/robaws", content=body, headers=headers).status_code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return self.child.wait(20)

    def end(self) -> None:
        self.http.close()
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self.child.stdout is not None:
            self.child.stdout.close()


@pytest.fixture
def process(migrated_url: str) -> Iterator[Process]:
    made = Process(migrated_url)
    yield made
    made.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_its_port_and_stops_cleanly_when_asked(process: Process, number: signal.Signals) -> None:
    accepted = process.event("e-1")

    begun = time.monotonic()
    status = process.stop(number)

    assert process.url.startswith("http://127.0.0.1:")
    assert (accepted, status) == (202, 0)
    assert time.monotonic() - begun < 5


def test_what_has_been_taken_when_it_is_told_to_stop_is_answered_and_stored(process: Process, engine: Engine) -> None:
    with engine.connect() as blocker:
        process.event("warm")
        blocker.execute(text("LOCK TABLE inbox_key IN ACCESS EXCLUSIVE MODE"))
        statuses: list[int] = []
        senders = [
            threading.Thread(target=lambda number=number: statuses.append(process.event(f"e-{number}")))
            for number in range(4)
        ]
        for sender in senders:
            sender.start()
        wait_until(lambda: "contactsync_accept_waiting_events 4" in process.http.get("/metrics").text)
        process.child.send_signal(signal.SIGTERM)
        blocker.rollback()
        for sender in senders:
            sender.join()

    assert statuses == [202] * 4
    assert process.child.wait(20) == 0
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM inbox_event")).scalar_one() == 5


def test_a_killed_receiver_has_stored_all_that_it_accepted(process: Process, engine: Engine) -> None:
    accepted: list[str] = []
    stop = threading.Event()

    def send(name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                if process.event(f"{name}-{number}", size=2_000) == 202:
                    accepted.append(f"{name}-{number}")
            except httpx.HTTPError:
                return

    senders = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    for sender in senders:
        sender.start()
    wait_until(lambda: len(accepted) > 100)
    os.kill(process.child.pid, signal.SIGKILL)
    for sender in senders:
        sender.join()
    stop.set()

    with engine.connect() as connection:
        stored = set(connection.execute(text("SELECT event_id FROM inbox_event")).scalars())
        received = connection.execute(text("SELECT sum(received) FROM event_tally")).scalar_one()
    assert set(accepted) <= stored
    assert received == len(stored)


def test_bodies_and_senders_leave_its_memory_as_it_was(process: Process) -> None:
    memory = psutil.Process(process.child.pid)
    for number in range(300):
        process.event(f"a-{number}", size=100_000)
    before = memory.memory_info().rss

    for number in range(900):
        process.event(f"b-{number}", size=100_000)

    assert memory.memory_info().rss - before < 20 * 1024 * 1024
