"""What both embedded servers share: the lock, the ports, waiting until it answers, stopping, starting again."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final, Self

from worker.embedded.errors import EmbeddedError, PortTaken
from worker.embedded.home import HomeLock, prepare_home, unusable
from worker.embedded.ports import free_port
from worker.embedded.process import GuardedProcess, log_since, size_of
from worker.embedded.waiting import wait_until

_PORT_TRIES: Final = 20
# Recovery after a crash reads the journal again, which is at most some gigabytes.
_START_SECONDS: Final = 180.0


class EmbeddedServer(ABC):
    """
    A server that lives no longer than this process, its data in `home`.

    `start` and `stop` may be called again and again, from any thread; the data stay. While it runs a lock keeps
    every other process away from the home. A port of 0 takes a free one, and another one when that is lost in a race.
    """

    name: ClassVar[str]
    port_taken_signs: ClassVar[tuple[str, ...]]

    def __init__(self, home: Path, *, port: int = 0) -> None:
        self.home = home
        self.wanted_port = port
        self.port = 0
        self._process: GuardedProcess | None = None
        self._lock: HomeLock | None = None
        self._busy = threading.RLock()
        self._wanted = False

    def start(self) -> str:
        """Start it when it is not running, wait until it answers; its url. EmbeddedError when it cannot be."""
        with self._busy:
            self._wanted = True
            if not self.running():
                self._abandon()
                self._start()
            return self.url

    def cancel(self) -> None:
        """Have a `start` in another thread give up soon."""
        self._wanted = False

    def stop(self) -> None:
        """Stop it in its own orderly way and wait for it; harmless when it is not running."""
        self.cancel()
        with self._busy:
            self._abandon()

    def restart(self) -> None:
        """Stop it when it runs, and start it on the same port with the same password, so that urls stay good."""
        with self._busy:
            self._wanted = True
            self._abandon()
            self._start(self.port or None)

    def revive(self) -> bool:
        """Start it again as `restart` does when it has died, not when it was stopped; whether that was so."""
        with self._busy:
            if not self._wanted or self.running():
                return False
            self._abandon()
            self._start(self.port or None)
            return True

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would; for drills."""
        if self._process is not None:
            self._process.kill()

    def running(self) -> bool:
        """Tell whether the server's process lives."""
        return self._process is not None and self._process.running()

    def pid(self) -> int | None:
        """The pid of the server itself."""
        return None if self._process is None else self._process.pid()

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self.home / "logs" / f"{self.name}.log"

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients of ours connect to, password included."""

    @abstractmethod
    def _prepare(self) -> None:
        """Clear up what an earlier run left, and make the data folder."""

    @abstractmethod
    def _make_process(self) -> GuardedProcess:
        """The server's process for `self.port`."""

    @abstractmethod
    def _answers(self) -> bool:
        """Tell whether the server is ready for clients."""

    def _settle(self) -> None:  # noqa: B027  not every server has something to do there
        """What there is to do once it answers."""

    def _start(self, port: int | None = None) -> None:
        try:
            self.home = prepare_home(self.home)
            self._lock = HomeLock(self.home / f"{self.name}.lock")
            self._lock.acquire()
            self._prepare()
            self._start_on_a_port(port or self.wanted_port)
            self._settle()
        except OSError as error:
            self._abandon()
            raise unusable(self.home, error) from error
        except BaseException:
            self._abandon()
            raise

    def _start_on_a_port(self, wanted: int) -> None:
        for attempt in range(_PORT_TRIES):
            self.port = wanted or self._find_port()
            try:
                self._start_process()
            except PortTaken:
                if wanted or attempt == _PORT_TRIES - 1:
                    raise
            else:
                return

    def _find_port(self) -> int:
        return free_port()

    def _start_process(self) -> None:
        position = size_of(self.log)
        self._process = self._make_process()
        self._process.start()
        come_to_a_point = wait_until(lambda: not self._wanted or self._ended() or self._answers(), _START_SECONDS)
        if come_to_a_point and self._wanted and not self._ended():
            return
        self._process.stop()
        said = log_since(self.log, position)
        if any(sign in said for sign in self.port_taken_signs):
            raise self._port_taken()
        raise self._did_not_start(said)

    def _ended(self) -> bool:
        return not self.running()

    def _port_taken(self) -> PortTaken:
        return PortTaken(
            f"Port {self.port} on 127.0.0.1, where {self.name} should listen, is taken.",
            "Stop the program that listens there, or let contactsync choose a free port.",
        )

    def _did_not_start(self, said: str) -> EmbeddedError:
        lines = "\n".join(f"    {line}" for line in said.splitlines()[-12:])
        return EmbeddedError(
            f"The embedded {self.name} did not start. Its log {self.log} ends with:\n{lines}\n",
            "See what the log says; nothing in the data folder was removed.",
        )

    def _abandon(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()


def server_environment() -> dict[str, str]:
    """
    The little that a server needs of our environment.

    Variables such as PGDATA, PGPORT or LC_ALL of the person's shell would change what it does, and its messages are
    read in English.
    """
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "HOME") if name in os.environ}
    return {**kept, "LC_ALL": "C"}
