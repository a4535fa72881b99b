"""A real receiver on a free port of this machine, with a real PostgreSQL behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import Engine, text

from tests.fixtures.hub import APPLICATION
from tests.fixtures.servers import fresh_database, signed_in_as
from tests.webhooks.api_data import fill
from webhooks.app import create_app
from webhooks.server import make_server
from worker.config import Settings
from worker.core.signature import sign
from worker.runtime import Runtime
from worker.store.engine import make_engine
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Unmetered

SECRET = "a-made-up-secret"
ROMPSLOMP = "https://rompslomp.example/api/v1"
TOKENS = {"viewer-token": "viewer", "operator-token": "operator", "administrator-token": "admin"}
"""The tokens' names, with their roles; `token_of` gives the token itself."""


def token_of(name: str) -> str:
    """The token of that name; any other text as it is."""
    return f"{name}-that-nobody-but-these-tests-knows" if name in TOKENS else name


class Nudges:
    """A publisher that remembers what it was told, and has room for more."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def intake(self) -> None:
        self.said.append(("intake",))

    def fetch(self, contact_id: int) -> None:
        self.said.append(("fetch", contact_id))

    def deliver(self, system: str, link_id: int) -> None:
        self.said.append(("deliver", system, link_id))

    def crowded(self, lane: str) -> bool:
        return False


def make_settings(database_url: str, **sections: Any) -> Settings:
    """Settings of a receiver, and of enabled systems that are never called."""
    sections.setdefault("receiver", {})
    return Settings.model_validate(
        {
            "database": {"url": database_url},
            "redis": {"url": "redis://127.0.0.1:1/0"},
            "ops": {"tokens": [{"name": name, "role": role, "token": token_of(name)} for name, role in TOKENS.items()]},
            "systems": {
                "robaws": {
                    "enabled": True,
                    "username": "api",
                    "password": "secret",
                    "webhook_secrets": [SECRET],
                    "base_url": "https://robaws.example/api/v2",
                },
                "rompslomp": {
                    "enabled": True,
                    "token": "token",
                    "company_id": "1",
                    "base_url": "https://rompslomp.example/api/v1",
                },
            },
            **sections,
        }
    )


class Served:
    """One running receiver, seen from the outside; `rompslomp` is the vendor that it can ask, if it can."""

    rompslomp: RompslompSimulator

    def __init__(self, url: str, engine: Engine, nudges: Nudges) -> None:
        self.url = url
        self.engine = engine
        self.nudges = nudges
        self.http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def post(self, body: bytes, **headers: str) -> httpx.Response:
        """A signed webhook."""
        signed = {"Content-Type": "application/json", "Robaws-Signature": sign(SECRET, int(time.time()), body)}
        signed.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.http.post("/webhooks/robaws", content=body, headers=signed)

    def event(self, event_id: str, source_id: str = "1834", kind: str = "client.updated") -> httpx.Response:
        """A webhook event."""
        return self.post(orjson.dumps({"id": event_id, "event": kind, "data": {"id": source_id}}))

    def api(self, path: str, token: str = "administrator-token", **more: Any) -> httpx.Response:
        """A GET of the API."""
        return self.http.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token_of(token)}"}, **more)

    def act(self, path: str, json: Any = None, token: str = "operator-token") -> httpx.Response:
        """A POST of the API."""
        return self.http.post(f"/api/v1{path}", headers={"Authorization": f"Bearer {token_of(token)}"}, json=json)

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows of the database."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def execute(self, statement: str, **values: Any) -> None:
        """Change the database."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)


@contextmanager
def serving(
    settings: Settings, engine: Engine, *, request_seconds: float = 10.0, keep_alive_seconds: float = 10.0, **more: Any
) -> Iterator[Served]:
    """A receiver in a thread, until the end of the block."""
    nudges = Nudges()
    more.setdefault("publisher", nudges)
    ready = threading.Event()
    address: list[tuple[str, int]] = []

    def on_ready(host: str, port: int) -> None:
        address.append((host, port))
        ready.set()

    server = make_server(
        create_app(settings, **more),
        "127.0.0.1",
        0,
        on_ready,
        request_seconds=request_seconds,
        keep_alive_seconds=keep_alive_seconds,
    )
    thread = threading.Thread(target=server.run, name="receiver", daemon=True)
    thread.start()
    assert ready.wait(20), "the receiver did not come up"
    served = Served("http://{}:{}".format(*address[0]), engine, nudges)
    try:
        yield served
    finally:
        served.http.close()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the receiver did not stop"


@pytest.fixture
def served(application_url: str, engine: Engine) -> Iterator[Served]:
    """A running receiver on a fresh database, with a simulated Rompslomp to look records up in."""
    rompslomp = RompslompSimulator()
    systems = {"rompslomp": rompslomp.settings(ROMPSLOMP)}
    asking = make_settings(application_url)
    asking = asking.model_copy(update={"systems": Settings.model_validate({"systems": systems}).systems})

    def runtime() -> Runtime:
        transports = {"rompslomp": transport((ROMPSLOMP, rompslomp))}
        return Runtime(asking, engine=engine, budget=Unmetered(), transports=transports)

    with serving(make_settings(application_url), engine, runtime=runtime) as made:
        made.rompslomp = rompslomp
        wait_until(lambda: made.http.get("/readyz").status_code == 200)
        yield made


@pytest.fixture(scope="session")
def shared(postgres_url: str, migrated_template: str) -> Iterator[Served]:
    """One receiver for all tests that change nothing that another one looks at."""
    with filled(postgres_url, migrated_template) as made:
        yield made


@contextmanager
def filled(postgres_url: str, migrated_template: str) -> Iterator[Served]:
    """A running receiver on a database of its own, filled as `api_data` says."""
    with fresh_database(postgres_url, migrated_template) as url:
        engine = make_engine(url, pool_size=2)
        fill(engine)
        with serving(make_settings(signed_in_as(url, APPLICATION)), engine) as made:
            wait_until(lambda: made.http.get("/readyz").status_code == 200)
            for name in TOKENS:  # known from here, however many unknown ones the tests send
                assert made.api("/summary", token=name).status_code == 200
            yield made
        engine.dispose()


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; it is asked again and again, with a short breath between."""
    end = time.monotonic() + seconds
    breath = threading.Event()
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        breath.wait(0.02)
