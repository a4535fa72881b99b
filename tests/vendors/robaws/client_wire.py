"""The Robaws client at the wire: against its simulator, or against stored answers where the simulator gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr
from typing_extensions import override

from worker.config.vendors import RobawsSettings
from worker.core.wire import Lane, Request
from worker.vendors.robaws import client
from worker.vendors.robaws.client import RobawsClient
from worker.vendors.robaws.simulator import RobawsSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Response, Session, Unmetered

BASE_URL = "https://robaws.test/api/v2"


@dataclass
class Remembering(Unmetered):
    """A budget without limits that keeps what it was asked for and told."""

    asked: list[str] = field(default_factory=list)
    learned: list[tuple[str, str, int | None, float | None]] = field(default_factory=list)
    rests: list[tuple[str, float, str]] = field(default_factory=list)

    @override
    def rest(self, system: str, seconds: float, kind: str = "") -> None:
        self.rests.append((system, seconds, kind))

    @override
    def acquire(self, system: str, lane: Lane, patience_seconds: float, kind: str = "") -> None:
        self.asked.append(kind)

    @override
    def learn(self, system: str, kind: str, remaining: int | None, reset_seconds: float | None) -> None:
        self.learned.append((system, kind, remaining, reset_seconds))


@dataclass
class Wire:
    """A client with a session to whatever answers."""

    client: RobawsClient
    session: Session
    budget: Remembering


@contextmanager
def wire(simulator: RobawsSimulator, *, settings: Mapping[str, Any] | None = None, **sync: Any) -> Iterator[Wire]:
    """The client as it is built from settings, talking to a simulator."""
    members = {**simulator.settings(BASE_URL), **(settings or {})}
    with _session(transport((BASE_URL, simulator)), RobawsSettings(**members)) as (session, budget):
        yield Wire(client.build(RobawsSettings(**members), "BE", **sync), session, budget)


@contextmanager
def stored(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[Wire]:
    """The client, talking to a function from request to answer, for what the simulator does not do."""
    settings = RobawsSettings(base_url=BASE_URL, username="api", password=SecretStr("made-up"))
    with _session(httpx.MockTransport(answer), settings) as (session, budget):
        yield Wire(client.build(settings, "BE"), session, budget)


def answered(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, **request: Any) -> Response:
    """An answer as the rules see it, to a GET of one client unless told otherwise."""
    members = {"operation": "read", "method": "GET", "path": "/clients/1834"} | request
    return Response(status, dict(headers or {}), body, Request(**members))


@contextmanager
def _session(mock: httpx.MockTransport, settings: RobawsSettings) -> Iterator[tuple[Session, Remembering]]:
    budget = Remembering()
    with httpx.Client(transport=mock, base_url=BASE_URL) as http:
        yield Session("robaws", http, budget, idempotency_headers=settings.idempotency_headers), budget
