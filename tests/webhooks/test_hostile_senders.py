"""A real receiver under senders that mean ill: bounded memory, nobody else held up, an end to every line, no 500."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.fixtures.servers import fresh_database
from tests.webhooks.conftest import SECRET, wait_until
from tests.webhooks.receiver_process import Receiver, ended, pour, receiver
from worker.core.signature import sign

pytestmark = pytest.mark.slow

POST = b"POST /webhooks/robaws HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
MOST_MEGABYTES = 60.0
"""Of growth, by all of these tests together; each of them pours in several times that."""

MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def database(postgres_url: str, migrated_template: str) -> Iterator[str]:
    with fresh_database(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def patient(database: str) -> Iterator[Receiver]:
    """One that waits longer than any test pours."""
    with receiver(database, request_seconds=120) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(database: str) -> Iterator[Receiver]:
    """One that waits a second."""
    with receiver(database, request_seconds=1) as made:
        yield made


SLOW: dict[str, Callable[[], bytes]] = {
    "says nothing": lambda: b"",
    "in the middle of the first line": lambda: b"POST /web",
    "in the middle of a header": lambda: POST[:-5],
    "never sends its body": lambda: POST + b"Content-Length: 500\r\n\r\n",
    "in the middle of its body": lambda: POST + b'Content-Length: 500\r\n\r\n{"id":',
    "in the middle of a chunk": lambda: CHUNKED + b'64\r\n{"id":',
    "in the middle of a chunk's length": lambda: CHUNKED + b"6",
    "asks and never sends": lambda: POST + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n",
}


def test_two_hundred_slow_senders_hold_nobody_up_and_are_ended(hasty: Receiver) -> None:
    threads = hasty.process.num_threads()
    with ExitStack() as stack:
        lines = [stack.enter_context(hasty.connect()) for _ in range(200)]
        for number, line in enumerate(lines):
            line.sendall(list(SLOW.values())[number % len(SLOW)]())

        meanwhile = [hasty.event() for _ in range(20)]
        said = [ended(line) for line in lines]

    assert meanwhile == [202] * 20
    assert [one for one in said if re.search(rb"HTTP/1.1 5", one)] == []
    assert hasty.grown_megabytes < MOST_MEGABYTES
    assert hasty.process.num_threads() - threads <= 1
    wait_until(lambda: hasty.connections() <= 1, 60)
    assert hasty.event() == 202


@pytest.mark.parametrize("kind", SLOW)
def test_a_sender_that_stops_anywhere_is_ended(hasty: Receiver, kind: str) -> None:
    with hasty.connect() as line:
        line.sendall(SLOW[kind]())

        said = ended(line)

    assert said == b"" or re.match(rb"HTTP/1.1 (200|100|4\d\d) ", said)


def test_a_sender_of_one_byte_at_a_time_is_ended(hasty: Receiver) -> None:
    stop = threading.Event()
    with hasty.connect() as line:
        line.sendall(CHUNKED)
        sent = 0
        try:
            while not stop.wait(0.05):
                line.sendall(b"1\r\n \r\n")
                sent += 1
                assert sent < 2_000, "nobody ended it"
        except (BrokenPipeError, ConnectionResetError):
            pass

    assert sent > 1
    assert hasty.event() == 202


@pytest.mark.parametrize(
    ("asked", "after"),
    [(GET, b"\r\n"), (GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"PRI *")],
    ids=["a blank line", "what follows an upgrade"],
)
def test_what_is_no_request_does_not_keep_an_answered_line_open(hasty: Receiver, asked: bytes, after: bytes) -> None:
    with hasty.connect() as line:
        line.sendall(asked)
        first = line.recv(65_536)
        line.sendall(after)

        assert first.startswith(b"HTTP/1.1 200")
        assert ended(line) == b""


def test_a_sender_that_never_reads_its_answers_is_ended(hasty: Receiver) -> None:
    asked = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert len(hasty.http.get("/api/v1/openapi.json").content) * 95 > 4 * MEGABYTE, "no more than the system keeps"
    with hasty.connect(room_bytes=4_096) as line:
        line.sendall(asked * 95)

        wait_until(lambda: hasty.connections() <= 1, 60)

    assert hasty.grown_megabytes < MOST_MEGABYTES
    assert hasty.event() == 202


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "a body without an end": (CHUNKED, b"ea60\r\n" + b" " * 60_000 + b"\r\n"),
    "a body of single bytes": (CHUNKED, b"1\r\n \r\n" * 10_000),
    "headers without an end": (POST, b"X-Flood: " + b"x" * 2_000 + b"\r\n"),
    "small headers without an end": (POST, b"a:b\r\n" * 10_000),
    "one header without an end": (POST + b"X-Long: ", b"x" * 60_000),
    "a name without an end": (POST, b"x" * 60_000),
    "an address without an end": (b"GET /", b"x" * 60_000),
    "a query without an end": (b"GET /api/v1/contacts?query=", b"x" * 60_000),
    "trailers without an end": (CHUNKED + b"1\r\n \r\n0\r\n", b"X-Flood: " + b"x" * 2_000 + b"\r\n"),
    "one trailer without an end": (CHUNKED + b"1\r\n \r\n0\r\nX-Long: ", b"x" * 60_000),
    "a chunk's extension without an end": (CHUNKED + b"1;", b"x" * 60_000),
    "blank lines without an end": (b"", b"\r\n" * 30_000),
    "a body where none is read": (
        GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
        b"ea60\r\n" + b" " * 60_000 + b"\r\n",
    ),
    "requests without an end": (b"", GET * 2_000),
    "tiny requests without an end": (b"", b"GET / HTTP/1.1\r\n\r\n" * 3_000),
    "unsigned events without an end": (b"", (POST + b"Content-Length: 2\r\n\r\n{}") * 500),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_takes_no_memory_and_is_ended(patient: Receiver, kind: str) -> None:
    begun, piece = FLOODS[kind]
    highest, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            highest.append(patient.grown_megabytes)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with patient.connect() as line:
            line.settimeout(5)
            line.sendall(begun)
            try:
                sent = pour(line, piece, 300 * MEGABYTE)
            except TimeoutError:
                sent = -1  # it reads no more
            meanwhile = patient.event()
    finally:
        over.set()
        looking.join()

    assert meanwhile == 202
    assert sent < 300 * MEGABYTE, "nobody ended it"
    assert max(highest) < MOST_MEGABYTES


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n\r\n",
        b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"7fffffffffffffff\r\n{}",
        b"1\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"\xff\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_are_none_get_a_4xx_or_an_end(hasty: Receiver, body: bytes) -> None:
    with hasty.connect() as line:
        line.sendall(CHUNKED + body)

        said = ended(line)

    assert said == b"" or re.match(rb"HTTP/1.1 4\d\d ", said)
    assert hasty.event() == 202


@pytest.mark.parametrize(
    "lines",
    [b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
     b"Transfer-Encoding: gzip\r\n", b"Content-Length: 2, 2\r\n", b"Content-Length: +2\r\n", b" X: folded\r\n"],
)  # fmt: skip
def test_a_body_of_two_minds_about_its_end_smuggles_no_event_in(hasty: Receiver, lines: bytes) -> None:
    body = b'{"id":"smuggled","event":"client.updated","data":{"id":"1"}}'
    signed = b"Robaws-Signature: " + sign(SECRET, int(time.time()), body).encode() + b"\r\n"
    inner = POST + signed + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with hasty.connect() as line:
        line.sendall(POST + lines + b"\r\n" + b"0\r\n\r\n" + inner)

        said = ended(line)

    assert b"HTTP/1.1 202" not in said
    assert b"HTTP/1.1 5" not in said


def test_pipelined_events_are_all_answered_in_turn(patient: Receiver) -> None:
    requests = b""
    for number in range(50):
        body = b'{"id":"p-%d","event":"client.updated","data":{"id":"1"}}' % number
        signed = sign(SECRET, int(time.time()), body).encode()
        requests += POST + b"Robaws-Signature: " + signed + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with patient.connect() as line:
        line.sendall(requests + GET[:-2] + b"Connection: close\r\n\r\n")

        said = ended(line)

    assert re.findall(rb'"event_id":"p-(\d+)"', said) == [b"%d" % number for number in range(50)]
    assert said.count(b"HTTP/1.1 202") == 50
