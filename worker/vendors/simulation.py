"""
What all simulated vendors share: a request in, a response out, and faults on command.

A simulator is a class with state that takes a request and gives a response. Tests set it in at the wire
(`worker.vendors.simulation.transport`), the sandbox serves it over HTTP. It knows nothing of the product that calls it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, unquote

import httpx

FaultKind = Literal[
    "delay", "status", "throttle", "rate_limit", "drop_before", "drop_after", "html", "truncate", "wrong_json", "empty"
]

KEY_HEADERS = ("idempotency-key", "x-robaws-idempotency-key")


@dataclass(frozen=True)
class SimRequest:
    """One HTTP request as a vendor sees it: `path` percent-decoded, header names in lower case."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs in order, decoded, empty values kept."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class SimResponse:
    """One HTTP answer. `dropped`: the connection is closed instead; `delay_seconds`: it comes that much later."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False
    delay_seconds: float = 0.0

    @classmethod
    def of_json(
        cls,
        status: int,
        value: Any,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json; charset=utf-8",
    ) -> SimResponse:
        """An answer with a JSON body."""
        merged = {"content-type": content_type, **(headers or {})}
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), merged)

    @classmethod
    def of_html(cls, status: int, title: str) -> SimResponse:
        """What a proxy in front of a vendor answers."""
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return cls(status, page.encode(), {"content-type": "text/html; charset=utf-8"})


@dataclass(frozen=True)
class Fault:
    """
    One way to fail, for the next `times` requests that match (`times` < 0: until it is cleared).

    `method`, `path` and `sent` (regular expressions, searched; `sent` in the request's body) narrow which requests:
    so a vendor can be made to refuse one value and nothing else. `drop_before` loses the request,
    `drop_after` does the work and loses the answer; `delay` waits `seconds` before the answer, the work being done;
    `status` answers `status` with `body` after `seconds`; `throttle` answers 429, with Retry-After where `retry_after`
    is set.
    `rate_limit` answers `calls` requests in any `seconds` and refuses every further one like `throttle`, until it is
    cleared. `probability` below 1 lets requests through at random.
    """

    kind: FaultKind
    times: int = 1
    method: str | None = None
    path: str | None = None
    sent: str | None = None
    seconds: float = 0.0
    calls: int = 0
    status: int = 500
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    probability: float = 1.0

    def matches(self, request: SimRequest) -> bool:
        """Tell whether this fault is meant for the request."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.sent is not None and re.search(self.sent, request.body.decode(errors="replace")) is None:
            return False
        return self.path is None or re.search(self.path, request.path) is not None


@dataclass(frozen=True)
class Exchange:
    """One request that a simulator saw, with what it answered and the fault that was at work."""

    at: float
    request: SimRequest
    response: SimResponse
    fault: FaultKind | None


def merge(target: Any, patch: Any) -> Any:
    """
    A merge patch laid over a value: RFC 7396, section 2.

    Written once more than the product's own, so that a mistake there is not answered by the same mistake here.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


class Simulator:
    """
    Base of the five vendors. A subclass answers; this class counts, keeps the log and makes faults.

    `prefix` is the vendor's own base path (`/api/v2`), under which `answer` finds its paths. All of it happens
    under one lock, so a simulator may be called from many threads.
    """

    name: str = ""
    prefix: str = ""
    takes_writes: bool = True

    def __init__(self, *, clock: Callable[[], float] = time.time, random: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = clock
        self.random = random
        self.lock = threading.RLock()
        self.log: deque[Exchange] = deque(maxlen=10_000)
        self.faults: list[Fault] = []
        self.key_problems: list[str] = []
        """Writes without an idempotency key, and keys that stood for two different writes."""
        self._requests_by_key: dict[str, str] = {}

    def answer(self, request: SimRequest) -> SimResponse:
        """The vendor's own behaviour; every subclass gives it."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """All records as JSON, for tests and for the sandbox's own pages."""
        raise NotImplementedError

    def settings(self, base_url: str) -> dict[str, Any]:
        """The `systems.<name>` settings that point at this simulator; `base_url` ends with the vendor's prefix."""
        raise NotImplementedError

    def edit_record(self, record_id: str, members: dict[str, Any]) -> Any:
        """Change one record as a person in the vendor's own screens would; KeyError where there is none."""
        raise NotImplementedError

    def fail(self, kind: FaultKind, **settings: Any) -> None:
        """Add a fault; see `Fault` for the settings. ValueError for a kind that this simulator does not have."""
        if kind not in get_args(FaultKind):
            raise ValueError(f"{self.name} knows no fault {kind!r}")
        fault = Fault(kind=kind, **settings)
        if kind == "rate_limit" and (fault.calls < 1 or fault.seconds <= 0):
            raise ValueError("rate_limit needs calls and seconds: how many requests are answered in how long")
        with self.lock:
            self.faults.append(fault)

    def clear_faults(self) -> None:
        """From now on nothing fails by command."""
        with self.lock:
            self.faults.clear()

    def calls(self, method: str | None = None, path: str | None = None) -> list[Exchange]:
        """The requests seen so far, narrowed by method and by a regular expression over the path."""
        with self.lock:
            seen = list(self.log)
        return [
            exchange
            for exchange in seen
            if (method is None or exchange.request.method == method)
            and (path is None or re.search(path, exchange.request.path))
        ]

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request, with the first matching fault laid over."""
        with self.lock:
            self._check_key(request)
            fault = self._next_fault(request)
            response = self._faulty(request, fault) if fault else self.answer(request)
            self.log.append(Exchange(self.clock(), request, response, fault.kind if fault else None))
            return response

    def _check_key(self, request: SimRequest) -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or not self.takes_writes:
            return
        keys = {request.headers[name] for name in KEY_HEADERS if request.headers.get(name)}
        what = f"{request.method} {request.path} {hashlib.sha256(request.body).hexdigest()[:12]}"
        if len(keys) != 1:
            self.key_problems.append(f"{what} came with {sorted(keys) or 'no idempotency key'}")
        elif self._requests_by_key.setdefault(next(iter(keys)), what) != what:
            self.key_problems.append(f"{what} came under the key of {self._requests_by_key[next(iter(keys))]}")

    def _next_fault(self, request: SimRequest) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if not fault.matches(request) or self.random() >= fault.probability:
                continue
            if fault.kind == "rate_limit":
                if self._answered(fault) < fault.calls:
                    continue
            elif fault.times == 1:
                del self.faults[index]
            elif fault.times > 1:
                self.faults[index] = replace(fault, times=fault.times - 1)
            return fault
        return None

    def _answered(self, limit: Fault) -> int:
        """How many requests that a rate limit covers were answered in the time that it looks back."""
        since = self.clock() - limit.seconds
        recent = takewhile(lambda exchange: exchange.at > since, reversed(self.log))
        return sum(exchange.fault != "rate_limit" and limit.matches(exchange.request) for exchange in recent)

    def _faulty(self, request: SimRequest, fault: Fault) -> SimResponse:
        match fault.kind:
            case "drop_before":
                return SimResponse(0, dropped=True)
            case "drop_after":
                self.answer(request)
                return SimResponse(0, dropped=True)
            case "delay":
                return replace(self.answer(request), delay_seconds=fault.seconds)
            case "status":
                headers = {"content-type": fault.content_type, **fault.headers}
                return SimResponse(fault.status, fault.body.encode(), headers, delay_seconds=fault.seconds)
            case "throttle" | "rate_limit":
                return self.throttled(fault.retry_after)
            case "html":
                return SimResponse.of_html(fault.status, "Something is being repaired")
            case "truncate":
                whole = self.answer(request)
                return replace(whole, body=whole.body[: len(whole.body) // 2])
            case "wrong_json":
                whole = self.answer(request)
                return replace(whole, body=b'{"unexpected": [1, 2, 3]}')
            case "empty":
                return replace(self.answer(request), body=b"")

    def throttled(self, retry_after: float | None) -> SimResponse:
        """The vendor's 429; a subclass gives it the vendor's own body and headers."""
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return SimResponse.of_json(429, {"error": "Too Many Requests"}, headers)


def as_received(request: httpx.Request) -> SimRequest:
    """A request of httpx as a vendor gets it."""
    return SimRequest(
        method=request.method,
        path=unquote(request.url.raw_path.split(b"?")[0].decode()),
        raw_query=request.url.query.decode(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
    )


def transport(*simulators: tuple[str, Simulator]) -> httpx.MockTransport:
    """
    An httpx transport that answers from simulators, each under its address (`https://host`), for tests.

    A dropped answer raises `httpx.ReadError`; a delay beyond the request's read timeout raises `httpx.ReadTimeout`
    without waiting, a shorter one is not waited for.
    """
    by_origin = {httpx.URL(origin).host: simulator for origin, simulator in simulators}

    def handle(request: httpx.Request) -> httpx.Response:
        simulator = by_origin.get(request.url.host)
        if simulator is None:
            raise httpx.ConnectError(f"no simulator at {request.url.host}", request=request)
        response = simulator.handle(as_received(request))
        if response.dropped:
            raise httpx.ReadError("the connection was closed before an answer", request=request)
        timeout = request.extensions.get("timeout", {}).get("read")
        if timeout is not None and response.delay_seconds > timeout:
            raise httpx.ReadTimeout("no answer in time", request=request)
        return httpx.Response(response.status, headers=dict(response.headers), content=response.body)

    return httpx.MockTransport(handle)
