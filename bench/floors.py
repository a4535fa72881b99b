"""
What the receiver is measured against, each a whole server in one process with the same uvicorn, uvloop and httptools.

    python -m bench.floors nothing PORT        202, and nothing done
    python -m bench.floors verify PORT         that, and the signature over the body
    python -m bench.floors commit PORT URL     that, and one commit for each request through an asynchronous pool
    python -m bench.floors delay PORT URL      verify, `task.delay()` to Celery on Redis, 202: what people write today
                                               (not durable: a message is gone with its Redis)
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import uvicorn

from bench.processes import SECRET
from worker.core import signature

ANSWER = b'{"status":"accepted"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def body_of(receive: Any) -> bytes:
    """The whole body."""
    body: bytes = b""
    while True:
        message: dict[str, Any] = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(send: Any) -> None:
    """202."""
    await send({"type": "http.response.start", "status": 202, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def verified(scope: Any, body: bytes) -> bool:
    """The signature, with the product's own function."""
    header = next((value for name, value in scope["headers"] if name == b"robaws-signature"), b"")
    return bool(signature.verify(header.decode(), body, [SECRET], time.time(), 0))


async def nothing(_scope: Any, receive: Any, send: Any) -> None:
    """Read the body, do nothing."""
    await body_of(receive)
    await answer(send)


async def verify(scope: Any, receive: Any, send: Any) -> None:
    """Check the signature."""
    if verified(scope, await body_of(receive)):
        await answer(send)


class Commit:
    """One commit for each request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Insert one row, commit, answer."""
        import psycopg_pool

        if self.pool is None:
            self.pool = psycopg_pool.AsyncConnectionPool(self.url, min_size=16, max_size=16, open=False)
            await self.pool.open(wait=True)
        body = await body_of(receive)
        if not verified(scope, body):
            return
        event = json.loads(body)
        async with self.pool.connection() as connection:
            await connection.execute(
                "INSERT INTO floor_event (event_id, kind, body) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (event["id"], event["event"], body),
            )
        await answer(send)


class Delay:
    """Verify, `task.delay()`, answer."""

    def __init__(self, url: str) -> None:
        from celery import Celery

        from worker.app import broker

        app = Celery("floor")
        app.conf.update(**broker(url), task_ignore_result=True)

        def handle(body: dict[str, Any]) -> None:
            """Never runs here: the floor is about sending."""
            del body

        self.task = app.task(name="floor.handle")(handle)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The call blocks the loop, as it does in what people write."""
        body = await body_of(receive)
        if verified(scope, body):
            self.task.delay(json.loads(body))
            await answer(send)


def main(name: str, port: str, url: str = "") -> None:
    """Serve one floor until SIGTERM."""
    made: Any = {
        "nothing": lambda: nothing,
        "verify": lambda: verify,
        "commit": lambda: Commit(url),
        "delay": lambda: Delay(url),
    }
    uvicorn.run(
        made[name](),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        lifespan="off",
        ws="none",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
