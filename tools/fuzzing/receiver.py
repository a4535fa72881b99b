"""
The receiver's own way, `POST /webhooks/robaws`: the real handler as an ASGI application, with a writer that is none.

A document is `{"method", "headers": [[name, value], …], "body": [part, …], "sign", "store", "leave"}`. The writer takes
what PostgreSQL would take, by the rules that PostgreSQL has (UTF-8, no NUL, JSON for the headers), and answers what
the document says. That the statement itself holds is for tests/webhooks, which have the real server.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from tools.fuzzing import documents
from tools.fuzzing.asgi import ask
from tools.fuzzing.scripted import holds_nul
from webhooks.figures import Figures
from webhooks.receive import PATH, Receiver
from webhooks.refusals import Refusals
from worker.config import Settings
from worker.core.signature import sign

if TYPE_CHECKING:
    from webhooks.group_commit import Arrival, GroupCommit, Result

SECRET: Final = "a-made-up-secret"  # noqa: S105
NOW: Final = 1_760_000_000
STATUSES: Final = {200, 202, 400, 401, 405, 413, 415, 503}
MOST_BYTES: Final = 4_096


class Writer:
    """Keeps what it was given, and answers each with the same word."""

    def __init__(self) -> None:
        self.stored: list[Arrival] = []
        self.word: Result = "accepted"

    async def store(self, arrival: Arrival) -> Result:
        """Take an arrival as PostgreSQL would."""
        for text in (arrival.event_id, arrival.kind, arrival.source_id, arrival.correlation_id, arrival.problem or b""):
            assert "\x00" not in text.decode(), "a text that PostgreSQL does not store"
        headers = json.loads(arrival.headers)
        assert isinstance(headers, dict)
        assert not holds_nul(headers), "headers that PostgreSQL does not store"
        self.stored.append(arrival)
        return self.word if arrival.problem is None else "rejected"


class ReceiverTarget:
    """One receiver for all documents."""

    def __init__(self) -> None:
        settings = Settings.model_validate(
            {
                "receiver": {"max_body_bytes": MOST_BYTES},
                "systems": {"robaws": {"webhook_secrets": ["an-older-secret", SECRET]}},
            }
        )
        self.writer = Writer()
        commit = cast("GroupCommit", self.writer)
        self.receiver = Receiver(settings, commit, Figures(), Refusals(), clock=lambda: float(NOW))
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Give back what it holds."""
        self.loop.close()

    def __call__(self, data: bytes) -> None:
        """Send one request. AssertionError where the answer is not one that was promised."""
        document = documents.read(data)
        parts = documents.pieces_of(document.get("body"))
        body = b"".join(parts)
        self.writer.stored.clear()
        word = document.get("store")
        self.writer.word = word if word in ("duplicate", "away", "full", "unstorable") else "accepted"
        left = bool(document.get("leave"))
        scope = {
            "type": "http",
            "method": documents.line_of(document.get("method") or "POST"),
            "path": PATH,
            "headers": _headers(document, body),
        }
        answered = self.loop.run_until_complete(ask(self.receiver, scope, parts, leave=left))
        if answered is None:
            assert left, "a request without an answer"
            return
        self._check(answered.status, answered.body, body)

    def _check(self, status: int, answer: bytes, body: bytes) -> None:
        assert status in STATUSES, f"an answer that was not promised: {status}"
        told = orjson.loads(answer)
        stored = [one for one in self.writer.stored if one.problem is None]
        if status in (200, 202):
            [one] = stored
            assert one.body == body, "stored otherwise than it came"
            assert told["event_id"] == one.event_id.decode()
        else:
            assert told["status"] == status
            assert not stored or self.writer.word in ("away", "full", "unstorable"), "stored and refused"
        assert status != 503 or self.writer.word in ("away", "full")


def _headers(document: documents.Document, body: bytes) -> list[tuple[bytes, bytes]]:
    given = document.get("headers")
    pairs = [
        (documents.line_of(pair[0]).lower().encode(), documents.line_of(pair[1]).encode())
        for pair in (given if isinstance(given, list) else [])
        if isinstance(pair, list) and len(pair) == 2
    ]
    signed: Any = document.get("sign", "right")
    if signed == "right":
        pairs.append((b"robaws-signature", sign(SECRET, NOW, body).encode()))
    elif signed == "old":
        pairs.append((b"robaws-signature", sign(SECRET, NOW - 10_000, body).encode()))
    return pairs
