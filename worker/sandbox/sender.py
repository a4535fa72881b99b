"""
Delivers the simulated Robaws's webhooks, as impatient as the real one (Robaws sheet 3.4).

Two seconds to connect and two to answer; any 2xx is a success; what fails comes again, a few times, soon. The real
schedule is published nowhere, so `retry_seconds` is a guess that suits a demonstration.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from worker.vendors.robaws.simulator import RobawsSimulator, Webhook

TIMEOUT_SECONDS = 2.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0)
AT_ONCE = 16


@dataclass(frozen=True)
class Delivery:
    """One try to deliver one event: `status` is None where no answer came, and `error` says why."""

    event_id: str
    url: str
    attempt: int
    at: float
    seconds: float
    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        """Any 2xx."""
        return self.status is not None and 200 <= self.status < 300


class WebhookSender:
    """Takes what is due and posts it, in the event loop that `run` is awaited in. Events go out side by side."""

    def __init__(self, robaws: Callable[[], RobawsSimulator], retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self._robaws = robaws
        self.retry_seconds = retry_seconds
        self.deliveries: deque[Delivery] = deque(maxlen=10_000)
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin_anew(self) -> None:
        """After a reset: forget what was sent, and listen to the simulator that is there now."""
        self.deliveries.clear()
        self._listen()

    def _listen(self) -> None:
        self._robaws().webhooks.on_queued = self.wake
        self.wake()

    def wake(self) -> None:
        """There may be something to send. May be called from any thread."""
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Send for ever; ends by being cancelled, and what is on its way then is not sent."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._listen()
        turns = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        timeout = httpx.Timeout(TIMEOUT_SECONDS, pool=None)
        async with (
            httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            while True:
                self._wake.clear()
                for webhook in self._robaws().take_webhooks():
                    group.create_task(self._deliver(client, turns, webhook))
                await self._until_due(self._wake)

    async def _until_due(self, wake: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._robaws().seconds_until_webhook()):
                await wake.wait()
        except TimeoutError:
            return

    async def _deliver(self, client: httpx.AsyncClient, turns: asyncio.Semaphore, webhook: Webhook) -> None:
        robaws = self._robaws()
        for attempt, pause in enumerate((*self.retry_seconds, None), start=1):
            async with turns:
                delivery = await self._post(client, webhook, attempt)
            self.deliveries.append(delivery)
            robaws.report_delivery(webhook, delivered=delivery.delivered)
            if delivery.delivered or pause is None or robaws is not self._robaws():
                return
            await asyncio.sleep(pause)
            webhook = robaws.retry_webhook(webhook)

    async def _post(self, client: httpx.AsyncClient, webhook: Webhook, attempt: int) -> Delivery:
        at, began = time.time(), time.monotonic()
        status, error = None, None
        try:
            answer = await client.post(webhook.url, content=webhook.body, headers=dict(webhook.headers))
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            error = f"{type(problem).__name__}: {problem}".rstrip(": ")
        return Delivery(webhook.event_id, webhook.url, attempt, at, time.monotonic() - began, status, error)
