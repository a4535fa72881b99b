"""A line to the database that can be cut, or go silent, as networks do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit, urlunsplit


class Line:
    """Passes bytes between 127.0.0.1:`port` and the database; `silence()`, `cut()`, `mend()`."""

    def __init__(self, reach: Callable[[], socket.socket]) -> None:
        self.reach = reach
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
            far = self.reach()
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
    query = dict(parse_qsl(parts.query))

    def reach() -> socket.socket:
        if "host" not in query:
            return socket.create_connection((str(parts.hostname), int(parts.port or 5432)))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{query['host']}/.s.PGSQL.{query['port']}")
        return far

    line = Line(reach)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{line.port}"
    try:
        yield line, urlunsplit(parts._replace(netloc=netloc, query=""))
    finally:
        line.close()
