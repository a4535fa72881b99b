"""A session whose vendor answers what a document says, and what must hold of whatever a client makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import orjson
from typing_extensions import override

from tools.fuzzing import documents
from worker.core.retry import RetryPolicy
from worker.core.wire import Exchange, Request
from worker.errors import RateLimited, StaleRead, SyncError, VendorError
from worker.flows.outcome import judge
from worker.vendors.transport import Response, Session, Unmetered

CREDENTIAL: Final = "a-made-up-credential"
NOW: Final = 1_760_000_000.0
MOST_REQUESTS: Final = 60
"""More than any call may need for the few answers of a document: the last one is repeated for ever."""

MOST_CHARACTERS: Final = 4_100
MOST_TEXTS: Final = 110
"""Of what is kept of an error: the row of the retry queue and the log are no place for a vendor's whole answer."""

_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_HTTP: Final = httpx.Client(base_url="https://vendor.example", trust_env=False)


class Scripted(Session):
    """Answers in turn, the last one again and again; no time passes and nothing leaves."""

    def __init__(self, system: str, document: documents.Document) -> None:
        super().__init__(system, _HTTP, Unmetered(), clock=lambda: NOW)
        answers = document.get("answers", document)
        self._answers = [one for one in (answers if isinstance(answers, list) else [answers]) if isinstance(one, dict)]

    @override
    def send(self, request: Request, key: str | None = None) -> Response:
        place = len(self.exchanges)
        assert place < MOST_REQUESTS, "a client that is answered the same again and again goes on asking"
        answer = self._answers[min(place, len(self._answers) - 1)] if self._answers else {}
        response = _response(answer, request)
        self.exchanges.append(Exchange(self.system, request, response.status, response.excerpt, None, NOW, 0.0))
        return response


def _response(answer: documents.Document, request: Request) -> Response:
    headers = answer.get("headers")
    if not isinstance(headers, dict):
        headers = {"content-type": "application/json"}
    return Response(
        documents.number_of(answer.get("status"), 200, 999, 200),
        {documents.line_of(name).lower(): documents.line_of(value) for name, value in headers.items()},
        documents.bytes_of(answer.get("body")),
        request,
    )


def check_value(value: Any) -> None:
    """What came of an answer can be stored: JSON that PostgreSQL takes, and no deeper than it can be written."""
    stored = orjson.dumps(_plain(value), option=orjson.OPT_NON_STR_KEYS)
    again = json.loads(stored)
    assert not holds_nul(again), "a value holds a NUL character, which PostgreSQL does not store"
    json.dumps(again)


def holds_nul(value: Any) -> bool:
    """Whether a name or a text of a JSON value holds a NUL."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and "\x00" in one:
            return True
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False


def check_error(error: SyncError, session: Session, also: tuple[type[SyncError], ...] = ()) -> None:
    """The error is one that flows know what to do about, says so in bounded words, and gives nothing away."""
    assert isinstance(error, (VendorError, StaleRead, *also)), f"a wrong answer ended as {type(error).__name__}"
    told = [error.message]
    if isinstance(error, VendorError):
        told += [*error.fields, *error.fields.values(), error.excerpt or "", error.correlation_id or ""]
    for text in told:
        text.encode()
        assert "\x00" not in text, "an error holds a NUL character, which PostgreSQL does not store"
    assert max(map(len, told)) <= MOST_CHARACTERS, "an error quotes too much of an answer"
    assert len(told) <= MOST_TEXTS, "an error quotes too much of an answer"
    assert _REASON.fullmatch(error.word), "a reason that is no word"
    if isinstance(error, RateLimited) and error.retry_after_seconds is not None:
        assert 0 <= error.retry_after_seconds <= 40 * 86_400, "a wait without end"
    now = datetime.fromtimestamp(NOW, UTC)
    row = {"attempts": 0, "own_failures": 0}
    judge(error, system=session.system, operation="read", policy=_POLICY, now=now, draw=0.5, **row)


def check_exchanges(exchanges: Iterable[Exchange]) -> None:
    """What is kept of the answers names no credential."""
    for exchange in exchanges:
        assert CREDENTIAL not in (exchange.answer or ""), "what is kept of an answer quotes the credential"


def drained(items: Iterator[Any]) -> list[Any]:
    """All of an iterator that asks for pages as it goes."""
    return list(items)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


_POLICY: Final = RetryPolicy()
