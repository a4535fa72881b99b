"""What the demo shows: lines as things happen, and on a terminal a board below them with how everything stands."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from worker.cli.safe_console import SafeConsole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

NAMES: Final[Mapping[str, str]] = {
    "robaws": "Robaws",
    "rompslomp": "Rompslomp",
    "recras": "Recras",
    "workspace": "Workspace",
    "routix": "Routix",
    "person": "a person",
    "contactsync": "contactsync",
}
_COLOURS: Final[Mapping[str, str]] = {
    "robaws": "cyan",
    "rompslomp": "magenta",
    "recras": "yellow",
    "workspace": "blue",
    "person": "bold",
    "contactsync": "green",
}
_STATE_COLOURS: Final[Mapping[str, str]] = {
    "synced": "green",
    "waiting": "yellow",
    "unknown": "yellow",
    "review": "bright_magenta",
    "dead": "red",
}
_COLUMNS: Final = ("synced", "due", "working", "waiting", "unknown", "review", "dead")


class Ended(Exception):
    """The demo was told to stop in the middle of its story."""


@dataclass
class Board:
    """The figures below the lines."""

    calls: dict[str, int] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    doing: str = "starting"


class Screen:
    """
    The demo's output, used by one thread at a time.

    `speed` divides every pause for reading; 0 leaves them out. `pause` and `rest` raise Ended once `stop` is called,
    and so does `tell` for what is not so: nothing is reachable any more.
    """

    def __init__(self, speed: float) -> None:
        self.console = SafeConsole(soft_wrap=not sys.stdout.isatty())
        self.speed = speed
        self.board = Board()
        self.problems: list[str] = []
        self._began = time.monotonic()
        self._stopped = threading.Event()
        self._live: Live | None = None

    # ---------------------------------------------------------------------------------------------------- the lines

    def title(self, text: str) -> None:
        """The first line."""
        self.console.print(Text(text, "bold"))

    def note(self, text: str) -> None:
        """A line aside from the story."""
        self._print(Text(f"          {text}", "dim"))

    def chapter(self, number: int, title: str, text: str) -> None:
        """A new part of the story, with time to read what it is about."""
        self.board.doing = title
        self._print(Text(""))
        self._print(Text(f" {number}  {title}", "bold reverse" if self._live else "bold"))
        self._print(Text(f"    {text}", "italic"))
        self.pause(2.0)

    def line(self, who: str, text: str, *, at: float | None = None, state: str = "") -> None:
        """Something happened: when (`at` is Unix time, now without it), to whom, what, and the state that it led to."""
        seconds = time.monotonic() - self._began if at is None else at - time.time() + time.monotonic() - self._began
        made = Text(f"  {max(0.0, seconds):6.2f}  ", "dim")
        made.append(f"{NAMES.get(who, who):<12}", _COLOURS.get(who, ""))
        made.append(text)
        if state:
            made.append(f"  {state}", _STATE_COLOURS.get(state, "bold"))
        self._print(made)

    def good(self, text: str) -> None:
        """A promise that was kept."""
        self._print(Text("  ✓ ", "bold green").append(text, "green"))
        self.pause(1.0)

    def bad(self, text: str) -> None:
        """A promise that was not kept; the demo ends with 1."""
        self.problems.append(text)
        self._print(Text("  ✗ ", "bold red").append(text, "red"))

    def tell(self, kept: bool, text: str, otherwise: str = "") -> None:
        """`good` or `bad`."""
        if kept:
            self.good(text)
        else:
            self.rest(0.0)
            self.bad(otherwise or f"NOT SO: {text}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table in the end."""
        made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None)
        for column in columns:
            made.add_column(column, overflow="fold")
        for row in rows:
            made.add_row(*(Text(cell) for cell in row))
        self._print(Text(""))
        self._print(made)

    def _print(self, what: RenderableType) -> None:
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
        if self._stopped.wait(seconds):
            raise Ended

    def pause(self, seconds: float) -> None:
        """Leave time for reading."""
        self.rest(seconds / self.speed if self.speed > 0 else 0.0)

    # ---------------------------------------------------------------------------------------------------- the board

    @contextmanager
    def live(self) -> Iterator[None]:
        """With the board, where the output is a terminal."""
        if not self.console.is_terminal:
            yield
            return
        with Live(get_renderable=self._board, console=self.console, refresh_per_second=8, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def _board(self) -> RenderableType:
        summary = self.board.summary
        made = Table(box=None, header_style="bold", expand=True)
        for column in ("system", "state", "calls", *_COLUMNS):
            made.add_column(column, justify="left" if column in ("system", "state") else "right")
        for name in ("robaws", "rompslomp", "recras", "workspace"):
            states = summary.get("links", {}).get(name, {})
            state = str(summary.get("systems", {}).get(name, {}).get("state", "…"))
            cells = [Text(NAMES[name], _COLOURS[name]), Text(state, "" if state in ("running", "…") else "bold red")]
            cells.append(Text(str(self.board.calls.get(name, 0))))
            cells += [_count(column, int(states.get(column, 0))) for column in _COLUMNS]
            made.add_row(*cells)
        return Panel(Group(made, Text(_equation(summary), "dim")), title=self.board.doing, border_style="dim")


def _count(state: str, number: int) -> Text:
    return Text(str(number), _STATE_COLOURS.get(state, "") if number else "dim")


def _equation(summary: Mapping[str, Any]) -> str:
    events = summary.get("events")
    return equation(events) if events else ""


def equation(events: Mapping[str, int]) -> str:
    """The event equation with its figures."""
    return (
        f"events: received {events['received']} = applied {events['applied']} + skipped {events['skipped']}"
        f" + open {events['open']} + dead {events['dead']}"
    )
