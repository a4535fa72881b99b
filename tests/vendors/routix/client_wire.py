"""The Routix client at the wire: against its simulator, or against stored answers where the simulator gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from typing_extensions import override

from worker.config.vendors import RoutixSettings
from worker.core.wire import Lane, Request
from worker.vendors.routix import client
from worker.vendors.routix.client import RoutixClient
from worker.vendors.routix.simulator import RoutixSimulator, RoutixSwitches
from worker.vendors.simulation import transport
from worker.vendors.transport import Response, Session, Unmetered

BASE_URL = "https://routix.test/functions/v1"
ONE, TWO = RoutixSimulator.SANDBOX_BRANCHES


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Remembering(Unmetered):
    """A budget without limits that keeps which kinds it was asked for."""

    asked: list[str] = field(default_factory=list)

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        self.asked.append(kind)


@dataclass
class Wire:
    """A client with a session to whatever answers."""

    client: RoutixClient
    session: Session
    budget: Remembering
    clock: Clock


def organisation(**switches: Any) -> tuple[RoutixSimulator, Clock]:
    """A simulated Routix that keeps no limit unless told to, and its clock."""
    clock = Clock()
    given = {"requests_per_minute": None, "tokens_per_minute": None} | switches
    return RoutixSimulator(clock=clock, seed=1, switches=RoutixSwitches(**given)), clock


@contextmanager
def wire(routix: RoutixSimulator, clock: Clock | None = None, **settings: Any) -> Iterator[Wire]:
    """The client as it is built from settings, talking to a simulator."""
    members = RoutixSettings(**{**routix.settings(BASE_URL), **settings})
    with _wired(transport((BASE_URL, routix)), members, clock or Clock()) as wired:
        yield wired


@contextmanager
def stored(
    answer: Callable[[httpx.Request], httpx.Response], before_token: Callable[[], object] = lambda: None
) -> Iterator[Wire]:
    """The client with a token, talking to a function from request to answer, for what the simulator does not do."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth-token"):
            before_token()
            return httpx.Response(200, json={"access_token": "a.b.c"})
        return answer(request)

    settings = RoutixSettings.model_validate(
        {"base_url": BASE_URL, "client_id": "7a1e", "client_secret": "routix_made_up", "branches": [ONE]}
    )
    with _wired(httpx.MockTransport(handle), settings, Clock()) as wired:
        yield wired


def answered(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, **request: Any) -> Response:
    """An answer as the rules see it, to a GET of a page unless told otherwise."""
    members = {"operation": "list", "method": "GET", "path": f"/api/v2/{ONE}/accounts"} | request
    return Response(status, dict(headers or {}), body, Request(**members))


@contextmanager
def _wired(mock: httpx.MockTransport, settings: RoutixSettings, clock: Clock) -> Iterator[Wire]:
    budget = Remembering()
    with httpx.Client(transport=mock, base_url=BASE_URL) as http:
        yield Wire(client.build(settings, "NL"), Session("routix", http, budget, clock=clock), budget, clock)
