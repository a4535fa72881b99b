"""The panel below the demo's lines: how every system stands, what is counted at the moment, and the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from worker.cli.demo_words import COLOURS, MEANINGS, NAMES, STATE_COLOURS, STATES

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

WIDEST: Final = 100
"""A wider panel would only have gaps."""

ROOMY: Final = 90
"""From so many columns on there is room for two blanks between the figures."""

BAR: Final = 24


@dataclass(frozen=True)
class Counter:
    """Something that is being counted: `done` of `of`, and what it has led to so far."""

    what: str
    done: int
    of: int
    led_to: str = ""

    def text(self) -> Text:
        """The bar with its figures."""
        full = round(BAR * min(1.0, self.done / self.of)) if self.of else 0
        made = (
            Text(f"{self.what} ", no_wrap=True, overflow="ellipsis")
            .append("█" * full, "green")
            .append("░" * (BAR - full), "dim")
        )
        return made.append(f" {self.done} of {self.of}", "bold").append(f"  {self.led_to}" if self.led_to else "")


@dataclass
class Board:
    """The figures of the panel; whoever learns new ones puts them here."""

    calls: dict[str, int] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    doing: str = "starting"
    address: str = ""
    counter: Counter | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Drawn anew whenever it is printed, so that it never shows less than the lines above it."""
        yield Text("")
        yield self.panel(options.max_width)

    def panel(self, width: int) -> Panel:
        """The panel, at most so wide."""
        made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1 if width < ROOMY else 2, 0, 0))
        for column in ("system", "state", "calls", *STATES):
            made.add_column(column, justify="left" if column in ("system", "state") else "right", no_wrap=True)
        links, systems = self.summary.get("links", {}), self.summary.get("systems", {})
        for name in ("robaws", "rompslomp", "recras", "workspace"):
            states = links.get(name, {})
            state = str(systems.get(name, {}).get("state", "…"))
            cells = [Text(NAMES[name], COLOURS[name]), Text(state, "" if state in ("running", "…") else "bold red")]
            cells.append(Text(str(self.calls.get(name, 0))))
            cells += [_count(column, int(states.get(column, 0))) for column in STATES]
            made.add_row(*cells)
        parts: list[RenderableType] = [made]
        if self.counter is not None:
            parts.append(self.counter.text())
        events = self.summary.get("events")
        if events:
            parts.append(Text(equation(events), "dim"))
        there = {column for states in links.values() for column in MEANINGS if states.get(column)}
        parts += [Text(f"{word}: {MEANINGS[word]}", "dim italic") for word in MEANINGS if word in there]
        subtitle = Text(f"watch {self.address}", "bold") if self.address else None
        width = min(width, WIDEST)
        return Panel(Group(*parts), title=Text(self.doing), subtitle=subtitle, border_style="dim", width=width)


def _count(state: str, number: int) -> Text:
    return Text(str(number), STATE_COLOURS.get(state, "") if number else "dim")


def equation(events: Mapping[str, int]) -> str:
    """The event equation with its figures."""
    return (
        f"events: received {events['received']} = applied {events['applied']} + skipped {events['skipped']}"
        f" + open {events['open']} + dead {events['dead']}"
    )
