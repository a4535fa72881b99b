"""A receiver as a process of its own, with its memory to be looked at, and bare lines to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import orjson
import psutil

from tests.webhooks.conftest import SECRET, wait_until
from worker.core.signature import sign

PROGRAM = """
import resource, sys
if sys.argv[4:]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[4]),) * 2)
from webhooks.app import create_app
from webhooks.server import make_server
from worker.config import Settings
class Silent:
    def intake(self): pass
    def fetch(self, contact_id): pass
    def deliver(self, system, link_id): pass
    def crowded(self, lane): return False
settings = Settings.model_validate({
    "database": {"url": sys.argv[1]}, "redis": {"url": "redis://127.0.0.1:1/0"},
    "receiver": {"max_body_bytes": 100_000}, "systems": {"robaws": {"webhook_secrets": [sys.argv[2]]}},
})
said = lambda host, port: print(f"http://{host}:{port}", flush=True)
app = create_app(settings, publisher=Silent())
make_server(app, "127.0.0.1", 0, said, request_seconds=float(sys.argv[3])).run()
"""


class Receiver:
    """One running receiver, which waits `request_seconds` for a request and may open so many files."""

    def __init__(self, database_url: str, request_seconds: float, open_files: int | None = None) -> None:
        command = [sys.executable, "-c", PROGRAM, database_url, SECRET, str(request_seconds)]
        command += [] if open_files is None else [str(open_files)]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        self.url = self.child.stdout.readline().strip()
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        wait_until(lambda: self.http.get("/readyz").status_code == 200, 60)
        self.process = psutil.Process(self.child.pid)
        self._number = 0
        self.event()
        self.at_first = self.megabytes

    def event(self) -> int:
        """Send an honest event; its status."""
        self._number += 1
        body = orjson.dumps(
            {"id": f"honest-{self.child.pid}-{self._number}", "event": "client.updated", "data": {"id": "1"}}
        )
        headers = {"Content-Type": "application/json", "Robaws-Signature": sign(SECRET, int(time.time()), body)}
        return self.http.post("/webhooks/robaws", content=body, headers=headers).status_code

    def reopen(self) -> None:
        """Forget the honest line: the next event comes on a new one."""
        self.http.close()
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def connect(self, room_bytes: int | None = None) -> socket.socket:
        """A bare line to it; `room_bytes`: how much of what comes the system keeps until it is read."""
        parts = urlsplit(self.url)
        line = socket.socket()
        if room_bytes is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room_bytes)
        line.settimeout(60)
        line.connect((str(parts.hostname), int(parts.port or 0)))
        return line

    @property
    def megabytes(self) -> float:
        """Its resident memory."""
        return self.process.memory_info().rss / 1024**2

    @property
    def grown_megabytes(self) -> float:
        """By how much its memory has grown since it started."""
        return self.megabytes - self.at_first

    def connections(self) -> int:
        """How many lines to it are open, our own honest one included."""
        return sum(one.status == psutil.CONN_ESTABLISHED for one in self.process.net_connections("tcp"))

    def metric(self, name: str) -> float:
        """One figure of `/metrics`, with its labels as they stand there; 0 where it is not there."""
        lines = self.http.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def stop(self) -> str:
        """End it as a person would, and tell what it wrote."""
        self.http.close()
        self.child.terminate()
        said, _ = self.child.communicate(timeout=60)
        return said

    def end(self) -> None:
        """Kill it."""
        self.http.close()
        self.child.kill()
        self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()


@contextmanager
def receiver(database_url: str, request_seconds: float = 10.0, open_files: int | None = None) -> Iterator[Receiver]:
    """A receiver until the end of the block."""
    made = Receiver(database_url, request_seconds, open_files)
    try:
        yield made
    finally:
        made.end()


def pour(line: socket.socket, piece: bytes, most: int) -> int:
    """Send the same piece again and again until the other side ends it, or so many bytes are sent; how many were."""
    sent = 0
    with suppress(BrokenPipeError, ConnectionResetError):
        while sent < most:
            line.sendall(piece)
            sent += len(piece)
    return sent


def ended(line: socket.socket) -> bytes:
    """All that comes until the other side ends the line; TimeoutError where it does not within a minute."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := line.recv(65_536):
            said += piece
    return said
