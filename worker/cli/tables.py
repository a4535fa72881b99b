"""
The one way in which commands print a table.

Ids, addresses and words such as states and reasons are never broken, so that they can be copied and searched for. Only
a column made with `folds` is broken, between words; one made with `shortens` may lose its middle on a narrow terminal.
Where a row does not fit, it takes further lines, indented: first the folding texts move below, then whole columns.
A file or a pipe has no width: every row is one line there.

    show_table(["id", shortens("client"), "state", folds("message")], rows)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from worker.cli.output import console
from worker.core.printable import printable

if TYPE_CHECKING:
    from rich.text import Text

    from worker.cli.safe_console import SafeConsole

GAP: Final = 2
INDENT: Final = 2
LEAST_TEXT: Final = 32
"""A folding text gets a column of its own where this many characters are left for it ..."""
MOST_HEIGHT: Final = 3
"""... and where no row becomes higher than this; else it stands below its row."""
LEAST_NAME: Final = 20


class Column(str):
    """The title of a column, with how it is shown. A plain title stands for a column whose values stay whole."""

    __slots__ = ("kind", "optional")

    kind: Literal["whole", "shortens", "folds"]
    optional: bool
    """Whether it is left out where no row has a value for it."""


def _column(title: str, kind: Literal["whole", "shortens", "folds"] = "whole", *, optional: bool = False) -> Column:
    column = Column(title)
    column.kind, column.optional = kind, optional
    return column


def folds(title: str, *, optional: bool = False) -> Column:
    """A column of sentences: broken between words where the screen is too narrow."""
    return _column(title, "folds", optional=optional)


def shortens(title: str, *, optional: bool = False) -> Column:
    """A column of names: the middle gives way to `…` where the screen is too narrow; beginning and end stay."""
    return _column(title, "shortens", optional=optional)


def optional(title: str) -> Column:
    """A column of words or ids that is left out where no row has a value for it."""
    return _column(title, optional=True)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """Print a table; a cell is a text, shown as it is, or one of rich's own with its colour."""
    from rich.text import Text

    out = console()
    if title:
        out.print(Text(printable(title), "bold"), soft_wrap=True)
    width = out.width if out.is_terminal else None
    for line in table_lines(columns, rows, width, out):
        out.print(line, soft_wrap=True)


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None, out: SafeConsole
) -> Iterator[Text]:
    """The lines of a table on a screen of this width; None for a file or a pipe."""
    from rich.text import Text

    given = [column if isinstance(column, Column) else _column(column) for column in columns]
    cells = [[cell if isinstance(cell, Text) else Text(printable(str(cell))) for cell in row] for row in rows]
    used = [place for place, one in enumerate(given) if not one.optional or any(row[place].plain for row in cells)]
    shown = [given[place] for place in used]
    kept = [[row[place] for place in used] for row in cells]
    layout = _layout(shown, kept, width)
    for row in [[Text(printable(column), "bold") for column in shown], *kept]:
        yield from _lines(layout, shown, row, out)


@dataclass(frozen=True)
class _Layout:
    """How wide each column is, which of them stand on which line of a row, and which texts follow `below` it."""

    widths: Sequence[int]
    groups: Sequence[Sequence[int]]
    below: Sequence[int]
    width: int | None


def _lines(layout: _Layout, columns: Sequence[Column], cells: Sequence[Text], out: SafeConsole) -> Iterator[Text]:
    from rich.text import Text

    for number, group in enumerate(layout.groups):
        if number and not any(cells[place].plain for place in group):
            continue
        widths = [layout.widths[place] for place in group]
        parts = [_broken(cells[place], layout.widths[place], columns[place], out) for place in group]
        for height in range(max((len(part) for part in parts), default=0)):
            here = [part[height] if height < len(part) else Text() for part in parts]
            yield _padded(list(zip(here, widths, strict=True)), INDENT if number else 0)
    for place in layout.below:
        if cells[place].plain:
            for line in _folded(cells[place], max(LEAST_TEXT, (layout.width or 0) - INDENT), out):
                yield _padded([(line, 0)], INDENT)


def _layout(columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int | None) -> _Layout:
    natural = [_natural(column, [row[place] for row in cells]) for place, column in enumerate(columns)]
    everything = range(len(columns))
    if width is None or _total(natural) <= width:
        return _Layout(natural, [everything], [], width)
    texts = [place for place in everything if columns[place].kind == "folds"]
    whole = [place for place in everything if place not in texts]
    names = [place for place in whole if columns[place].kind == "shortens"]
    return _beside(natural, whole, names, texts, width) or _below(natural, whole, names, texts, width)


def _beside(
    natural: Sequence[int], whole: Sequence[int], names: Sequence[int], texts: Sequence[int], width: int
) -> _Layout | None:
    """Each row on one line, its texts folded in columns of their own; None where there is no room for that."""
    wanted = len(texts) * LEAST_TEXT + GAP * (len(natural) - 1)
    widths = _cut(natural, names, sum(natural[place] for place in whole) + wanted - width)
    if widths is None:
        return None
    left = width - sum(widths[place] for place in whole) - GAP * (len(natural) - 1)
    room = left // len(texts) if texts else 0
    if any(natural[place] > room * MOST_HEIGHT for place in texts):
        return None
    folded = [min(widths[place], room) if place in texts else widths[place] for place in range(len(natural))]
    return _Layout(folded, [range(len(natural))], [], width)


def _below(
    natural: Sequence[int], whole: Sequence[int], names: Sequence[int], texts: Sequence[int], width: int
) -> _Layout:
    """The texts below their row, and the row on as many lines as it needs."""
    widths = _cut(natural, names, _total([natural[place] for place in whole]) - width)
    if widths is not None:
        return _Layout(widths, list(_packed(whole, widths, width)), texts, width)
    widths = [min(size, LEAST_NAME) if place in names else size for place, size in enumerate(natural)]
    groups = list(_packed(whole, widths, width))
    for number, group in enumerate(groups):
        room = width - _total([widths[place] for place in group]) - (INDENT if number else 0)
        for place in group:
            if place in names:
                given = max(0, min(room, natural[place] - widths[place]))
                widths[place] += given
                room -= given
    left = width - INDENT - _total([widths[place] for place in groups[-1]]) - GAP
    if len(groups) > 1 and len(texts) == 1 and left >= LEAST_TEXT:
        # The last line of a row has room for its text.
        widths[texts[0]] = min(natural[texts[0]], left)
        return _Layout(widths, [*groups[:-1], [*groups[-1], *texts]], [], width)
    return _Layout(widths, groups, texts, width)


def _natural(column: Column, cells: Sequence[Text]) -> int:
    from rich.cells import cell_len

    return max([cell_len(printable(column)), *(cell.cell_len for cell in cells)])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _cut(natural: Sequence[int], names: Sequence[int], excess: int) -> list[int] | None:
    """The widths with names cut by as much as there is too much; None where they cannot give that."""
    widths = list(natural)
    for place in names:
        given = max(0, min(excess, widths[place] - LEAST_NAME))
        widths[place] -= given
        excess -= given
    return widths if excess <= 0 else None


def _packed(places: Sequence[int], widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """As many columns on each line as fit, in their order; one that is wider than the screen has a line alone."""
    line: list[int] = []
    indent = 0
    for place in places:
        if line and indent + _total([widths[one] for one in (*line, place)]) > width:
            yield line
            line, indent = [], INDENT
        line.append(place)
    if line:
        yield line


def _broken(cell: Text, width: int, column: Column, out: SafeConsole) -> Sequence[Text]:
    """The lines of a cell in its column."""
    if cell.cell_len <= width or column.kind == "whole":
        return [cell]
    return _folded(cell, width, out) if column.kind == "folds" else [_shortened(cell, width)]


def _folded(cell: Text, width: int, out: SafeConsole) -> Sequence[Text]:
    lines = list(cell.wrap(out, width))
    for line in lines:
        line.rstrip()
    return lines


def _shortened(cell: Text, width: int) -> Text:
    """A text without its middle; the end of a client is its id."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    plain = cell.plain
    end = plain[-((width - 1) // 2) :]
    tail = re.search(r" \([^()]*\)$", plain)
    if tail is not None and len(tail[0]) < width - 4:
        end = tail[0]
    begin = set_cell_size(plain, max(1, width - 1 - cell_len(end))).rstrip()
    return Text(f"{begin}…{end}", cell.style)


def _padded(parts: Sequence[tuple[Text, int]], indent: int) -> Text:
    """One line out of cells and the widths of their columns."""
    from rich.text import Text

    line = Text(" " * indent)
    for place, (cell, width) in enumerate(parts):
        line.append_text(cell)
        if any(one.plain for one, _ in parts[place + 1 :]):
            line.append(" " * (width - cell.cell_len + GAP))
    return line
