"""Requests under names that are not ours are turned away, before anything else is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.fixtures.servers import fresh_database
from tests.webhooks.conftest import Served, make_settings, serving
from tests.webhooks.test_limits import BODY, connect, head, read_all
from webhooks.hosts import AllowedHosts
from worker.config.sections import ReceiverSettings
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATHS = ("/", "/healthz", "/readyz", "/metrics", "/api/v1/summary", "/api/v1/openapi.json", "/nothing/here")


@pytest.fixture(scope="module")
def named(postgres_url: str, migrated_template: str) -> Iterator[Served]:
    """A receiver that is known as sync.example, and as receiver inside its network."""
    receiver = {"public_url": "https://Sync.example", "allowed_hosts": ["receiver"]}
    with fresh_database(postgres_url, migrated_template) as url:
        engine = make_engine(url, pool_size=1)
        with serving(make_settings(url, receiver=receiver), engine) as made:
            yield made
        engine.dispose()


@pytest.mark.parametrize("path", PATHS)
def test_another_name_is_misdirected_wherever_it_goes(named: Served, path: str) -> None:
    answer = named.http.get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert "receiver.allowed_hosts" in answer.json()["detail"]
    assert "evil" not in answer.text


def test_a_webhook_under_another_name_is_misdirected_and_not_stored(named: Served) -> None:
    with connect(named) as line:
        line.sendall(head(length=len(BODY)).replace(b"localhost", b"evil.example") + BODY)
        answer = read_all(line)

    assert answer.startswith(b"HTTP/1.1 421 ")
    assert named.rows("SELECT count(*) FROM inbox_event")[0][0] == 0


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8080",
        "sync.example",
        "SYNC.EXAMPLE",
        "sync.example.",
        "sync.example:443",
        "receiver:8080",
    ],
)
def test_our_own_names_are_served_with_any_port(named: Served, host: str) -> None:
    assert named.http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "sync.example.evil.example",
        "evil.sync.example",
        "xlocalhost",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
        "127.1",
        "[::2]",
        "localhost@evil.example",
        "localhost:80:80",
        "localhost:x",
        "localhost,evil.example",
        "[localhost]",
        "::1",
    ],
)
def test_what_only_resembles_our_names_is_not(named: Served, host: str) -> None:
    assert named.http.get("/healthz", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", id="an empty host"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", id="two hosts"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n", id="the same twice"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", id="the older protocol"),
        pytest.param(b"GET /healthz\r\n\r\n", id="the oldest protocol"),
    ],
)
def test_a_request_that_does_not_name_one_host_is_refused(named: Served, request_bytes: bytes) -> None:
    with connect(named) as line:
        line.sendall(request_bytes)
        answer = read_all(line)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_refused_name_is_counted_and_stands_in_the_log(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine) as served, capture_logs() as logged:
        for number in range(50):
            served.http.get("/healthz", headers={"Host": f"evil-{number}.example"})
        counted = served.http.get("/metrics").text

    assert 'contactsync_refusals_total{kind="host"} 50.0' in counted
    [first, *_] = [line for line in logged if line["event"] == "receiver.refused"]
    assert (first["kind"], first["host"], first["status"], first["address"]) == (
        "host",
        "evil-0.example",
        421,
        "127.0.0.1",
    )


@pytest.mark.parametrize(
    ("listening", "served"), [("192.0.2.7", True), ("sync.internal", True), ("0.0.0.0", False), ("::", False)]
)
def test_the_address_that_is_listened_on_is_a_name_unless_it_means_all(listening: str, served: bool) -> None:
    hosts = AllowedHosts(ReceiverSettings(host=listening))

    assert (hosts.refusal([(b"host", f"{listening}:8080".encode())]) is None) is served
