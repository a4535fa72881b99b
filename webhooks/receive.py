"""
`POST /webhooks/robaws`: verify, write down, answer. Decides nothing else and calls nobody.

Robaws waits two seconds in all and may suspend an endpoint silently (Robaws sheet 3.3), so the way is short: a plain
ASGI application beside Starlette's router, the signature over the raw body, one look at the JSON, one shared commit.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import orjson

from webhooks.group_commit import Arrival, GroupCommit, Result
from webhooks.problems import PROBLEM_TYPE, problem_body
from worker.core import self_test, sensitive, signature
from worker.core.refused import TEST
from worker.errors import InvalidEvent
from worker.vendors.robaws.events import WEBHOOK_PATH, parse_event

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from webhooks.connections import Sender
    from webhooks.figures import Figures
    from webhooks.refusals import Refusals
    from worker.config import Settings

PATH: Final = WEBHOOK_PATH
RETRY_AFTER_SECONDS: Final = 5
SENDER: Final = "contactsync.sender"
"""Under this name of the request's state the server keeps what is known of the connection's other side."""

_SIGNATURE: Final = signature.HEADER.lower().encode()
_KEPT: Final = frozenset((b"content-type", b"user-agent", b"traceparent", b"x-request-id", b"x-forwarded-for"))
_KEPT_PREFIX: Final = b"robaws-"
_MOST_HEADER_CHARACTERS: Final = 2_000
_MOST_KEPT_HEADERS: Final = 20
_MOST_HELD_BYTES: Final = 64 * 1024 * 1024
_MOST_REJECT_BYTES: Final = 64 * 1024
_MORE_REJECT_BYTES: Final = 4 * 1024
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 8 * 1024 * 1024
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE: Final = b"0" * 32

_JSON_HEADERS: Final = (b"content-type", b"application/json")
_PROBLEM_HEADERS: Final = (b"content-type", PROBLEM_TYPE.encode())
_RETRY_AFTER: Final = (b"retry-after", str(RETRY_AFTER_SECONDS).encode())
_CLOSE: Final = (b"connection", b"close")

_UNAUTHORISED: Final = {
    "missing": "the header Robaws-Signature is missing",
    "malformed": "the header Robaws-Signature is not of the form t=<unix seconds>,v1=<hex>",
    "wrong": "the signature fits none of the secrets that are configured here for this body",
    "too_old": "the signature's time is too far from ours: a clock is wrong, or this is an old request sent again",
    "no_secret": "no secret is configured here, so nothing can be believed: set systems.robaws.webhook_secrets",
}
_NOBODY: Final[Mapping[str, Sender]] = {}


class _Answer(Exception):
    """
    Ends a request early. `kind` is what it is counted as among the refusals, the result if not given; `unread`: part of
    the body may still be on its way.
    """

    def __init__(self, status: int, result: str, detail: str, *, kind: str | None = None, unread: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.result = result
        self.detail = detail
        self.kind = kind or result
        self.unread = unread


class _Gone(Exception):
    """The sender has gone away before its request was complete."""


class Receiver:
    """The handler of one vendor's webhooks."""

    def __init__(
        self,
        settings: Settings,
        commit: GroupCommit,
        figures: Figures,
        refusals: Refusals,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.commit = commit
        self.figures = figures
        self.refusals = refusals
        self.clock = clock
        self.use(settings)
        self.tolerance = float(settings.receiver.signature_tolerance_seconds)
        self.most_bytes = int(settings.receiver.max_body_bytes)
        self._held = 0
        self._most_held = max(_MOST_HELD_BYTES, 2 * self.most_bytes)

    def use(self, settings: Settings) -> None:
        """Believe what one of these settings' secrets signed, from now on."""
        self.secrets = [secret.get_secret_value() for secret in settings.systems.robaws.webhook_secrets]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it holds."""
        try:
            await self._answer(scope, receive, send)
        except _Answer as early:
            self.figures.count(early.result)
            client = scope.get("client")
            # Whoever looks by GET, such as a monitor, sends no webhook.
            note = self.refusals.note if early.kind == "method" else self.refusals.note_webhook
            note(early.kind, client[0] if client else None, path=PATH, status=early.status)
            await self._early(scope, receive, send, early)
        except _Gone:
            self.figures.count("gone")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise _Answer(405, "method", "events are sent here by POST", unread=True)
        length, content_type, signed, trace = _read_headers(scope["headers"])
        if not _is_json(content_type):
            raise _Answer(415, "content_type", "an event is sent as application/json", unread=True)
        if length is not None and not 0 <= length <= self.most_bytes:
            raise _Answer(413, "too_large", f"a body has at most {self.most_bytes} bytes here", unread=True)
        claim = self._claim(signed)
        body = await self._read(receive)
        if not claim.fits(body, self.secrets):
            raise _unauthorised("wrong")
        sender = scope.get("state", _NOBODY).get(SENDER)
        if sender is not None:
            sender.signed = True
        try:
            event = parse_event(body)
        except InvalidEvent as error:
            proof = self_test.answer(body, claim, self.secrets)
            if proof is not None:
                await self._tested(send, proof)
                return
            arrival = Arrival(_rejected(body), _kept(scope["headers"]), problem=error.message.encode())
            await self.commit.store(arrival)
            raise _Answer(400, "invalid", error.message) from None
        event_id = event.event_id.encode()
        arrival = Arrival(
            event.body,
            _kept(scope["headers"]),
            event_id=event_id,
            kind=event.kind.encode(),
            source_id=event.source_id.encode(),
            correlation_id=_correlation(trace),
        )
        result = await self.commit.store(arrival)
        self.figures.count(result)
        await _finish(send, result, event.event_id, self.refusals)

    async def _tested(self, send: Send, proof: str) -> None:
        """Answer a self-test as an event would be answered now, and store nothing."""
        if not self.commit.connected:
            raise _Answer(503, "away", "the database is away; send the event again")
        self.figures.count(self_test.STATUS)
        self.refusals.webhooks.count(TEST)
        body = orjson.dumps({"status": self_test.STATUS, "proof": proof})
        headers = [_JSON_HEADERS, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _claim(self, signed: str | None) -> signature.Claim:
        """What the signature says, if a body can make it right; else the request ends before its body is read."""
        if not self.secrets:
            raise _unauthorised("no_secret", unread=True)
        claim = signature.read(signed, self.clock(), self.tolerance)
        if isinstance(claim, signature.Claim):
            return claim
        raise _unauthorised(claim, unread=True)

    async def _read(self, receive: Receive) -> bytes:
        """The whole body; it is not read beyond the limit, whatever length was announced."""
        message = await receive()
        body: bytes = _part(message)
        if not message.get("more_body"):
            if len(body) > self.most_bytes:
                raise _Answer(413, "too_large", f"a body has at most {self.most_bytes} bytes here")
            return body
        return await self._read_on(receive, body)

    async def _read_on(self, receive: Receive, first: bytes) -> bytes:
        parts, size, more = [first], len(first), True
        self._held += size
        try:
            while more:
                if size > self.most_bytes:
                    detail = f"a body has at most {self.most_bytes} bytes here"
                    raise _Answer(413, "too_large", detail, unread=True)
                if self._held > self._most_held:
                    raise _Answer(503, "full", "too much is being received at once", unread=True)
                message = await receive()
                part = _part(message)
                parts.append(part)
                size += len(part)
                self._held += len(part)
                more = bool(message.get("more_body"))
        finally:
            self._held -= size
        if size > self.most_bytes:
            raise _Answer(413, "too_large", f"a body has at most {self.most_bytes} bytes here")
        return b"".join(parts)

    async def _early(self, scope: Scope, receive: Receive, send: Send, early: _Answer) -> None:
        body = problem_body(early.status, early.detail, reason=early.kind)
        headers = [_PROBLEM_HEADERS, (b"content-length", str(len(body)).encode())]
        if early.status == 405:
            headers.append((b"allow", b"POST"))
        if early.status == 503:
            headers.append(_RETRY_AFTER)
        if early.status == 401:
            headers.append((b"www-authenticate", b"Robaws-Signature"))
        unread = early.unread and _has_body(scope["headers"])
        if unread:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": early.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": unread})
        if unread:
            await _drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _unauthorised(reason: str, *, unread: bool = False) -> _Answer:
    return _Answer(401, "unauthorised", _UNAUTHORISED[reason], kind=f"signature_{reason}", unread=unread)


def _part(message: Message) -> bytes:
    if message["type"] != "http.request":
        raise _Gone
    part: bytes = message.get("body", b"")
    return part


def _read_headers(headers: Sequence[tuple[bytes, bytes]]) -> tuple[int | None, bytes, str | None, bytes]:
    """Announced length (-1: not a number), content type, signature (several are one list, RFC 9110 5.2), trace."""
    length: int | None = None
    content_type = trace = b""
    signed: bytes | None = None
    for name, value in headers:
        if name == b"content-type":
            content_type = value if not content_type else content_type + b"," + value
        elif name == _SIGNATURE:
            signed = value if signed is None else signed + b"," + value
        elif name == b"content-length":
            length = int(value) if value.isdigit() and len(value) < 19 else -1
        elif name == b"traceparent":
            trace = value
    return length, content_type, None if signed is None else signed.decode("latin-1"), trace


def _is_json(content_type: bytes) -> bool:
    """`application/json` or a type that ends in `+json`, with any parameters; exactly one type."""
    if content_type == b"application/json":
        return True
    kind = content_type.partition(b";")[0].strip().lower()
    return kind == b"application/json" or (
        kind.startswith(b"application/") and kind.endswith(b"+json") and b"," not in kind
    )


def _has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether more than the headers is on its way (a sender that waits for `100 Continue` has sent nothing)."""
    names = dict(headers)
    if names.get(b"expect", b"").lower() == b"100-continue":
        return False
    return b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"


def _rejected(body: bytes) -> bytes:
    """What the quarantine keeps of a body: its beginning, without bank data and identity numbers."""
    if len(body) <= _MOST_REJECT_BYTES:
        return sensitive.clean_body(body)[:_MOST_REJECT_BYTES]
    # Cut twice: a number that the first cut parts in two is not recognised, and goes with the second.
    cleaned = sensitive.clean_body(body[: _MOST_REJECT_BYTES + _MORE_REJECT_BYTES])
    return cleaned[: -_MORE_REJECT_BYTES // 2][:_MOST_REJECT_BYTES]


def _kept(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """
    The headers that are worth keeping, as JSON; NUL, which `jsonb` cannot hold, is left out.

    Of the signature the time alone: with the digest and the body the request could be sent once more.
    """
    kept: dict[str, str] = {}
    for name, value in headers:
        if (name in _KEPT or name.startswith(_KEPT_PREFIX)) and len(kept) < _MOST_KEPT_HEADERS:
            shown = _time_of(value) if name == _SIGNATURE else value
            text = shown[:_MOST_HEADER_CHARACTERS].decode("latin-1").replace("\x00", "")
            kept[name[:100].decode("latin-1").replace("\x00", "")] = text
    return orjson.dumps(kept)


def _time_of(signed: bytes) -> bytes:
    return b",".join([part for part in signed.split(b",") if part.lstrip().startswith(b"t=")])


def _correlation(trace: bytes) -> bytes:
    """The trace that the sender is in (W3C Trace Context), else one of our own."""
    if trace:
        found = _TRACEPARENT.fullmatch(trace.strip())
        if found is not None and found[1] != _NO_TRACE:
            return found[1]
    return os.urandom(16).hex().encode()


async def _finish(send: Send, result: Result, event_id: str, refusals: Refusals) -> None:
    if result in ("accepted", "duplicate"):
        status, kind = (202 if result == "accepted" else 200), _JSON_HEADERS
        body = b'{"status":"%b","event_id":%b}' % (result.encode(), orjson.dumps(event_id))
        headers = [kind, (b"content-length", b"%d" % len(body))]
    elif result == "unstorable":
        refusals.webhooks.count(result)
        body = problem_body(400, "the event holds a value that cannot be stored", reason=result)
        status, headers = 400, [_PROBLEM_HEADERS, (b"content-length", b"%d" % len(body))]
    else:
        refusals.webhooks.count(result)
        detail = "the database is away" if result == "away" else "more events wait than can be held"
        body = problem_body(503, f"{detail}; send the event again", reason=result)
        status, headers = 503, [_PROBLEM_HEADERS, (b"content-length", b"%d" % len(body)), _RETRY_AFTER]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drain(receive: Callable[[], Awaitable[Message]]) -> None:
    """Let a sender that is still writing read its answer: drop what comes, for a moment (RFC 9112 9.6)."""
    dropped = 0
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while dropped < _LINGER_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                dropped += len(message.get("body", b""))
    except TimeoutError:
        return
