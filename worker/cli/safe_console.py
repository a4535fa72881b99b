"""A console of rich's that a text can do nothing to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from typing_extensions import override

from worker.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


class SafeConsole(Console):
    """
    Shows control and bidirectional characters as escapes, and markup and emoji codes as they are written.

    Everything that is printed becomes segments in `render`; those that steer the terminal on purpose (colours, a
    progress bar's cursor) are marked as such by rich itself. Cells of a table should be made printable beforehand,
    since their width is measured before they come here.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    @override
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text, lines=True))
