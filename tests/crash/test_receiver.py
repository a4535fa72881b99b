"""The receiver dies around its commit, its quarantine and its nudge: the vendor sends again, the sweep finds it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.crash.plant import Plant
from tests.crash.receiving import RECEIVING
from tests.fixtures.hub import Crash
from tests.flows.stories import client
from webhooks import writing
from webhooks.figures import Figures
from webhooks.group_commit import GroupCommit
from webhooks.nudge import Nudger
from webhooks.receive import PATH, Receiver
from webhooks.refusals import Refusals
from worker.core.signature import sign

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.fixtures.hub import Hub

SIDES = ("before_commit", "after_commit")


class OneReceiver:
    """One process with the real handler and the real group commit; it dies at `point`, if it comes there."""

    def __init__(self, hub: Hub, url: str, point: str = "", on_stored: Callable[[], None] = lambda: None) -> None:
        self.died = asyncio.Event()
        self.point = point
        self.commit = GroupCommit(url, Figures(), on_stored, hook=self._hook)
        self.handler = Receiver(hub.settings, self.commit, Figures(), Refusals())
        self.secret = hub.robaws.SANDBOX_WEBHOOK_SECRET

    def _hook(self, name: str) -> None:
        if name == self.point:
            self.died.set()
            raise Crash(name)

    async def post(self, body: bytes) -> int | None:
        """The status of the answer; None where the process died before one."""
        now = int(time.time())
        signed = f"t={now},v1={sign(self.secret, now, body)}".encode()
        headers = [(b"content-type", b"application/json"), (b"robaws-signature", signed)]
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers}
        statuses: list[int] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(message["status"]))

        answer = asyncio.ensure_future(self.handler(scope, receive, send))
        death = asyncio.ensure_future(self.died.wait())
        await asyncio.wait((answer, death), return_when=asyncio.FIRST_COMPLETED)
        for task in (answer, death):
            task.cancel()
        await asyncio.gather(answer, death, return_exceptions=True)
        return statuses[0] if statuses else None

    async def kill(self) -> None:
        """As by SIGKILL: its tasks do nothing any more, its connection is cut."""
        if self.commit._connection is not None:
            writing.cut(self.commit._connection)
        for task in self.commit._tasks:
            task.cancel()
        await asyncio.gather(*self.commit._tasks, return_exceptions=True)
        if self.commit._connection is not None:
            await self.commit._connection.close()


def test_every_boundary_of_the_receiver_has_its_test() -> None:
    assert set(RECEIVING.values()) <= globals().keys()


def event_of(source_id: str) -> bytes:
    return json.dumps({"id": "event-of-the-crash", "event": "client.created", "data": {"id": source_id}}).encode()


@pytest.mark.parametrize("side", SIDES)
def test_a_receiver_that_dies_around_its_commit_stores_the_event_once(hub: Hub, migrated_url: str, side: str) -> None:
    plant = Plant(hub, "")
    body = event_of(hub.robaws.add_client(**client()))

    async def story() -> list[int | None]:
        first = OneReceiver(hub, migrated_url, f"receive.events.{side}")
        first.commit.start()
        answers = [await first.post(body)]
        await first.kill()
        second = OneReceiver(hub, migrated_url)
        second.commit.start()
        answers += [await second.post(body)]
        await second.commit.stop()
        return answers

    answers = asyncio.run(story())
    plant.run()

    assert answers == [None, 202 if side == "before_commit" else 200]
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}
    assert {state for _, _, state, _ in hub.links()} == {"synced"}


@pytest.mark.parametrize("side", SIDES)
def test_a_receiver_that_dies_around_its_quarantine_goes_on(hub: Hub, migrated_url: str, side: str) -> None:
    plant = Plant(hub, "")
    body = event_of(hub.robaws.add_client(**client()))

    async def story() -> list[int | None]:
        first = OneReceiver(hub, migrated_url, f"receive.rejects.{side}")
        first.commit.start()
        answers = [await first.post(b'{"id": 1}')]
        await first.kill()
        second = OneReceiver(hub, migrated_url)
        second.commit.start()
        answers += [await second.post(b'{"id": 1}'), await second.post(body)]
        await second.commit.stop()
        return answers

    answers = asyncio.run(story())
    plant.run()

    assert answers == [None, 400, 202]
    with hub.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM inbox_reject")).scalar_one()
    assert kept == (1 if side == "before_commit" else 2)
    assert hub.equation()["applied"] == 1


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_receiver_that_dies_around_its_nudge_loses_no_event(hub: Hub, migrated_url: str, side: str) -> None:
    plant = Plant(hub, f"webhooks.nudge:Nudger._publish:intake.{side}")
    nudger = Nudger(lambda: plant.broker, Figures())
    body = event_of(hub.robaws.add_client(**client()))

    async def story() -> int | None:
        receiver = OneReceiver(hub, migrated_url, on_stored=nudger.events)
        receiver.commit.start()
        answer = await receiver.post(body)
        await asyncio.sleep(0)
        await receiver.kill()
        return answer

    answer = asyncio.run(story())
    with plant.surviving():
        nudger._publish(plant.broker)
    plant.run()

    assert (answer, plant.died) == (202, True)
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}
    assert {state for _, _, state, _ in hub.links()} == {"synced"}
