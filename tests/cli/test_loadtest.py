"""The load test: where it may go, what it sends, and what it reports."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from typing_extensions import override

from tests.cli.command import Command
from worker.core import signature
from worker.sandbox.server import SandboxServer

SECRET = "a-secret-of-nobody"
ROBAWS = {"enabled": True, "username": "u", "password": "p", "webhook_secrets": [SECRET]}


class Receiver(BaseHTTPRequestHandler):
    """Stands for a receiver: keeps what came and answers what it is told to."""

    protocol_version = "HTTP/1.1"
    events: ClassVar[list[tuple[str, bytes]]] = []
    status: ClassVar[int] = 202

    def do_POST(self) -> None:
        """One event."""
        body = self.rfile.read(int(self.headers["content-length"]))
        Receiver.events.append((self.headers[signature.HEADER], body))
        self.send_response(Receiver.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    @override
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.events.clear()
    Receiver.status = 202
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/webhooks/robaws"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with SandboxServer() as server:
        yield f"{server.url}/robaws/api/v2"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, contactsync: Command, sandbox: str) -> Command:
    monkeypatch.setenv("CONTACTSYNC_SYSTEMS__ROBAWS", json.dumps({**ROBAWS, "base_url": sandbox}))
    return contactsync


def test_every_event_is_new_and_signed_with_our_secret(settings: Command, receiver: str) -> None:
    ran = settings("loadtest", receiver, "--rate", "200", "--seconds", "0.1", "--client", "1001", "--json")

    result = json.loads(ran.out)
    bodies = [json.loads(body) for _, body in Receiver.events]
    assert result["statuses"] == {"202": 20}
    assert ran.status == (1 if result["late"] else 0)
    assert len({body["id"] for body in bodies}) == 20
    assert {body["data"]["id"] for body in bodies} == {"1001"}
    assert {len(body) for _, body in Receiver.events} <= set(range(3_990, 4_010))
    assert all(
        signature.verify(header, body, [SECRET], now=0, tolerance_seconds=0).ok for header, body in Receiver.events
    )


def test_an_answer_that_is_no_success_is_for_a_person(settings: Command, receiver: str) -> None:
    Receiver.status = 503

    ran = settings("loadtest", receiver, "--rate", "50", "--seconds", "0.1")

    assert ran.status == 1
    assert "503 to be sent again: 5" in ran.out


def test_a_receiver_that_is_not_there_is_a_sentence(settings: Command) -> None:
    ran = settings("loadtest", "http://127.0.0.1:9/webhooks/robaws", "--seconds", "0.1")

    assert ran.status == 3
    assert "nothing answers at http://127.0.0.1:9" in ran.err


@pytest.mark.parametrize("url", ["http://sync.example.org/webhooks/robaws", "https://127.0.0.1/x", "http://10.0.0.1/x"])
def test_it_goes_to_this_machine_only(settings: Command, url: str) -> None:
    ran = settings("loadtest", url)

    assert ran.status == 2
    assert "not at an http address of this machine" in ran.err


def test_it_is_refused_while_any_system_is_a_real_one(
    settings: Command, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {"enabled": True, "base_url": "https://bedrijf.recras.example/api2", "api_key": "k"}
    monkeypatch.setenv("CONTACTSYNC_SYSTEMS__RECRAS", json.dumps(real))

    ran = settings("loadtest", receiver, "--seconds", "0.1")

    assert ran.status == 2
    assert "systems.recras.base_url is https://bedrijf.recras.example/api2" in ran.err
    assert "sandbox on this machine only" in ran.err
    assert Receiver.events == []


def test_a_tunnel_on_this_machine_is_not_a_sandbox(
    settings: Command, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel = receiver.replace("/webhooks/robaws", "/api/v2")
    monkeypatch.setenv("CONTACTSYNC_SYSTEMS__ROBAWS", json.dumps({**ROBAWS, "base_url": tunnel}))

    ran = settings("loadtest", receiver, "--seconds", "0.1")

    assert ran.status == 2
    assert f"systems.robaws.base_url is {tunnel}, which does not answer as a sandbox" in ran.err
    assert Receiver.events == []


def test_without_a_secret_nothing_is_sent(contactsync: Command, receiver: str) -> None:
    ran = contactsync("loadtest", receiver, "--seconds", "0.1")

    assert ran.status == 2
    assert "webhook_secrets is empty" in ran.err
