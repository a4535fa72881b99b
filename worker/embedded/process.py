"""One child process under a guard, with its log file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from worker.embedded.accounts import Account, guard_command
from worker.embedded.guard import open_log
from worker.embedded.waiting import wait_until

LOG_BYTES: Final = 10 * 1024 * 1024
LOGS_KEPT: Final = 3
# What the guard may take beyond the time that it was given for the child: its harder signals and SIGKILL.
_GUARD_MARGIN_SECONDS: Final = 20.0


class GuardedProcess:
    """
    A command that ends when this process does. Its output goes to `log`, or where ours goes when there is none.

    A log that holds `log_bytes` is moved aside, at the start and while it is written: `name.log` to `name.log.1`, up
    to `.3`.

    `stop_signals` are sent in this order, the first at once, the next after `stop_seconds`; SIGKILL comes last.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        log: Path | None,
        account: Account | None = None,
        stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,),
        stop_seconds: float = 10.0,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self.command = list(command)
        self.directory = directory
        self.environment = dict(environment)
        self.log = log
        self.account = account or Account()
        self.stop_signals = list(stop_signals)
        self.stop_seconds = stop_seconds
        self.log_bytes = log_bytes
        self._guard: subprocess.Popen[bytes] | None = None
        self._started_by = 0
        self._report = -1
        self._child_pid: int | None = None
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Start it; returns before the command has done anything."""
        stream = None if self.log is None else open_log(str(self.log), self.log_bytes, LOGS_KEPT)
        read_end, report = os.pipe()
        try:
            self._guard = subprocess.Popen(
                guard_command(self.command, self._options(report)),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=None if stream is None else subprocess.STDOUT,
                env=self.environment,
                pass_fds=[report],
                start_new_session=True,  # Ctrl-C in the terminal is for us alone: the order of stopping is ours to give
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(report)
            if stream is not None:
                os.close(stream)
        self._started_by = os.getpid()
        self._report = read_end
        self._child_pid = None

    def _options(self, report: int) -> dict[str, Any]:
        return {
            **self.account.options(),
            "parent": os.getpid(),
            "directory": str(self.directory),
            "stop_signals": [int(number) for number in self.stop_signals],
            "stop_seconds": self.stop_seconds,
            "report": report,
            "log": self.log and {"path": str(self.log), "most_bytes": self.log_bytes, "kept": LOGS_KEPT},
        }

    @property
    def guard_pid(self) -> int | None:
        """The guard's pid."""
        return None if self._guard is None else self._guard.pid

    def pid(self) -> int | None:
        """The pid of the command itself; None when it was never started."""
        with self._one_at_a_time:
            if self._child_pid is None and self._report >= 0:
                text = os.read(self._report, 32)  # comes as soon as the guard has forked, or ends with the guard
                os.close(self._report)
                self._report = -1
                self._child_pid = int(text) if text else None
            return self._child_pid

    def poll(self) -> int | None:
        """None while it runs, else its exit status (128 + the signal that it died of)."""
        return None if self._guard is None else self._guard.poll()

    def running(self) -> bool:
        return self._guard is not None and self.poll() is None

    def ask_to_stop(self) -> None:
        """Have the guard begin to stop it; returns at once."""
        if self._guard is not None and self._started_by == os.getpid():
            self._guard.terminate()

    def kill(self) -> None:
        """End the command and its process group by force, and wait for it."""
        if self.running():
            self._kill_group()
        self.wait()

    def stop(self) -> int | None:
        """Stop it and wait until it is gone; its exit status."""
        self.ask_to_stop()
        return self.wait()

    def wait(self) -> int | None:
        """Wait until it is gone, for as long as the guard may need for its last means; its exit status."""
        # A child of fork() has this object too, but neither the process nor the right to wait for it.
        if self._guard is None or self._started_by != os.getpid():
            return None
        status = self._guard.wait(timeout=self.stop_seconds + _GUARD_MARGIN_SECONDS)
        pid = self.pid()
        if status < 0 and pid is not None:
            # Somebody killed the guard. The child was told by the kernel (on Linux) and has its usual time.
            wait_until(lambda: not _exists(pid), self.stop_seconds)
            self._kill_group()
        return status

    def _kill_group(self) -> None:
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def log_since(log: Path, position: int, limit: int = 4000) -> str:
    """What a log got since that position, at most its last `limit` bytes."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(position if position <= size else 0, size - limit))
            return stream.read().decode(errors="replace").strip()
    except OSError:
        return ""


def size_of(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
