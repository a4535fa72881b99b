"""Real processes to test against: a Python that runs a few lines, what descends from it, and waiting for conditions."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return when the condition holds, and fail when it does not in time."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        pause.wait(0.01)


class Program:
    """A Python process of its own that runs some lines; every line that it prints is kept."""

    def __init__(
        self,
        code: str,
        *arguments: object,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})},
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str, seconds: float = 30.0) -> str:
        """The first line that contains the text."""
        wait_until(lambda: text in self.output or self.process.poll() is not None, seconds)
        if text not in self.output:
            self._reader.join(timeout=5)
        found = [line for line in self.lines if text in line]
        assert found, f"{text!r} is not in what it printed:\n{self.output}"
        return found[0]

    def family(self) -> list[psutil.Process]:
        """Everything that descends from it at the moment."""
        return psutil.Process(self.pid).children(recursive=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = 30.0) -> int:
        status = self.process.wait(seconds)
        self._reader.join(timeout=5)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            family = self.family()
            self.kill()
            wait_until(lambda: none_alive(family))
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def program(
    code: str, *arguments: object, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """A Program that is gone afterwards."""
    running = Program(code, *arguments, prefix=prefix, env=env)
    try:
        yield running
    finally:
        running.close()


def none_alive(processes: Sequence[psutil.Process]) -> bool:
    """Tell whether all of them are gone; a zombie counts as gone."""
    return not any(is_alive(process) for process in processes)


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def names(processes: Sequence[psutil.Process]) -> list[str]:
    """Their program names, without those that have just gone."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(process.name())
    return sorted(found)
