"""
Receivers as others' pages advise them, each a whole server with the same uvicorn, uvloop and httptools as ours.

    python -m bench.peer_receivers procrastinate PORT URL SECRET
    python -m bench.peer_receivers dbos PORT URL SECRET

They run in an environment of their own (`bench.peers`), so nothing of ours is imported but the signature's check.

- Procrastinate: its asynchronous connector with a pool, opened with the application, and `defer_async` in the request
  (https://procrastinate.readthedocs.io, "Use Procrastinate in an asynchronous context").
- DBOS: `DBOSClient.enqueue_async` with the event's id as the workflow's, which makes a repetition harmless; the client
  is what its pages have where the workers are other processes (https://docs.dbos.dev/python/reference/client).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from worker.core import signature

if TYPE_CHECKING:
    from starlette.requests import Request

    Take = Callable[[dict[str, Any]], Awaitable[Any]]

POOL: Final = 16
"""Connections, as many as the floor `commit` has; the load has 32 senders."""


def procrastinate(url: str) -> tuple[Take, Callable[[], Any]]:
    """What takes an event, and a context for as long as the server runs."""
    from procrastinate import App, PsycopgConnector

    queue = App(connector=PsycopgConnector(conninfo=url, min_size=POOL, max_size=POOL))

    async def work(event: dict[str, Any]) -> None:
        """Never runs here: no worker is started."""
        del event

    handle = queue.task(name="handle", queue="events")(work)

    async def take(event: dict[str, Any]) -> Any:
        return await handle.defer_async(event=event)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with queue.open_async():
            await queue.schema_manager.apply_schema_async()
            yield

    return take, opened


def dbos(url: str) -> tuple[Take, Callable[[], Any]]:
    """The same of DBOS, whose own schema is made first by an application, as its pages say."""
    from dbos import DBOS, DBOSClient

    DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    DBOS.destroy()
    client = DBOSClient(system_database_url=url, system_database_pool_size=POOL)

    async def take(event: dict[str, Any]) -> Any:
        options = {"workflow_name": "handle", "queue_name": "events", "workflow_id": event["id"]}
        return await client.enqueue_async(options, event)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        # Its asynchronous calls go over the loop's threads, of which there would be six on two cores.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(POOL))
        yield
        client.destroy()

    return take, opened


def application(take: Take, opened: Callable[[], Any], secret: str) -> Starlette:
    """Verify, hand on, 202."""

    async def receive(request: Request) -> JSONResponse:
        body = await request.body()
        if not signature.verify(request.headers.get(signature.HEADER), body, [secret], time.time(), 0):
            return JSONResponse({"status": "rejected"}, 401)
        await take(json.loads(body))
        return JSONResponse({"status": "accepted"}, 202)

    async def ready(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ready"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with opened():
            yield

    routes = [Route("/webhooks/robaws", receive, methods=["POST"]), Route("/", ready)]
    return Starlette(routes=routes, lifespan=lifespan)


def main(name: str, port: str, url: str, secret: str) -> None:
    """Serve one of them until SIGTERM."""
    take, opened = {"procrastinate": procrastinate, "dbos": dbos}[name](url)
    uvicorn.run(
        application(take, opened, secret),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        ws="none",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
