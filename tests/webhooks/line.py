"""A line to the database that can be cut, or go silent, as networks do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit


class Line:
    """Passes bytes between 127.0.0.1:`port` and the database; `silence()`, `cut()`, `mend()`."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.refusing = False
        self._pairs: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Nothing passes any more; connections stay open, new ones are taken and not answered."""
        self.open.clear()

    def cut(self) -> None:
        """Every connection ends; new ones end at once."""
        self.refusing = True
        self._end()

    def mend(self) -> None:
        """As before; what was silent passes on."""
        self.refusing = False
        self.open.set()

    def close(self) -> None:
        """The end."""
        self.refusing = True
        self.open.set()
        self.server.close()
        self._end()

    def _end(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for one in pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            if self.refusing:
                near.close()
                continue
            far = socket.create_connection(self.target)
            with self._lock:
                self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                self.open.wait()
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """A line to the database of this url, and the url that goes over it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    line = Line((parts.hostname, parts.port))
    login, _, _ = parts.netloc.rpartition("@")
    netloc = f"{login}@127.0.0.1:{line.port}" if login else f"127.0.0.1:{line.port}"
    try:
        yield line, urlunsplit(parts._replace(netloc=netloc))
    finally:
        line.close()
