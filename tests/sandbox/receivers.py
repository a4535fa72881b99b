"""A receiver of webhooks for tests: it answers what it is told to, and keeps what it got."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


@dataclass(frozen=True)
class Received:
    """One delivery as it came over the wire."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """Check the signature as the vendor's article says."""
        parts = dict(part.split("=", 1) for part in self.headers["robaws-signature"].split(","))
        text = parts["t"].encode() + b"." + self.body
        return hmac.compare_digest(hmac.new(secret.encode(), text, hashlib.sha256).hexdigest(), parts["v1"])


@dataclass
class Receiver:
    """Where it listens, what it will answer (then 202 for ever), and what came."""

    url: str = ""
    answers: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    came: queue.SimpleQueue[Received] = field(default_factory=queue.SimpleQueue)

    def next(self, seconds: float = 10.0) -> Received:
        """The next delivery; fails the test when none comes."""
        try:
            return self.came.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no webhook within {seconds} seconds") from None


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port of this machine. An answer of 0 closes the connection without one."""
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            held.came.put(Received({name.lower(): value for name, value in self.headers.items()}, body))
            try:
                status = held.answers.get_nowait()
            except queue.Empty:
                status = 202
            if status:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/robaws"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
