"""Strangers who can reach the port cannot fill the log: what they send is not worth a line each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.webhooks.conftest import wait_until
from worker.embedded.ports import free_port

pytestmark = pytest.mark.slow

CONNECTIONS = 400
MOST_BYTES = 20_000
ODD = {
    "no HTTP": b"\x16\x03\x01\x02\x00",
    "an upgrade that nobody offers": (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    ),
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
}


@contextmanager
def receiver(database_url: str, folder: Path) -> Iterator[tuple[int, Path]]:
    """`contactsync receiver` with its port and its log."""
    port, log = free_port(), folder / "log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")},
        "CONTACTSYNC_DATABASE__URL": database_url,
        "CONTACTSYNC_REDIS__URL": "redis://127.0.0.1:1/0",
        "CONTACTSYNC_RECEIVER__PORT": str(port),
    }
    with log.open("wb") as stream:
        child = subprocess.Popen(
            [sys.executable, "-m", "worker.cli", "receiver"], env=environment, cwd=folder, stderr=stream
        )
    try:
        wait_until(lambda: answers(port), 60)
        yield port, log
    finally:
        child.terminate()
        child.wait(30)


def answers(port: int) -> bool:
    with suppress(OSError):
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200)
    return False


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD.keys())
def test_odd_requests_by_the_hundred_leave_a_few_lines(migrated_url: str, tmp_path: Path, sent: bytes) -> None:
    with receiver(migrated_url, tmp_path) as (port, log):
        before = log.stat().st_size
        for _ in range(CONNECTIONS):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as line, suppress(ConnectionError):
                line.sendall(sent)
                line.recv(1_000)

        assert answers(port)
        assert log.stat().st_size - before < MOST_BYTES
