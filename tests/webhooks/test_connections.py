"""Connections end below the limit on open files: idle ones first, and webhooks get through throughout."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.webhooks.conftest import make_settings, serving, wait_until
from tests.webhooks.receiver_process import ended, receiver
from tests.webhooks.test_limits import BODY, connect, head, read_status
from webhooks.connections import CLOSED_SHARE, RESERVED_FILES, Activity, Sender, to_close

if TYPE_CHECKING:
    from sqlalchemy import Engine

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
IDLE, ARRIVING, ANSWERING = Activity


@dataclass(frozen=True)
class Held:
    """A connection that is only described."""

    name: str
    activity: Activity = IDLE
    active_since: float = 0.0
    address: str = "192.0.2.1"
    signed: bool = False
    sender: Sender = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sender", Sender(self.signed))


def closed(*held: Held, limit: int) -> list[str]:
    return [one.name for one in to_close(held, limit)]


@pytest.mark.parametrize(
    ("held", "first"),
    [
        pytest.param([Held("new", active_since=2.0), Held("old", active_since=1.0)], "old", id="the longest idle"),
        pytest.param([Held("arriving", ARRIVING), Held("idle", active_since=9.0)], "idle", id="idle before arriving"),
        pytest.param([Held("answering", ANSWERING), Held("arriving", ARRIVING)], "arriving", id="answers last"),
        pytest.param(
            [Held("signed", signed=True), Held("other", ANSWERING)], "other", id="whoever never sent an event"
        ),
        pytest.param(
            [
                Held("alone", address="198.51.100.1", active_since=1.0),
                Held("many", active_since=2.0),
                Held("many too", active_since=3.0),
            ],
            "many",
            id="of the address that holds the most",
        ),
    ],
)
def test_the_least_useful_connection_is_closed_first(held: list[Held], first: str) -> None:
    assert closed(*held, limit=len(held) - 1)[0] == first


@pytest.mark.parametrize("activity", [ARRIVING, ANSWERING])
def test_a_sender_of_signed_events_is_not_closed_while_it_sends_or_waits(activity: Activity) -> None:
    held = [Held(str(number), activity, signed=True) for number in range(10)]

    assert closed(*held, limit=5) == []


def test_several_are_closed_at_once_so_that_a_flood_costs_no_search_for_each() -> None:
    limit = 4 * CLOSED_SHARE
    held = [Held(str(number), active_since=float(number)) for number in range(limit + 1)]

    assert closed(*held, limit=limit) == ["0", "1", "2", "3", "4"]


@contextmanager
def many_files() -> Iterator[None]:
    """Let this process open as many files as the test needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 8_192, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_more_idle_connections_than_open_files_do_not_stop_webhooks(migrated_url: str) -> None:
    waits: list[float] = []

    def event() -> None:
        begun = time.monotonic()
        assert made.event() == 202
        waits.append(time.monotonic() - begun)

    with receiver(migrated_url, open_files=1_024) as made, many_files(), ExitStack() as stack:
        for number in range(1_100):
            line = stack.enter_context(made.connect())
            line.sendall(GET)
            assert line.recv(4_096).startswith(b"HTTP/1.1 200")
            if number % 50 == 0:
                made.reopen()
                event()
        for _ in range(20):
            event()
        assert made.connections() <= 1_024 - RESERVED_FILES
        assert made.metric('contactsync_refusals_total{kind="crowded"}') >= 100
        assert made.metric("contactsync_connections_limit") == 1_024 - RESERVED_FILES
        said = made.stop()

    assert max(waits) < 2.0
    assert 1 <= said.count("receiver.crowded") <= 3


@pytest.mark.slow
def test_silent_connections_give_way_to_those_that_send(migrated_url: str) -> None:
    with receiver(migrated_url, open_files=256) as made, ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(made.connect())
        made.reopen()

        assert made.event() == 202
        assert made.connections() <= 256 - RESERVED_FILES


def test_a_connection_without_a_signed_event_is_closed_soon(migrated_url: str, engine: Engine) -> None:
    with serving(make_settings(migrated_url), engine, keep_alive_seconds=0.3) as served:
        wait_until(lambda: served.http.get("/readyz").status_code == 200)
        with connect(served) as faithful, connect(served) as idle:
            faithful.sendall(head(length=len(BODY)) + BODY)
            assert read_status(faithful) == 202
            idle.sendall(GET)
            assert idle.recv(4_096).startswith(b"HTTP/1.1 200")

            assert ended(idle) == b""
            faithful.sendall(GET)
            assert faithful.recv(4_096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("limits", "raised"), [((256, 4_096), 4_096), ((256, 10_000), 8_292), ((256, 256), 256), ((9_000, 9_000), 9_000)]
)
def test_the_limit_on_open_files_is_raised_as_far_as_is_needed_and_allowed(
    limits: tuple[int, int], raised: int
) -> None:
    if limits[1] > resource.getrlimit(resource.RLIMIT_NOFILE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the system allows fewer open files")
    program = (
        "import resource, sys; from webhooks.connections import raise_file_limit; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2]))); "
        "print(raise_file_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, limits)], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.split() == [str(raised)] * 2
