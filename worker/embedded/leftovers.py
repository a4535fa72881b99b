"""
Servers that an earlier run left behind, found and ended before the next one starts.

The guard makes these rare: its death and ours in the same moment, or a system without PDEATHSIG. A server's process
is known by its working directory, which PostgreSQL and Valkey both set to their data folder for the whole of their
life. A pid file alone would not do: it may be stale, and its number may belong to somebody else by now.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from worker.embedded.waiting import wait_until

_PROGRAMS: Final = {"postgres", "valkey-server", "redis-server"}
"""With the one of the releases that carried Redis: an upgrade must find what the release before left behind."""
_PATIENCE_SECONDS: Final = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))


def servers_in(folder: Path) -> list[psutil.Process]:
    """The processes of ours that work in this data folder, parents first."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() in _PROGRAMS and Path(process.cwd()) == folder:
                found.append(process)
    pids = {process.pid for process in found}
    return sorted(found, key=lambda process: _parent(process) in pids)


def end_leftovers(folder: Path) -> list[int]:
    """End them, gently first; the pids that were there. When it returns, nobody writes to the folder any more."""
    gone = [process.pid for process in servers_in(folder)]
    for number, seconds in _PATIENCE_SECONDS:
        left = servers_in(folder)
        if not left:
            break
        # A postmaster ends its own children; they get a signal of ours only when nothing else helped.
        for process in left if number == signal.SIGKILL else left[:1]:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
        wait_until(partial(_none_lives, left), seconds)
    return gone


def _none_lives(processes: Sequence[psutil.Process]) -> bool:
    return not any(_lives(process) for process in processes)


def _lives(process: psutil.Process) -> bool:
    """A zombie does not: it only waits for somebody to read its status, and may wait long."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid() or 0
    except psutil.Error:
        return 0
