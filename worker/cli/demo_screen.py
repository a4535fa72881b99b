"""What the demo shows: lines as things happen, and on a terminal a panel below them with how everything stands."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.table import Table
from rich.text import Text

from worker.cli.demo_board import Board
from worker.cli.demo_fold import Line
from worker.cli.demo_words import COLOURS, NAMES, STATE_COLOURS
from worker.cli.safe_console import SafeConsole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

HOLD_SECONDS: Final = 0.3
"""So long a line waits for one that happened before it and is known only later."""

STARTING: Final = "starting PostgreSQL, Redis, five simulated vendors, receiver, worker and scheduler …"

LOOK_SECONDS: Final = 0.25


class Ended(Exception):
    """The demo was told to stop in the middle of its story."""


class Screen:
    """
    The demo's output. Lines come out in the order of their times; whatever else is printed lets them all out first.

    `speed` divides every pause for reading; 0 leaves them out. `pause` and `rest` raise Ended once `stop` is called,
    and so does `tell` for what is not so: nothing is reachable any more. `meanwhile` is called now and then during a
    pause, so that the panel goes on.
    """

    def __init__(self, speed: float, *, verbose: bool = False, console: Console | None = None) -> None:
        self.console = console or SafeConsole(soft_wrap=not sys.stdout.isatty())
        self.speed = speed
        self.verbose = verbose
        self.board = Board()
        self.problems: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.started = self.began = time.time()
        self._held: list[tuple[float, int, Line]] = []
        self._number = itertools.count()
        self._shown = 0.0
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._live: Live | None = None
        self._drawn = 0.0

    # ---------------------------------------------------------------------------------------------------- the lines

    def title(self, text: str) -> None:
        """The first line."""
        self._print(Text(text, "bold"))

    def welcome(self, token: str) -> None:
        """Where to look on, before anything else."""
        self._print(Text(""))
        self._print(
            Text("  page      ").append(self.board.address, "bold").append("   open it when all is ready, and watch")
        )
        self._print(Text("  login     ").append("any name, with this as the password:"))
        self._print(Text(f"            {token}"))
        self._print(Text(""))
        self._hang(Text("  "), Text(STARTING, "dim"))

    def begin(self) -> None:
        """All is ready: the story's time begins."""
        self.began = time.time()
        self.note(f"ready after {self.began - self.started:.1f} s")

    def note(self, text: str) -> None:
        """A line aside from the story; from any thread."""
        self.flush()
        self._hang(Text("  "), Text(text, "dim"))

    def chapter(self, number: int, title: str, text: str) -> None:
        """A new part of the story, with time to read what it is about."""
        self.flush()
        self.board.doing = title
        self.board.counter = None
        self._print(Text(""))
        terminal = self.console.is_terminal
        self._print(Text(f" {number}  {title}{' ' * terminal}", "bold reverse" if terminal else "bold"))
        self._hang(Text("    "), Text(text, "italic"))
        self.pause(2.0)

    def line(self, who: str, text: str, *, state: str = "") -> None:
        """Something happened now."""
        self.hold([Line(time.time(), who, text, state)])

    def hold(self, lines: Sequence[Line]) -> None:
        """Take lines with times of their own."""
        with self._lock:
            for line in lines:
                heapq.heappush(self._held, (line.at, next(self._number), line))

    def flush(self, before: float | None = None) -> None:
        """Print the lines that are held: all of them, or those before a Unix time."""
        with self._lock:
            while self._held and (before is None or self._held[0][0] < before):
                self._show(heapq.heappop(self._held)[2])

    def _show(self, line: Line) -> None:
        # What is known too late to be put in its place gets the time of the line before it.
        self._shown = max(self._shown, line.at - self.began)
        head = Text().append(f"  {self._shown:6.2f}  ", "dim")
        head.append(f"{NAMES.get(line.who, line.who):<12}", COLOURS.get(line.who, ""))
        text = Text(line.text)
        if line.state:
            text.append(f"  {line.state}", STATE_COLOURS.get(line.state, "bold"))
        self._hang(head, text)

    def good(self, text: str) -> None:
        """A promise that was kept."""
        self.flush()
        self._hang(Text("  ✓ ", "bold green"), Text(text, "green"))
        self.pause(1.0)

    def bad(self, text: str) -> None:
        """A promise that was not kept; the demo ends with 1."""
        self.flush()
        self.problems.append(text)
        self._hang(Text("  ✗ ", "bold red"), Text(text, "red"))

    def tell(self, kept: bool, text: str, otherwise: str = "") -> None:
        """`good` or `bad`."""
        if kept:
            self.good(text)
        else:
            self.rest(0.0)
            self.bad(otherwise or f"NOT SO: {text}")

    def figure(self, number: str, text: str) -> None:
        """A line of the result: a figure and what it counts."""
        self._hang(Text(f"  {number:>8}  ", "bold"), Text(text))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table in the end."""
        made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None)
        for column in columns:
            made.add_column(column, overflow="fold")
        for row in rows:
            made.add_row(*(Text(cell) for cell in row))
        self._print(Text(""))
        self._print(made)

    def _hang(self, head: Text, text: Text) -> None:
        """A line whose second row begins where its text does; off a terminal it has only one."""
        if self.console.is_terminal:
            made = Table.grid()
            made.add_column(width=head.cell_len, no_wrap=True)
            made.add_column()
            made.add_row(head, text)
            self._print(made)
        else:
            self._print(head + text)

    def _print(self, what: RenderableType) -> None:
        with self._lock:
            self.console.print(what)

    # ----------------------------------------------------------------------------------------------------- the time

    @property
    def stopped(self) -> bool:
        """Whether the story is to end."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End the story at its next pause; from any thread."""
        self._stopped.set()

    def rest(self, seconds: float) -> None:
        """Wait, whatever the speed."""
        self.flush(time.time() - HOLD_SECONDS)
        if time.monotonic() - self._drawn > LOOK_SECONDS:
            self.refresh()
        if self._stopped.wait(seconds):
            raise Ended

    def pause(self, seconds: float) -> None:
        """Leave time for reading."""
        end = time.monotonic() + (seconds / self.speed if self.speed > 0 else 0.0)
        self.rest(0.0)
        while (left := end - time.monotonic()) > 0:
            self.rest(min(left, LOOK_SECONDS))
            self.meanwhile()

    # ---------------------------------------------------------------------------------------------------- the panel

    @contextmanager
    def live(self) -> Iterator[None]:
        """With the panel, where the output is a terminal."""
        if not self.console.is_terminal:
            yield
            return
        # Refreshed by `rest` under our own lock: beside rich's own thread a line could be printed over another.
        with Live(self.board, console=self.console, auto_refresh=False, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def refresh(self) -> None:
        """Draw the panel as it is now."""
        with self._lock:
            if self._live is not None:
                self._live.refresh()
            self._drawn = time.monotonic()
