"""Commands that go on running, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import pty
import queue
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class Running:
    """
    One process, with its output line by line.

    `terminal`: its output goes to a terminal of so many columns and rows. `program` is run in place of the command.
    """

    def __init__(self, *arguments: str, terminal: tuple[int, int] | None = None, program: str = "") -> None:
        output: IO[str] | None = None
        written = subprocess.PIPE
        if terminal is not None:
            seen, written = pty.openpty()
            termios.tcsetwinsize(written, terminal[::-1])
            output = os.fdopen(seen, encoding="utf-8", newline="")
        self.process = subprocess.Popen(
            [sys.executable, *(("-c", program) if program else ("-m", "worker.cli")), *arguments],
            stdout=written,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TERM": "xterm-256color"} if terminal is not None else None,
        )
        if terminal is not None:
            os.close(written)
        self.output = output or self.process.stdout
        assert self.output is not None
        self.lines: list[str] = []
        self._came: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self.output,))
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with contextlib.suppress(OSError):  # how a terminal ends on Linux
            for line in stream:
                self._came.put(line)
        self._came.put(None)

    def until(self, word: str, seconds: float = 60.0) -> str:
        """The first line that holds the word; fails when the output ends before it."""
        while True:
            line = self._came.get(timeout=seconds)
            if line is None:
                errors = self.process.stderr.read() if self.process.stderr else ""
                raise AssertionError(f"ended without {word!r}:\n{''.join(self.lines)}\n{errors}")
            self.lines.append(line)
            if word in line:
                return line

    def rest(self) -> str:
        """All that it printed until its end."""
        while (line := self._came.get(timeout=120.0)) is not None:
            self.lines.append(line)
        return "".join(self.lines)

    def end(self, number: int, seconds: float = 30.0) -> int:
        """Send a signal and wait for the status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def running(*arguments: str, terminal: tuple[int, int] | None = None, program: str = "") -> Iterator[Running]:
    """The command, killed in the end if it still runs."""
    process = Running(*arguments, terminal=terminal, program=program)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
        process.process.wait()
        process._reader.join()
        for stream in (process.output, process.process.stderr):
            if stream is not None:
                stream.close()
