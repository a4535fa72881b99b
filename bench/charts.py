"""Charts as SVG, written out by hand: bars of one section's figures, with the target as a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from bench.report import Figure, Section

WIDTH: Final = 760
LABEL: Final = 330
BAR: Final = 22
ROW: Final = 34
FONT: Final = "font-family='system-ui, sans-serif' font-size='13'"
COLOURS: Final = {True: "#2f7d4f", False: "#b3412e", None: "#4a6fa5"}


def draw(sections: Sequence[Section], folder: Path) -> list[Path]:
    """One file a section and unit, `<bench>-<unit>.svg`; a section that is void has none."""
    written: list[Path] = []
    for section in sections:
        if section.void:
            continue
        for unit in dict.fromkeys(figure.unit for figure in section.figures):
            figures = [one for one in section.figures if one.unit == unit and one.value is not None]
            if len(figures) < 2:
                continue
            words = {"/s": "rate", "x": "ratio", "%": "share"}.get(
                unit, re.sub(r"[^A-Za-z0-9%]+", "-", unit).strip("-")
            )
            path = folder / f"{section.name}-{words}.svg"
            path.write_text(chart(f"{section.name}, {unit}", figures), encoding="utf-8")
            written.append(path)
    return written


def chart(title: str, figures: Sequence[Figure]) -> str:
    """Horizontal bars from nought, one a figure, each with its value; a target is a dark line across its bar."""
    most = max(max(figure.value or 0, figure.target or 0) for figure in figures) or 1
    scale = (WIDTH - LABEL - 110) / most
    height = 40 + ROW * len(figures)
    parts = [
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' role='img' "
            f"aria-label='{escape(title, quote=True)}' {FONT}>"
        ),
        "<rect width='100%' height='100%' fill='#ffffff'/>",
        f"<text x='10' y='22' font-weight='600' fill='#222222'>{escape(title)}</text>",
    ]
    for number, figure in enumerate(figures):
        parts += _bar(figure, 36 + ROW * number, scale)
    return "\n".join([*parts, "</svg>", ""])


def _bar(figure: Figure, top: int, scale: float) -> list[str]:
    value = figure.value or 0.0
    length = max(1.0, value * scale)
    middle = top + BAR * 0.7
    parts = [
        f"<text x='{LABEL - 8}' y='{middle:.0f}' text-anchor='end' fill='#222222'>{escape(figure.name)}</text>",
        f"<rect x='{LABEL}' y='{top}' width='{length:.1f}' height='{BAR}' fill='{COLOURS[figure.met]}'/>",
    ]
    right = LABEL + length
    if figure.target is not None:
        mark = LABEL + figure.target * scale
        parts.append(f"<line x1='{mark:.1f}' x2='{mark:.1f}' y1='{top - 3}' y2='{top + BAR + 3}' stroke='#111111' "
                     "stroke-width='2'/>")  # fmt: skip
        right = max(right, mark)
    parts.append(f"<text x='{right + 6:.1f}' y='{middle:.0f}' fill='#222222'>{value:,.4g} {figure.unit}</text>")
    return parts
