"""
The one place where a request leaves for a vendor: budget first, then the wire, then the log.

Vendor clients build a `Request` and read a `Response`; both are plain values. `Session.send` is all that is not
pure: it waits for a turn in the system's budget, so that no call can go round it, sends over the process's one
long-lived httpx client, and hands every exchange to the recorder, answered or not. What the network does becomes an
error of `worker.errors` here; what an answer means is for the vendor's folder.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import httpx

from worker.core import redaction, sensitive
from worker.core.wire import Exchange, Lane, Request
from worker.errors import OutcomeUnknown, RateLimited, VendorBroken, VendorUnavailable
from worker.vendors.json_answers import storable
from worker.vendors.network import NotFormed, describe, network_error, not_formed, sendable
from worker.vendors.page_text import page_text
from worker.vendors.recent_reads import ReadMemory

__all__ = ["Budget", "Exchange", "Lane", "Request", "Response", "Session", "Unmetered", "json_body", "make_client"]

EXCERPT_BYTES: Final = 4_096
TOO_MANY: Final = 429
LONGEST_WAIT_SECONDS: Final = 30 * 86_400.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
ENCODINGS: Final = frozenset(("identity", "gzip", "deflate"))
"""
How an answer may be packed. Only once: httpx unpacks each piece of the network whole, so that a piece of 64 kB becomes
64 MB at most; packed twice, 300 bytes become gigabytes.
"""


@dataclass(frozen=True)
class Response:
    """
    One answer: header names in lower case, the body as it came but for the credentials of the request.

    These are replaced here, before anybody reads it, in whatever form they are quoted. What was answered well may hold
    a record in which a password that is a word stands by chance: there only those are replaced that cannot be one, and
    the others wherever it is quoted. `json` and all that is quoted is without bank data and identity numbers too.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request: Request
    elapsed_seconds: float = 0.0

    def __post_init__(self) -> None:
        credentials = self.request.credentials
        replaced = redaction.unmistakable(credentials) if self.ok else credentials
        object.__setattr__(self, "body", redaction.redact(self.body, replaced))
        headers = {name: redaction.redact_text(value, credentials) for name, value in self.headers.items()}
        if not self.ok:
            # Some of them are part of the sentence that people read.
            headers = {name: sensitive.clean_text(value) for name, value in headers.items()}
        object.__setattr__(self, "headers", headers)

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        """Whether the content type says JSON; nothing else is parsed (proxies answer HTML under any status)."""
        return "json" in self.headers.get("content-type", "").lower()

    def json(self) -> Any:
        """
        The body as JSON, without bank data and identity numbers, unless it will be written back. VendorBroken (for a
        create: OutcomeUnknown) where it is none.
        """
        if self.is_json:
            try:
                value = storable(self.body)
                return value if self.request.written_back else self._cleaned(value)
            except ValueError:
                pass
        raise self.broken("the answer is not JSON that can be kept")

    def json_or_none(self) -> Any:
        """The body as JSON, None where it is none; for error bodies, which may be anything."""
        try:
            return self._cleaned(storable(self.body)) if self.is_json else None
        except ValueError:
            return None

    def _cleaned(self, value: Any) -> Any:
        # Nothing that stands for a number may be taken for a value of a record, and be written onward.
        replacement = "" if self.ok else sensitive.REMOVED
        return sensitive.clean(value, replacement=replacement)

    def broken(self, what: str) -> VendorBroken | OutcomeUnknown:
        """The error for an answer that is not what the vendor's page says."""
        kind = OutcomeUnknown if self.request.creates and self.ok else VendorBroken
        return kind(f"{what} (status {self.status})", status=self.status, excerpt=self.excerpt)

    def failed(self) -> VendorUnavailable | OutcomeUnknown:
        """The error for a 5xx: a create may have been made before it failed."""
        kind = OutcomeUnknown if self.request.creates else VendorUnavailable
        return kind(self.failure, reason="server_error", status=self.status, excerpt=self.excerpt)

    @property
    def failure(self) -> str:
        """A 5xx as a sentence, in the vendor's words where it has any."""
        said = page_text(self.excerpt)
        return f"the vendor failed with status {self.status}{f': {said}' if said else ''}"

    def limited(self, *, daily: bool = False, default_seconds: float | None = None) -> RateLimited:
        """The error for a 429, with Retry-After where the vendor sent one (seconds or a date, RFC 9110 10.2.3)."""
        wait = retry_after_seconds(self.headers.get("retry-after"))
        return RateLimited(
            "the vendor asks to wait",
            retry_after_seconds=wait if wait is not None else default_seconds,
            daily=daily,
            status=self.status,
            excerpt=self.excerpt,
        )

    @property
    def excerpt(self) -> str:
        """The beginning of the body as text, for ops, without credentials and hidden members."""
        body = redaction.redact(self.body, self.request.credentials) if self.ok else self.body
        return sensitive.beginning(body, EXCERPT_BYTES, self.request.hidden_names)


def make_client(base_url: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """
    The process's one client for a system: few long-lived connections, no redirects (a vendor has none, and a
    credential must not follow one), no proxy from the environment. `transport` replaces the network in tests.
    """
    return httpx.Client(
        base_url=base_url,
        transport=transport,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=60),
        headers={"User-Agent": "contactsync", "Accept-Encoding": ", ".join(sorted(ENCODINGS - {"identity"}))},
        follow_redirects=False,
        trust_env=False,
    )


class Budget(Protocol):
    """The shared budget of one vendor's credential."""

    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Wait for a turn, at most so long; BudgetExhausted where there is none soon enough."""

    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        """Take over what the vendor's headers say of the day's quota."""

    def pause(self, system: str, seconds: float, kind: str = "") -> None:
        """The whole system waits (429)."""

    def refused(self, system: str, ago_seconds: float, kind: str = "") -> float | None:
        """
        A call that left so long ago was refused for its rate (429): call more slowly from now on.

        Returns the calls a second that are allowed now; None where that is not known.
        """

    def rest(self, system: str, seconds: float, kind: str = "") -> None:
        """Nobody's next turn comes before so many seconds; who waits for a turn waits that much longer."""


class Unmetered:
    """A budget without limits, for tests and for conformance runs against a simulator."""

    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        """Always at once."""

    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        """Nothing to take over."""

    def pause(self, system: str, seconds: float, kind: str = "") -> None:
        """Nothing waits."""

    def refused(self, system: str, ago_seconds: float, kind: str = "") -> float | None:
        """There is no rate to learn."""
        return None

    def rest(self, system: str, seconds: float, kind: str = "") -> None:
        """Nothing waits."""


class Lease(Protocol):
    """A claim on a row, under which requests leave."""

    def hold(self, seconds: float) -> None:
        """
        Make sure that the claim outlasts a write that may take so long (0: a read, which needs it only now).

        LeaseLost where another worker has taken the row over.
        """


class Session:
    """
    One delivery's way to one system. Cheap to make; the httpx client behind it is the process's own.

    The first call waits for its turn only briefly, so that a thread is free again; once work has begun, later calls
    are more patient, since breaking off would repeat the calls made so far. `exchanges` keeps all that was sent, and
    `remarks` what of a list could not be read: a sentence for each record.
    `hook` is called with a name at each boundary of I/O, for the tests that crash there. Nothing leaves without its
    `lease`: a worker that was frozen and wakes up late finds out here, and not by writing over a newer state. A read
    that `memory` has from an earlier attempt is not sent again. Every write carries its idempotency key in all
    `idempotency_headers`: a vendor that does not know them ignores them, and its support can find the call by the key.
    `renewals` is how often this process had got other credentials when the session began.
    """

    def __init__(
        self,
        system: str,
        client: httpx.Client,
        budget: Budget,
        *,
        lane: Lane = "live",
        timeout_seconds: float = 30.0,
        patience_seconds: float = 1.5,
        patience_begun_seconds: float = 20.0,
        recorder: Callable[[Exchange], None] | None = None,
        hook: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
        lease: Lease | None = None,
        memory: ReadMemory | None = None,
        idempotency_headers: tuple[str, ...] = ("Idempotency-Key",),
        renewals: int = 0,
    ) -> None:
        self.system = system
        self.client = client
        self.budget = budget
        self.lane: Lane = lane
        self.timeout_seconds = timeout_seconds
        self.patience_seconds = patience_seconds
        self.patience_begun_seconds = patience_begun_seconds
        self.recorder = recorder
        self.hook = hook
        self.clock = clock
        self.lease = lease
        self.memory = memory
        self.idempotency_headers = idempotency_headers
        self.renewals = renewals
        self.exchanges: list[Exchange] = []
        self.remarks: list[str] = []

    def send(self, request: Request, key: str | None = None) -> Response:
        """
        Send one request in its turn and return the answer, whatever its status. A write leaves under the idempotency
        key of the change that it is part of (`Request.under`); ValueError where it has none.

        VendorUnavailable: it was never sent, or was sent without effect to fear. OutcomeUnknown: a write may have
        arrived. BudgetExhausted: no turn soon enough, LeaseLost: the row is another worker's, CredentialsRejected: no
        header can carry our credentials, TransientError: the request could not be formed; nothing was sent.
        """
        request = sendable(self.system, request.under(key, self.idempotency_headers))
        writes = request.changes_something
        kept = self.memory.find(request, self.clock()) if self.memory is not None else None
        if kept is not None:
            return Response(200, kept.headers, kept.body.encode(), request)
        if request.metered:
            patience = self.patience_begun_seconds if self.exchanges else self.patience_seconds
            self.budget.acquire(self.system, self.lane, patience, request.budget)
        if self.hook is not None:
            self.hook(f"{request.operation}.before_send")
        if self.lease is not None:
            # A write must be over, or given up, before anybody else may claim the row.
            self.lease.hold((request.timeout_seconds or self.timeout_seconds) if writes else 0.0)
        started_at, begun = self.clock(), time.monotonic()
        try:
            status, headers, body = self._exchange(request)
        except NotFormed as error:
            redaction.redact_chain(error, request.credentials)
            raise not_formed(error) from None
        except httpx.HTTPError as error:
            redaction.redact_chain(error, request.credentials)
            if self.memory is not None and writes:
                self.memory.forget()
            self._record(request, None, None, describe(error), started_at, time.monotonic() - begun)
            raise network_error(request, error) from error
        except Exception as error:
            # What nobody foresaw ends in the row and in the log as well.
            redaction.redact_chain(error, request.credentials)
            raise
        elapsed = time.monotonic() - begun
        response = Response(status, headers, body, request, elapsed)
        self._record(request, status, response.excerpt, None, started_at, elapsed)
        self._remember(request, response, writes)
        if self.hook is not None:
            self.hook(f"{request.operation}.after_answer")
        return response

    def _remember(self, request: Request, response: Response, writes: bool) -> None:
        """A write that was not refused for its rate may have changed what was read before it."""
        if self.memory is None:
            return
        if not writes:
            self.memory.keep(request, response.status, response.headers, response.body, self.clock())
        elif response.status != TOO_MANY:
            self.memory.forget()

    def _exchange(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        timeout = request.timeout_seconds or self.timeout_seconds
        deadline = time.monotonic() + timeout
        with closing(self._sent(request, timeout)) as answer:
            if answer.headers.get("content-encoding", "identity").strip().lower() not in ENCODINGS:
                raise httpx.DecodingError("the answer is packed in a way that was not asked for")
            chunks: list[bytes] = []
            size = 0
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise httpx.ReadError("the answer is larger than any this vendor should send")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer trickled in too slowly")
                chunks.append(chunk)
            return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, b"".join(chunks)

    def _sent(self, request: Request, timeout: float) -> httpx.Response:
        """The answer, of which the body is not read yet. NotFormed before anything was sent."""
        try:
            formed = self.client.build_request(
                request.method,
                request.path,
                params=list(request.query) or None,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout,
            )
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            raise NotFormed(type(error).__name__) from None
        try:
            return self.client.send(formed, stream=True)
        except httpx.LocalProtocolError as error:
            raise NotFormed(type(error).__name__) from None

    def _record(
        self, request: Request, status: int | None, answer: str | None, error: str | None, at: float, seconds: float
    ) -> None:
        exchange = Exchange(self.system, request, status, answer, error, at, seconds)
        self.exchanges.append(exchange)
        if self.recorder is not None:
            self.recorder(exchange)


def retry_after_seconds(value: str | None, now: float | None = None) -> float | None:
    """Seconds to wait from a Retry-After header; None without one, or with one that cannot be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
        return min(max(0.0, seconds), LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        # No date; or one with a zone, or in a year, that no clock has.
        return None
    return min(max(0.0, at - (time.time() if now is None else now)), LONGEST_WAIT_SECONDS)


def json_body(value: Any) -> bytes:
    """JSON as sent: UTF-8, no escapes, members in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
