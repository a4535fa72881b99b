"""
The receiver's way of an event, with its real handler and its real statement, one event a commit.

The event loop runs inside the director's own steps: nothing else happens while an event is received.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

import psycopg

from webhooks import writing
from webhooks.figures import Figures
from webhooks.receive import PATH, Receiver
from webhooks.refusals import Refusals

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from simulation.story import Story
    from webhooks.group_commit import Arrival, GroupCommit, Result
    from worker.vendors.robaws.simulator import Webhook


class OneByOne:
    """What stands in for the group commit: each event at once, and `away` when the connection is cut."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection: AsyncConnection[Any] | None = None

    async def store(self, arrival: Arrival) -> Result:
        """Commit one event."""
        if arrival.problem is not None:
            raise AssertionError(f"a simulated webhook is no event: {arrival.problem!r}")
        try:
            if self.connection is None:
                self.connection = await writing.connect(self.url)
            fresh = await writing.store_events(
                self.connection,
                event_ids=[arrival.event_id],
                kinds=[arrival.kind],
                source_ids=[arrival.source_id],
                headers=[arrival.headers],
                bodies=[arrival.body],
                correlations=[b"simulated"],
            )
        except psycopg.OperationalError:
            await self.close()
            return "away"
        return "accepted" if fresh else "duplicate"

    async def close(self) -> None:
        """Give the connection back."""
        if self.connection is not None:
            await self.connection.close()
            self.connection = None


class Door:
    """`POST /webhooks/robaws` of one story."""

    def __init__(self, story: Story, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.commit = OneByOne(story.database.url)
        self.handler = Receiver(
            story.settings, cast("GroupCommit", self.commit), Figures(), Refusals(), story.clock.wall
        )

    def post(self, webhook: Webhook) -> int:
        """Receive one webhook; the status of the answer."""
        return self.loop.run_until_complete(self._post(webhook))

    async def _post(self, webhook: Webhook) -> int:
        status = 0
        headers = [(name.lower().encode(), value.encode()) for name, value in webhook.headers.items()]
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers}

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": webhook.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])

        await self.handler(scope, receive, send)
        return status

    def close(self) -> None:
        """Give the connection back."""
        self.loop.run_until_complete(self.commit.close())
