"""
The API: the real routes, checks and queries on a real PostgreSQL, each request in a transaction that is rolled back.

A document is `{"method", "target", "token", "headers", "body"}`; the target is a path with its query as it stands in a
request's first line. What differs from the receiver is only who runs the transaction: here one connection, in the same
thread, and nothing is ever committed.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import quote, unquote

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from tools.fuzzing import documents
from tools.fuzzing.asgi import ask
from webhooks.access import Access
from webhooks.api.calls import Parts
from webhooks.api.routes import api_routes
from webhooks.problems import on_error, on_http_exception
from worker.config import Settings
from worker.store import summary
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from webhooks.database import Database
    from webhooks.lookup import Lookup
    from webhooks.nudge import Nudger
    from worker.store.summary import Summary

T = TypeVar("T")

TOKENS: Final = {
    name: {"name": name, "role": role, "token": f"{name}-token-that-only-the-fuzzer-sends"}
    for name, role in {"viewer": "viewer", "operator": "operator", "administrator": "admin"}.items()
}
"""By the word that stands in a document for the token."""

HOUR_SECONDS: Final = 3_600.0
STATEMENT_SECONDS: Final = 10
"""A query that takes longer is a finding: it hangs, as far as whoever asked can tell."""


class RolledBack:
    """The database of the API, without a memory."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.settings = settings
        self.engine = make_engine(url, pool_size=1, application_name="fuzz")
        self.connection = self.engine.connect()
        self.connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
        self.connection.commit()

    async def run(self, work: Callable[[Connection], T], _within_seconds: float = 0.0) -> T:
        """Run in a transaction, and forget it."""
        with self.connection.begin() as transaction:
            try:
                return work(self.connection)
            finally:
                transaction.rollback()

    async def run_at(self, work: Callable[[Connection, datetime], T], _within_seconds: float = 0.0) -> T:
        """The same, with the time."""
        return await self.run(lambda connection: work(connection, datetime.now(UTC)))

    @asynccontextmanager
    async def turn(self, _caller: str) -> AsyncIterator[None]:
        """Everybody's turn: there is one caller at a time."""
        yield

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()
        self.engine.dispose()

    async def summary(self, _max_age_seconds: float = 0.0) -> Summary:
        """The summary as it is."""
        return await self.run(lambda connection: summary.read(connection, self.settings, datetime.now(UTC)))


class Unheard:
    """A nudger that nudges nobody."""

    def fetch(self, contact_id: int) -> None:
        """Nobody is told."""

    def deliver(self, system: str, link_id: int) -> None:
        """Nobody is told."""


class Unasked:
    """A lookup that finds every record, at no vendor."""

    async def record(self, system: str, external_id: str) -> None:
        """It is there."""


class ApiTarget:
    """One API for all documents, on a database that holds a little of everything."""

    def __init__(self, url: str) -> None:
        settings = Settings.model_validate(
            {
                "database": {"url": url},
                "ops": {"tokens": [*TOKENS.values()]},
                "systems": {
                    "robaws": {
                        "enabled": True,
                        "username": "api",
                        "password": "secret",
                        "webhook_secrets": ["made-up"],
                    },
                    "rompslomp": {"enabled": True, "token": "token", "company_id": "1"},
                },
            }
        )
        self.database = RolledBack(url, settings)
        database, nudger = cast("Database", self.database), cast("Nudger", Unheard())
        lookup = cast("Lookup", Unasked())
        # An hour between two looks at the clock: no document waits for the wrong tokens of others.
        access = Access(settings, clock=itertools.count(0.0, HOUR_SECONDS).__next__)
        parts = Parts(settings, database, access, nudger, lookup, lambda: None)
        self.app = Starlette(
            routes=api_routes(parts), exception_handlers={HTTPException: on_http_exception, Exception: on_error}
        )
        self.app.router.redirect_slashes = False
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Give back what it holds."""
        self.loop.close()
        self.database.close()

    def __call__(self, data: bytes) -> None:
        """Ask once. AssertionError for a 5xx or for an answer that is no JSON; what a handler raises comes through."""
        document = documents.read(data)
        parts = documents.pieces_of(document.get("body"))
        answered = self.loop.run_until_complete(ask(self.app, _scope(document), parts))
        assert answered is not None, "a request without an answer"
        assert answered.status < 500, f"a {answered.status}"
        if answered.body:
            orjson.loads(answered.body)


def _scope(document: documents.Document) -> dict[str, Any]:
    """As uvicorn makes it (`h11` and `httptools` alike): the path decoded, the query as it came."""
    target = str(document.get("target") or "/api/v1/contacts")
    path, _, query = target.partition("?")
    raw_path = quote(path.encode("utf-8", "surrogatepass"), safe="/%:@!$&'()*+,;=~-._").encode()
    role = document.get("token", "operator")
    headers = document.get("headers")
    given: dict[str, Any] = {}
    if isinstance(role, str):
        token = TOKENS[role]["token"] if role in TOKENS else f"{role}-token"
        given = {"authorization": f"Bearer {token}"}
    given |= headers if isinstance(headers, dict) else {}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": documents.line_of(document.get("method") or "GET"),
        "scheme": "http",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "root_path": "",
        "query_string": quote(query.encode("utf-8", "surrogatepass"), safe="%=&+/:@!$'()*,;?~-._").encode(),
        "headers": [
            (documents.line_of(name).lower().encode(), documents.line_of(value).encode())
            for name, value in given.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
