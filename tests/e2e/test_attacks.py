"""`contactsync up` under strangers who open connections and send nonsense: Robaws gets its answers all the same."""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.tree import Tree, running_tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

OPEN_FILES = 1_024
IDLE = 1_100
SECONDS = 10.0
ANSWER_SECONDS = 2.0
"""Robaws waits so long for an answer."""
MOST_LOGGED_BYTES = 10_000

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def line_to(tree: Tree) -> socket.socket:
    parts = urlsplit(tree.address)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)


def keep_idle_connections(tree: Tree, end: threading.Event) -> int:
    """Keep as many connections open as a flood has, each after one request; what is closed is opened again."""
    opened = 0
    with selectors.DefaultSelector() as held:
        while not end.is_set():
            with suppress(OSError):
                while len(held.get_map()) < IDLE and not end.is_set():
                    line = line_to(tree)
                    line.sendall(GET)
                    line.setblocking(False)
                    held.register(line, selectors.EVENT_READ)
                    opened += 1
            for key, _ in held.select(0.1):
                line = key.fileobj  # type: ignore[assignment]
                try:
                    over = not line.recv(65_536)
                except OSError:
                    over = True
                if over:
                    held.unregister(line)
                    line.close()
        for key in list(held.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return opened


def send_nonsense(tree: Tree, end: threading.Event) -> int:
    """Connect again and again, with five bytes that are no HTTP."""
    sent = 0
    while not end.is_set():
        with suppress(OSError), line_to(tree) as line:
            line.sendall(b"\x16\x03\x01\x02\x00")
            line.recv(1_024)
            sent += 1
    return sent


@contextmanager
def attackers(tree: Tree, *attacks: Callable[[Tree, threading.Event], int]) -> Iterator[list[int]]:
    """Attack until the end of the block; afterwards how often each of them did its harm."""
    end = threading.Event()
    done: list[int] = []
    threads = [threading.Thread(target=lambda attack=attack: done.append(attack(tree, end))) for attack in attacks]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192) if hard > 0 else 8_192, hard))
    try:
        for thread in threads:
            thread.start()
        yield done
    finally:
        end.set()
        for thread in threads:
            thread.join()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tree, Path]]:
    """A product in whose processes few files may be open, and its receiver's log."""
    home = tmp_path_factory.mktemp("attacked")
    with running_tree(home, open_files=OPEN_FILES) as tree:
        yield tree, home / "home" / "logs" / "receiver.log"
        assert tree.stop() == 0


def test_webhooks_are_answered_under_both_attacks_at_once(attacked: tuple[Tree, Path]) -> None:
    tree, log = attacked
    logged = log.stat().st_size
    waits: list[float] = []
    statuses: list[int] = []

    with attackers(tree, keep_idle_connections, send_nonsense) as done:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            begun = time.monotonic()
            statuses.append(tree.post("4711"))
            waits.append(time.monotonic() - begun)
    tree.wait_for(tree.settled)

    assert set(statuses) == {202}
    assert max(waits) < ANSWER_SECONDS
    assert len(done) == 2
    assert min(done) >= 10
    assert log.stat().st_size - logged < MOST_LOGGED_BYTES
    assert "receiver.crowded" in log.read_text()
