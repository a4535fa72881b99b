"""What is turned away is counted by kind, and seen in the log: once a minute, however much of it there is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.webhooks.conftest import SECRET, Served, make_settings, serving, wait_until
from tests.webhooks.test_limits import BODY, connect, read_all
from webhooks.refusals import Refusals
from worker.core.signature import sign

if TYPE_CHECKING:
    from sqlalchemy import Engine

JSON = {"Content-Type": "application/json"}
OTHER = "0" * 64


def refused(served: Served, kind: str) -> float:
    lines = served.http.get("/metrics").text.splitlines()
    name = f'contactsync_refusals_total{{kind="{kind}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


def signed(kind: str) -> dict[str, str]:
    now = int(time.time())
    return {
        "signature_missing": {},
        "signature_malformed": {"Robaws-Signature": "nonsense"},
        "signature_wrong": {"Robaws-Signature": f"t={now},v1={OTHER}"},
        "signature_too_old": {"Robaws-Signature": sign(SECRET, now - 3_600, BODY)},
    }[kind]


@pytest.mark.parametrize("kind", ["signature_missing", "signature_malformed", "signature_wrong", "signature_too_old"])
def test_an_attack_on_the_signature_is_counted_and_logged_once(served: Served, kind: str) -> None:
    with capture_logs() as logged:
        statuses = {
            served.http.post("/webhooks/robaws", content=BODY, headers=JSON | signed(kind)).status_code
            for _ in range(300)
        }

    lines = [line for line in logged if line["event"] == "receiver.refused"]
    assert statuses == {401}
    assert refused(served, kind) == 300
    assert [(line["kind"], line["count"], line["address"], line["path"], line["status"]) for line in lines] == [
        (kind, 1, "127.0.0.1", "/webhooks/robaws", 401)
    ]
    assert SECRET not in str(logged)


def test_a_receiver_without_a_secret_says_so_in_the_log(migrated_url: str, engine: Engine) -> None:
    settings = make_settings(migrated_url, systems={"robaws": {"webhook_secrets": []}})
    with serving(settings, engine) as served, capture_logs() as logged:
        assert served.event("e-1").status_code == 401

    assert [line["kind"] for line in logged if line["event"] == "receiver.refused"] == ["signature_no_secret"]


def test_what_is_no_http_is_counted_and_leaves_one_line(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as logged:
        for _ in range(300):
            with connect(served) as line:
                line.sendall(b"\x16\x03\x01\x02\x00")
                assert read_all(line).startswith(b"HTTP/1.1 400 ")

    assert refused(served, "not_http") == 300
    assert Counter(line["event"] for line in logged) == {"receiver.refused": 1}
    assert caplog.records == []


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("GET", {}, "method"),
        ("POST", {"Content-Type": "text/plain"}, "content_type"),
        ("POST", JSON | {"Content-Length": "99999999"}, "too_large"),
    ],
)
def test_other_refusals_of_webhooks_are_told_apart(
    served: Served, method: str, headers: dict[str, str], kind: str
) -> None:
    before = refused(served, kind)
    with connect(served) as line:
        lines = [f"{method} /webhooks/robaws HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        read_all(line)

    assert refused(served, kind) == before + 1


def test_a_request_that_does_not_arrive_is_counted(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine, request_seconds=0.3) as served:
        with connect(served) as line:
            line.sendall(b"GET /hea")
            assert read_all(line) == b""
        wait_until(lambda: refused(served, "slow") == 1)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def counts(logged: list[MutableMapping[str, Any]]) -> list[tuple[str, int]]:
    return [(str(line["kind"]), int(line["count"])) for line in logged]


def test_a_flood_is_a_line_a_minute_for_each_kind(clock: Clock) -> None:
    refusals = Refusals(clock)
    with capture_logs() as logged:
        for _ in range(3):
            for number in range(1_000):
                refusals.note("host", f"192.0.2.{number % 200}")
                refusals.crowd("192.0.2.1", 924)
            clock.now += 60
            refusals.flush()

    assert counts([line for line in logged if line["event"] == "receiver.refused"]) == [
        ("host", 1),
        ("host", 999),
        ("host", 1_000),
        ("host", 1_000),
    ]
    assert len([line for line in logged if line["event"] == "receiver.crowded"]) == 4
    assert refusals.counts == {"host": 3_000, "crowded": 3_000}


def test_what_is_left_is_logged_at_the_end(clock: Clock) -> None:
    refusals = Refusals(clock)
    with capture_logs() as logged:
        for _ in range(5):
            refusals.note("host", None)
        refusals.flush()
        refusals.flush(everything=True)

    assert counts(logged) == [("host", 1), ("host", 4)]
