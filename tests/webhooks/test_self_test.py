"""The self-test of the webhook address: what it says of the receiver, of a stranger in its place, and of nobody."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.fixtures.front import AUTHORITY, front
from tests.webhooks.conftest import SECRET, Served, make_settings, serving, wait_until
from worker.core import self_test, signature
from worker.core.signature import sign
from worker.vendors.robaws.self_test import Tried, try_address

if TYPE_CHECKING:
    from sqlalchemy import Engine

NONCE = "0123456789abcdef" * 2


def at(served: Served) -> str:
    return f"{served.url}/webhooks/robaws"


def answering(*lines: str, body: str = "") -> Tried:
    """A test against something that answers so."""
    answer = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", body]).encode()
    with front(says=(answer,)) as other:
        return try_address(f"http://127.0.0.1:{other.port}/webhooks/robaws", SECRET)


def test_the_receiver_takes_it_and_stores_nothing(served: Served) -> None:
    tried = try_address(at(served), SECRET)

    assert (tried.outcome, tried.status) == ("accepted", 200), tried
    wait_until(lambda: served.rows("SELECT result, requests FROM webhook_result") == [("test", 1)])
    assert served.rows("SELECT FROM inbox_event") == served.rows("SELECT FROM inbox_key") == []
    assert served.rows("SELECT FROM inbox_reject") == served.rows("SELECT FROM event_tally") == []
    found = served.api("/summary").json()
    assert (found["conservation"], found["events"]["received"], found["events"]["rejected"]) == (0, 0, 0)
    assert found["webhooks"]["last_test_seconds"] is not None
    assert found["webhooks"]["refused"] == []


def test_it_goes_through_tls_and_a_proxy(served: Served) -> None:
    port = int(served.url.rpartition(":")[2])
    with front(lambda: socket.create_connection(("127.0.0.1", port)), certificate="server.pem") as proxy:
        trusted = ssl.create_default_context(cafile=str(AUTHORITY))
        tried = try_address(f"https://127.0.0.1:{proxy.port}/webhooks/robaws", SECRET, trusted=trusted)

    assert (tried.outcome, tried.remark) == ("accepted", ""), tried


def test_a_name_that_leads_inside_from_here_is_remarked(migrated_url: str, engine: Engine) -> None:
    def inside(_host: str, _port: int) -> list[str]:
        return ["10.0.0.7", "fd00::7"]

    # It connects to this machine, and is not spelled as loopback.
    with serving(make_settings(migrated_url, receiver={"allowed_hosts": ["0.0.0.0"]}), engine) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        tried = try_address(at(served).replace("127.0.0.1", "0.0.0.0"), SECRET, resolve=inside)

    assert tried.outcome == "accepted", tried
    assert "0.0.0.0 is 10.0.0.7 from here, where Robaws cannot reach it" in tried.remark


@pytest.mark.parametrize(
    ("secret", "ahead", "said"),
    [
        ("another-made-up-secret", 0, "the signature fits no webhook secret"),
        (SECRET, 3_600, "the signature's time is too far from the receiver's clock"),
    ],
)
def test_a_signature_that_is_refused_is_told_from_a_stranger(
    served: Served, secret: str, ahead: int, said: str
) -> None:
    tried = try_address(at(served), secret, clock=lambda: time.time() + ahead)

    assert (tried.outcome, tried.status) == ("refused", 401)
    assert said in tried.message
    assert tried.next_step


def test_a_name_that_is_not_served_is_said(served: Served) -> None:
    tried = try_address(at(served).replace("127.0.0.1", "0.0.0.0"), SECRET)

    assert (tried.outcome, tried.status) == ("refused", 421)
    assert "receiver.allowed_hosts" in tried.next_step


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("HTTP/1.1 200 OK",), "Robaws would take the event for delivered"),
        (("HTTP/1.1 404 Not Found",), "does not know the path or the host"),
        (("HTTP/1.1 502 Bad Gateway",), "reaches a proxy that does not reach the receiver"),
        (("HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic"), "wants a login"),
        (("HTTP/1.1 301 Moved", "Location: https://www.example.org/x?token=secret"), "https://www.example.org/x:"),
    ],
)
def test_something_else_in_its_place_is_said(lines: tuple[str, ...], said: str) -> None:
    tried = answering(*lines)

    assert tried.outcome == "elsewhere"
    assert said in tried.message
    assert "token=secret" not in repr(tried)


def test_who_answers_every_post_with_our_words_does_not_pass() -> None:
    body = orjson.dumps({"status": "test", "proof": "0" * 64}).decode()
    tried = answering("HTTP/1.1 200 OK", "Content-Type: application/json", body=body)

    assert tried.outcome == "elsewhere"
    assert "does not know the secret" in tried.message


def test_where_nobody_listens_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tried = try_address(f"http://127.0.0.1:{port}/webhooks/robaws", SECRET)

    assert (tried.outcome, tried.status) == ("unreached", None)
    assert tried.message == f"nothing listens at 127.0.0.1 port {port}"


def test_a_name_without_an_address_is_said() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    tried = try_address("https://sync.example.org/webhooks/robaws", SECRET, resolve=unknown)

    assert tried.outcome == "unreached"
    assert "the name sync.example.org is not known here (DNS)" in tried.message


@pytest.mark.parametrize(
    ("certificate", "said"),
    [("self_signed.pem", "a certificate that is not trusted"), (None, "does not speak TLS")],
)
def test_tls_that_does_not_stand_is_said(certificate: str | None, said: str) -> None:
    says = () if certificate else (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",)
    with front(certificate=certificate, says=says) as other:
        tried = try_address(f"https://127.0.0.1:{other.port}/webhooks/robaws", SECRET)

    assert tried.outcome == "unreached"
    assert said in tried.message


def test_who_never_answers_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/webhooks/robaws"
        tried = try_address(url, SECRET, patience_seconds=0.2)

    assert tried.outcome == "unreached"
    assert "did not answer within 0.2 s" in tried.message


def test_a_test_is_no_signature_for_an_event_and_an_event_no_test() -> None:
    body = self_test.body(NONCE)
    claim = signature.read(sign(SECRET, 1_760_000_000, body), 1_760_000_000, 300)
    assert isinstance(claim, signature.Claim)

    assert self_test.answer(body, claim, ["another", SECRET]) == self_test.proof(SECRET, NONCE)
    assert self_test.answer(body, claim, ["another"]) is None
    assert self_test.answer(b'{"id":"e-1"}', claim, [SECRET]) is None
    assert self_test.answer(body + b" ", claim, [SECRET]) is None
    assert self_test.proves(self_test.proof(SECRET, NONCE), SECRET, NONCE)
    assert not self_test.proves(self_test.proof(SECRET, NONCE), "another", NONCE)
    assert not self_test.proves(None, SECRET, NONCE)
