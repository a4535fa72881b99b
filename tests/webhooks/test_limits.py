"""Senders that are slow, endless, lying or broken: a bounded cost, an answer where one is possible, never a 500."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.webhooks.conftest import SECRET, Served, make_settings, serving, wait_until
from worker.core.signature import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

BODY = b'{"id":"e-1","event":"client.updated","data":{"id":"1834"}}'


def connect(served: Served) -> socket.socket:
    parts = urlsplit(served.url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)


def head(*more: str, body: bytes = BODY, length: int | None = None) -> bytes:
    lines = [
        "POST /webhooks/robaws HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Robaws-Signature: {sign(SECRET, int(time.time()), body)}",
        *([f"Content-Length: {length}"] if length is not None else []),
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_all(line: socket.socket) -> bytes:
    """Everything until the other side ends; b"" where it was reset."""
    pieces = b""
    try:
        while piece := line.recv(65_536):
            pieces += piece
    except ConnectionResetError:
        return pieces
    return pieces


def read_status(line: socket.socket) -> int:
    """The status of the next answer."""
    data = b""
    while b"\r\n" not in data:
        piece = line.recv(65_536)
        assert piece, "the connection ended without an answer"
        data += piece
    return int(data.split()[1])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture
def small(migrated_url: str, engine: Engine) -> Iterator[Served]:
    """A receiver that takes bodies of at most 1,000 bytes."""
    with serving(make_settings(migrated_url, receiver={"max_body_bytes": 1_000}), engine) as made:
        wait_until(lambda: made.http.get("/readyz").status_code == 200)
        yield made


def test_a_body_in_pieces_is_put_together(served: Served) -> None:
    with connect(served) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        for start in range(0, len(BODY), 7):
            line.sendall(chunk(BODY[start : start + 7]))
        line.sendall(b"0\r\n\r\n")

        assert read_status(line) == 202
    assert bytes(served.rows("SELECT body FROM inbox_event")[0][0]) == BODY


def test_an_announced_length_beyond_the_limit_is_refused_before_the_body_is_sent(small: Served) -> None:
    with connect(small) as line:
        line.sendall(head(length=10_000_000))

        assert read_status(line) == 413


@pytest.mark.parametrize(
    "signature",
    [None, "", "nonsense", f"t=1760000000,v1={'0' * 64}", "t=99999999999,v1=" + "0" * 64],
    ids=["none", "empty", "unreadable", "long ago", "far ahead"],
)
@pytest.mark.parametrize("sending", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_signature_that_no_body_can_make_right_is_refused_before_the_body(
    shared: Served, signature: str | None, sending: str
) -> None:
    lines = ["POST /webhooks/robaws HTTP/1.1", "Host: localhost", "Content-Type: application/json", sending]
    lines += [] if signature is None else [f"Robaws-Signature: {signature}"]
    with connect(shared) as line:
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

        assert read_status(line) == 401


def test_a_sender_that_asks_first_is_not_asked_for_a_body_that_is_refused(shared: Served) -> None:
    with connect(shared) as line:
        line.sendall(
            b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        )

        assert read_status(line) == 401


def test_an_endless_body_is_refused_at_the_limit_and_the_connection_ended(small: Served) -> None:
    with connect(small) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        sent = 0
        try:
            while sent < 200_000_000:
                line.sendall(chunk(b" " * 60_000))
                sent += 60_000
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = read_all(line)

    assert sent < 50_000_000
    assert answer.startswith(b"HTTP/1.1 413 ") or answer == b""
    assert small.http.get("/healthz").status_code == 200


def test_a_sender_that_goes_on_writing_can_read_its_413(small: Served) -> None:
    answer = small.post(b"x" * 2_000_000)

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_a_body_of_just_the_limit_is_taken_and_one_more_byte_is_not(small: Served) -> None:
    body = BODY.replace(b'"1834"', b'"1834","x":"' + b"y" * (1_000 - len(BODY) - 8) + b'"')
    assert len(body) == 999

    assert small.post(body + b" ").status_code == 202
    assert small.post(body + b"  ").status_code == 413


def test_a_sender_may_ask_before_it_sends(served: Served) -> None:
    with connect(served) as line:
        line.sendall(head("Expect: 100-continue", length=len(BODY)))
        first = read_status(line)
        line.sendall(BODY)
        second = read_status(line)

    assert (first, second) == (100, 202)


def test_a_sender_that_asks_with_too_much_is_told_at_once(small: Served) -> None:
    with connect(small) as line:
        line.sendall(head("Expect: 100-continue", length=5_000))

        assert read_status(line) == 413


def test_a_sender_that_leaves_in_the_middle_leaves_nothing_behind(served: Served) -> None:
    with connect(served) as line:
        line.sendall(head(length=len(BODY)) + BODY[:10])

    wait_until(lambda: 'result="gone"' in served.http.get("/metrics").text)
    assert served.rows("SELECT count(*) FROM inbox_event")[0][0] == 0


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"POST /webhooks/robaws HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /webhooks/robaws HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/robaws HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /webhooks/r\xc3\xb6baws HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"%00" * 10 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://other.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_4xx_or_an_end(shared: Served, request_bytes: bytes) -> None:
    with connect(shared) as line:
        line.sendall(request_bytes)
        line.shutdown(socket.SHUT_WR)
        answer = read_all(line)

    assert answer == b"" or 200 <= int(answer.split()[1]) < 500, answer[:200]
    assert shared.http.get("/healthz").status_code == 200


def test_a_flood_of_headers_is_refused(shared: Served) -> None:
    with connect(shared) as line:
        line.sendall(b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(2_000):
                line.sendall(b"X-Flood-%d: %b\r\n" % (number, b"x" * 200))
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = read_all(line)

    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""


def test_one_endless_header_is_refused(shared: Served) -> None:
    with connect(shared) as line:
        line.sendall(b"POST /webhooks/robaws HTTP/1.1\r\nX-Long: ")
        sent = 0
        try:
            while sent < 100_000_000:
                line.sendall(b"x" * 50_000)
                sent += 50_000
        except (BrokenPipeError, ConnectionResetError):
            pass

    assert sent < 20_000_000


def test_requests_in_one_go_are_answered_one_after_the_other(served: Served) -> None:
    other = BODY.replace(b"e-1", b"e-2")
    with connect(served) as line:
        line.sendall(head(length=len(BODY)) + BODY + head("Connection: close", body=other, length=len(other)) + other)
        answers = read_all(line)

    assert answers.count(b"HTTP/1.1 202") == 2


@pytest.mark.slow
def test_a_trickling_sender_is_cut_and_holds_nobody_up(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine, request_seconds=1.0) as hasty:
        slow = [connect(hasty) for _ in range(30)]
        for number, line in enumerate(slow):
            # A third in the headers, a third in the body, a third silent from the start.
            line.sendall((b"POST /webhooks/robaws HTTP/1.1\r\nHos", head(length=500) + b"{", b"")[number % 3])

        meanwhile = hasty.event("e-9").status_code
        ended = [read_all(line) for line in slow]

        assert meanwhile == 202
        assert all(not data or data.startswith(b"HTTP/1.1 4") for data in ended)
        for line in slow:
            line.close()


def test_many_at_once_are_all_answered(served: Served) -> None:
    statuses: list[int] = []

    def send(number: int) -> None:
        statuses.append(served.event(f"e-{number}").status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [202] * 60
    assert served.rows("SELECT count(*) FROM inbox_event")[0][0] == 60
