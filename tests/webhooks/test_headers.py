"""Every answer carries the security headers, once, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.webhooks.conftest import Served, make_settings, serving, token_of
from tests.webhooks.test_access import address
from tests.webhooks.test_limits import BODY, connect, head, read_all
from webhooks.api.routes import CALLS
from webhooks.headers import ALWAYS, UNLESS_SET, secured

if TYPE_CHECKING:
    from sqlalchemy import Engine

EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
RAW = {
    "an event": head("Connection: close", length=len(BODY)) + BODY,
    "no signature": b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
    "another method": GET % b"/webhooks/robaws",
    "another type": b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a large body": head("Connection: close", length=10**9),
    "alive": GET % b"/healthz",
    "ready": GET % b"/readyz",
    "metrics": GET % b"/metrics",
    "the page": GET % b"/",
    "nothing": GET % b"/nothing/here",
    "the description": GET % b"/api/v1/openapi.json",
    "a head": b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "another host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no HTTP": b"nonsense\r\n\r\n",
    "endless headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000,
}


def headers_of(answer: bytes) -> list[tuple[str, str]]:
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]


def check(headers: list[tuple[str, str]], of_what: str) -> None:
    assert {name: value for name, value in headers if name in EXPECTED} == EXPECTED, of_what
    assert "frame-ancestors 'none'" in dict(headers)["content-security-policy"], of_what
    for name in (*EXPECTED, "content-security-policy"):
        assert [found for found, _ in headers].count(name) == 1, (of_what, name)


@pytest.mark.parametrize("what", RAW)
def test_every_kind_of_answer_has_them(shared: Served, what: str) -> None:
    with connect(shared) as line:
        try:
            line.sendall(RAW[what])
        except (BrokenPipeError, ConnectionResetError):
            assert what == "endless headers"
        answer = read_all(line)

    if answer or what != "endless headers":  # a sender that goes on writing may miss its answer
        check(headers_of(answer), what)


def test_every_call_has_them_with_a_token_and_without_a_right_one(shared: Served) -> None:
    for call in CALLS:
        for token in ("wrong", "viewer-token" if call.method == "GET" else "nobodys"):
            asked = {"Authorization": f"Bearer {token_of(token)}"}
            answer = shared.http.request(call.method, address(call), headers=asked)
            check(list(answer.headers.multi_items()), f"{call.method} {call.path} {answer.status_code}")


def test_an_error_that_nobody_foresaw_has_them(
    migrated_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_self: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("webhooks.health.Readiness.missing", fail)
    with serving(make_settings(migrated_url), engine) as served:
        answer = served.http.get("/readyz")

    assert answer.status_code == 500
    check(list(answer.headers.multi_items()), "500")


def test_an_answer_keeps_its_own_policy() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-security-policy: default-src 'self'\r\ncache-control: max-age=9\r\n\r\n"

    added = headers_of(secured(head))

    assert dict(added)["content-security-policy"] == "default-src 'self'"
    assert dict(added)["cache-control"] == "max-age=9"
    assert len(added) == len(ALWAYS) + len(UNLESS_SET)
