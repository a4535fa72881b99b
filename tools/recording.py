"""
`make recording`: runs the demo and keeps some of its screens as `docs/demo.svg`, the moving picture of the README.

The picture needs nothing from elsewhere: no script, no font, no image. Where it does not move (a printer, a person who
asked for less motion) it shows the last screen.
"""

from __future__ import annotations

import copy
import io
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.terminal_theme import SVG_EXPORT_THEME
from typing_extensions import override

from worker.cli.demo import show
from worker.cli.demo_screen import Screen
from worker.cli.safe_console import SafeConsole

if TYPE_CHECKING:
    from rich.console import RenderableType

PICTURE: Final = Path(__file__).parents[1] / "docs" / "demo.svg"
COLUMNS: Final = 92
SHOWN: Final = (
    "A new client",
    "Fifty webhooks in a second",
    "The books know this client already",
    "Recras is down",
    "Lost answers",
    "Pull the plug",
    "What it means for you",
)
"""The chapters of the picture; more of them are more than somebody waits for."""

SECONDS: Final = 5.0
LAST_SECONDS: Final = 8.0
ADDRESS: Final = "http://127.0.0.1:8080/"
"""In place of the port that the run had by chance."""

# As rich lays its characters out: a cell's width and a row's height in the picture's units.
FONT_SIZE: Final = 20.0
CELL: Final = FONT_SIZE * 0.61
ROW: Final = FONT_SIZE * 1.22
MARGIN: Final = 16.0
BAR: Final = 36.0

_FORMAT: Final = "{styles}\0{backgrounds}\0{matrix}"
_FONTS: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Scene:
    """A chapter as it looked at its end."""

    title: str
    content: RenderableType


class Recorder(Screen):
    """A screen of the demo that keeps each chapter as a scene."""

    def __init__(self) -> None:
        super().__init__(0, console=SafeConsole(file=io.StringIO(), width=COLUMNS, height=50, force_terminal=True))
        self.scenes: list[Scene] = []
        self._chapter = ""
        self._content: list[RenderableType] = []

    @override
    def chapter(self, number: int, title: str, text: str) -> None:
        self.end_scene()
        self._chapter = title
        super().chapter(number, title, text)

    @override
    def _print(self, what: RenderableType) -> None:
        super()._print(what)
        self._content.append(what)

    def end_scene(self) -> None:
        """The chapter is over."""
        self.flush()
        board = copy.copy(self.board)
        board.address = ADDRESS
        if self._chapter in SHOWN:
            # Without the empty row above the title.
            self.scenes.append(Scene(self._chapter, Group(*self._content[1:], board)))
        self._content = []


def picture(scenes: Sequence[Scene]) -> str:
    """The moving picture of these scenes, one after the other, for ever."""
    drawn = [_drawn(scene, f"s{number}") for number, scene in enumerate(scenes)]
    rows = max(rows for _, _, rows in drawn)
    width, height = 2 * MARGIN + COLUMNS * CELL, BAR + 2 * MARGIN + rows * ROW
    total = SECONDS * (len(scenes) - 1) + LAST_SECONDS
    styles, groups = [], []
    for number, (style, body, _rows) in enumerate(drawn):
        last = number == len(drawn) - 1
        begin, end = (100 * SECONDS * place / total for place in (number, number + 1))
        steps = f"0%, {begin:.3f}% {{opacity: 0}} {begin + 0.001:.3f}%, {end:.3f}% {{opacity: 1}}"
        rest = "" if last else f" {end + 0.001:.3f}%, 100% {{opacity: 0}}"
        if number == 0:
            steps = f"0%, {end:.3f}% {{opacity: 1}}"
        if last:
            steps = f"0%, {begin:.3f}% {{opacity: 0}} {begin + 0.001:.3f}%, 100% {{opacity: 1}}"
        styles.append(f"{style}\n@keyframes k{number} {{{steps}{rest}}}")
        styles.append(f"#s{number} {{opacity: {int(last)}; animation: k{number} {total:g}s step-end infinite}}")
        groups.append(f'<g id="s{number}">\n<title>{escape(scenes[number].title)}</title>\n{body}\n</g>')
    newline = "\n"
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="t">
<title id="t">contactsync demo: {escape(", ".join(scene.title for scene in scenes))}</title>
<style>
text {{font: {FONT_SIZE:g}px {_FONTS}; white-space: pre}}
{newline.join(styles)}
@media (prefers-reduced-motion: reduce) {{g[id] {{animation: none !important}}}}
</style>
<rect width="100%" height="100%" rx="10" fill="{SVG_EXPORT_THEME.background_color.hex}"/>
<g fill="#5c6370"><circle cx="24" cy="22" r="7"/><circle cx="46" cy="22" r="7"/><circle cx="68" cy="22" r="7"/></g>
<text x="{width / 2:.0f}" y="29" text-anchor="middle" fill="#c5c8c6">make demo</text>
{newline.join(groups)}
</svg>
"""


def _drawn(scene: Scene, name: str) -> tuple[str, str, int]:
    """A scene's styles, its backgrounds and texts, and how many rows it has."""
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor")
    console.print(scene.content)
    rows = len(console.export_text(clear=False).splitlines())
    exported = console.export_svg(theme=SVG_EXPORT_THEME, code_format=_FORMAT, unique_id=name)
    styles, backgrounds, matrix = exported.split("\0")
    matrix = re.sub(r' clip-path="[^"]*"', "", matrix).replace("&#160;", " ")
    matrix = re.sub(r"<text[^>]*>\s*</text>", "", matrix)
    body = f'<g transform="translate({MARGIN:g}, {BAR + MARGIN:g})">{backgrounds}{matrix}</g>'
    body = re.sub(r"(</text>|/>)\s*", "\\1\n", body)
    return "\n".join(line.strip() for line in styles.splitlines() if line.strip()), body, rows


def main() -> int:
    """Run the demo, write the picture; the demo's status."""
    screen = Recorder()
    with tempfile.TemporaryDirectory(prefix="contactsync-") as folder:
        status = show(screen, Path(folder) / "home", leave=True)
    screen.end_scene()
    missing = sorted(set(SHOWN) - {scene.title for scene in screen.scenes})
    if status or missing:
        print("\n".join(screen.problems or [f"not told: {', '.join(missing)}"]), file=sys.stderr)
        return status or 1
    PICTURE.write_text(picture(screen.scenes), encoding="utf-8")
    print(f"{PICTURE.name}: {len(screen.scenes)} scenes, {PICTURE.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
