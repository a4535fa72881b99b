"""
`create_app(settings)`: the receiver, the API, the metrics and the page in one ASGI application.

The event's way stands beside the router: it is looked at first and touches none of Starlette's machinery.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from typing_extensions import override

from webhooks import page
from webhooks.access import Access
from webhooks.api import calls
from webhooks.api.responses import json_response
from webhooks.api.routes import api_routes
from webhooks.bulk import BulkWorker
from webhooks.database import Database
from webhooks.figures import Figures
from webhooks.group_commit import GroupCommit, Limits
from webhooks.health import Readiness
from webhooks.hosts import AllowedHosts
from webhooks.lookup import Lookup
from webhooks.metrics import CONTENT_TYPE, Exposition
from webhooks.nudge import Nudger
from webhooks.problems import PROBLEM_TYPE, Problem, on_error, on_http_exception, problem_body
from webhooks.receive import PATH, Receiver
from webhooks.refusals import Refusals
from webhooks.renewal import Renewal
from webhooks.results import Saver
from worker.core.identity import PROCESS_HEADER
from worker.core.masks import for_viewer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from webhooks.hosts import Misdirected
    from worker.config import Settings
    from worker.config.again import Files
    from worker.runtime import Publisher, Runtime


_MOST_HOST_CHARACTERS: Final = 100


class Application(Starlette):
    """Starlette with the check of the host, and the event's own way, before the router."""

    receiver: Receiver
    hosts: AllowedHosts
    refusals: Refusals
    figures: Figures

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            misdirected = self.hosts.refusal(scope["headers"])
            if misdirected is not None:
                await self._turn_away(misdirected, scope, send)
                return
            if scope["path"] == PATH:
                await self.receiver(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    async def _turn_away(self, misdirected: Misdirected, scope: Scope, send: Send) -> None:
        named = next((value for name, value in scope["headers"] if name == b"host"), b"")[:_MOST_HOST_CHARACTERS]
        host = named.decode("ascii", "backslashreplace")
        client = scope.get("client")
        note = self.refusals.note_webhook if scope["path"] == PATH else self.refusals.note
        note(misdirected.kind, client[0] if client else None, status=misdirected.status, host=host)
        body = problem_body(misdirected.status, misdirected.detail, reason=misdirected.kind)
        headers = [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),  # a body may be on its way, and nobody reads it
        ]
        await send({"type": "http.response.start", "status": misdirected.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _nobody(_settings: Settings) -> None:
    """Nobody wants to know of other secrets."""


def create_app(
    settings: Settings,
    *,
    publisher: Publisher | None = None,
    limits: Limits | None = None,
    runtime: Callable[[], Runtime] | None = None,
    files: Files | None = None,
    on_renewed: Callable[[Settings], None] = _nobody,
) -> Application:
    """
    The application of these settings, which carry the database's and Redis's url.

    `publisher` takes the nudges; without one they go out over Celery. `runtime` makes what looking up a record at a
    vendor takes, if not the settings' own. `files` are where the settings come from: what is new in them is taken over,
    and `on_renewed` is told. A database that is away at the start is waited for: until then events are
    answered with 503 and `/readyz` says what is missing.
    """
    parts = Parts(settings, publisher, limits, runtime, files)
    app = Application(
        routes=[
            Route("/healthz", parts.healthz),
            Route("/readyz", parts.readyz),
            Route("/metrics", parts.metrics),
            Route("/", parts.page),
            *api_routes(parts.for_api()),
        ],
        exception_handlers={HTTPException: on_http_exception, Exception: on_error},
        lifespan=parts.lifespan,
    )
    app.router.redirect_slashes = False
    app.receiver = Receiver(settings, parts.commit, parts.figures, parts.refusals)
    if files is not None:
        parts.renewal = Renewal(settings, files, parts.taker(app.receiver, on_renewed))
    app.hosts = AllowedHosts(settings.receiver)
    app.refusals, app.figures = parts.refusals, parts.figures
    return app


class Parts:
    """What one receiver consists of."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher | None,
        limits: Limits | None,
        runtime: Callable[[], Runtime] | None = None,
        files: Files | None = None,
    ) -> None:
        assert settings.database.url is not None, "settings carry urls once a process starts"  # noqa: S101
        self.settings = settings
        self.figures = Figures()
        self.refusals = Refusals()
        self.nudger = Nudger(lambda: publisher or _celery(settings), self.figures)
        limits = limits or Limits(quarantine=int(settings.receiver.quarantine_limit))
        self.commit = GroupCommit(settings.database.url, self.figures, self.nudger.events, limits)
        self.database = Database(settings)
        self.readiness = Readiness(self.database, self.commit)
        self.access = Access(settings, self.refusals)
        self.bulk = BulkWorker(self.database, self.nudger)
        self.saver = Saver(self.refusals.webhooks, self.database)
        self.lookup = Lookup(settings, self.database.engine, runtime, files)
        self.renewal: Renewal | None = None
        self.exposition = Exposition(settings, self.database, self.figures, self.commit, self.refusals)

    def taker(self, receiver: Receiver, on_renewed: Callable[[Settings], None]) -> Callable[[Settings], None]:
        """What is done with settings whose secrets are others than before."""

        def take(settings: Settings) -> None:
            receiver.use(settings)
            self.access.use(settings)
            on_renewed(settings)

        return take

    def for_api(self) -> calls.Parts:
        """What the API needs of it."""
        return calls.Parts(
            self.settings,
            self.database,
            self.access,
            self.nudger,
            self.lookup,
            self.bulk.due,
            self.figures,
        )

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Start and stop what runs beside the requests."""
        self.nudger.start()
        self.commit.start()
        self.readiness.start()
        self.bulk.start()
        self.saver.start()
        if self.renewal is not None:
            self.renewal.start()
        try:
            yield
        finally:
            if self.renewal is not None:
                await self.renewal.stop()
            await self.bulk.stop()
            await self.commit.stop()
            await self.saver.stop()
            self.nudger.stop()
            self.database.close()

    async def healthz(self, _request: Request) -> Response:
        """200 while the process lives."""
        return json_response({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """200, or 503 and what is missing. Who names the process that should answer learns whether it does."""
        missing = await self.readiness.missing()
        status = {"status": "ready"} if not missing else {"status": "not ready", "missing": missing}
        answer = json_response(status, 503 if missing else 200)
        own = str(os.getpid())
        if request.headers.get(PROCESS_HEADER) == own:
            answer.headers[PROCESS_HEADER] = own
        return answer

    async def metrics(self, request: Request) -> Response:
        """Prometheus's text format; without the summary's gauges while the database is away."""
        self.exposition.require_token(request)
        return Response(await self.exposition.text(), media_type=CONTENT_TYPE)

    async def page(self, request: Request) -> Response:
        """The plain page."""
        caller = self.access.require_page(request)
        try:
            found = await self.database.summary()
            if not caller.may("operator"):
                found = for_viewer(found)
        except Problem:
            found = None
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return HTMLResponse(page.render(found, at), headers=page.HEADERS)


def _celery(settings: Settings) -> Publisher:
    from worker.app import CeleryPublisher, create_celery

    publisher = CeleryPublisher(create_celery(settings))
    gc.freeze()  # its libraries stay: a search for cycles that goes through them holds up every event
    return publisher
