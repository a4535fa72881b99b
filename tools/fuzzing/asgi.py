"""One request to an ASGI application, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answered:
    """An answer as it would go out."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(app: ASGIApp, scope: dict[str, Any], parts: Sequence[bytes], *, leave: bool = False) -> Answered | None:
    """
    The answer to a request whose body comes in these parts; None without one.

    `leave`: the sender goes away before the last part. AssertionError for an answer that is begun twice, goes on after
    its end, ends in the middle, or is not as long as it says.
    """
    waiting = list(parts[:-1] if leave else parts)
    started: Message | None = None
    body, ended = b"", False

    async def receive() -> Message:
        if waiting:
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting) or leave}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal started, body, ended
        assert not ended, "an answer goes on after its end"
        if message["type"] == "http.response.start":
            assert started is None, "an answer is begun twice"
            started = message
        else:
            assert started is not None, "an answer's body before its head"
            body += message.get("body", b"")
            ended = not message.get("more_body", False)

    await app(scope, receive, send)
    if started is None:
        return None
    assert ended, "an answer without an end"
    headers = dict(started.get("headers", ()))
    assert int(headers.get(b"content-length", len(body))) == len(body), "an answer that is not as long as it says"
    return Answered(started["status"], headers, body)
