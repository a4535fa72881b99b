"""Waiting for somebody to say stop."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Self

_LOOK_SECONDS: Final = 0.2


class StopSignals:
    """
    While entered, SIGTERM, SIGINT and SIGHUP do not end the process but are counted in `asked`.

    The handlers are installed in the main thread only, as Python wants it; in any other thread `ask` is what stops.
    A SIGHUP that is ignored (`nohup`) stays so. A handler only writes a byte: a lock taken there could be held already.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.last: int | None = None
        self._ends = (-1, -1)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._ends = os.pipe()
        for end in self._ends:
            os.set_blocking(end, False)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                    continue
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *failure: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        ends, self._ends = self._ends, (-1, -1)
        for end in ends:
            os.close(end)

    def ask(self, number: int | None = None) -> None:
        """Do as if a signal had come; from any thread."""
        self.asked += 1
        self.last = number
        try:
            os.write(self._ends[1], b"!")
        except OSError:  # full, so that it wakes up anyway; or nobody waits any more
            return

    def wait(self, seconds: float) -> None:
        """Return when a signal comes or the time is over."""
        if select.select([self._ends[0]], [], [], max(0.0, seconds))[0]:
            os.read(self._ends[0], 4096)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.ask(number)


def run_until_signal(check: Callable[[], bool] | None = None, seconds: float | None = None) -> int | None:
    """
    Block until SIGTERM, SIGINT or SIGHUP comes, and give its number.

    None when `check`, asked a few times a second, says False, or when `seconds` are over.
    """
    end = None if seconds is None else time.monotonic() + seconds
    with StopSignals() as signals:
        while not signals.asked:
            if (check is not None and not check()) or (end is not None and time.monotonic() >= end):
                return None
            signals.wait(_LOOK_SECONDS)
        return signals.last
