"""
Puts the newest figures of every bench into `docs/benchmarks.md`, and their charts beside it.

    python -m bench.page

Reads `bench/results/*.json`. What stands between the two marks of the page is replaced, the rest is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from bench import charts
from bench.__main__ import BENCHES
from bench.report import RESULTS, Figure, Section

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
CHARTS: Final = PAGE.parent / "charts"
BEGIN: Final = "<!-- figures: written by python -m bench.page -->\n"
END: Final = "<!-- end of figures -->\n"
DRAWN: Final = ("accept-rate.svg", "growth-ratio.svg", "throughput-share.svg", "scaleout-changes-s.svg")


def main() -> None:
    """Write the page and the charts."""
    newest: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for file in sorted(RESULTS.glob("*.json")):
        document = json.loads(file.read_text())
        for section in document.get("sections", []):
            if not section["void"] and section["figures"]:
                newest[section["name"]] = (document, section)
    lines: list[str] = []
    sections: list[Section] = []
    for name in BENCHES:
        if name in newest:
            document, section = newest[name]
            figures = [Figure(**{**one, "runs": tuple(one["runs"])}) for one in section["figures"]]
            sections.append(Section(name, figures))
            lines += _table(name, document, figures)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after, encoding="utf-8")
    CHARTS.mkdir(exist_ok=True)
    for chart in charts.draw(sections, CHARTS):
        if chart.name not in DRAWN:
            chart.unlink()


def _table(name: str, document: dict[str, Any], figures: list[Figure]) -> list[str]:
    load = f"load {document['load']:.1f}" if "load" in document else "load not noted"
    noise = f"noise {document['noise']:.0%}, {load}, {document['machine']['cores']} cores"
    lines = ["", f"### {name}", "", f"{document['at']}; {noise}.", "", "| figure | value | target | met |"]
    lines.append("| --- | ---: | ---: | --- |")
    for figure in figures:
        sign = "≥" if figure.better == "higher" else "≤"
        target = "" if figure.target is None else f"{sign} {figure.target:g}"
        met = {True: "yes", False: "**no**", None: ""}[figure.met]
        words = f"{figure.name} ({figure.note})" if figure.note else figure.name
        lines.append(f"| {words} | {_value(figure)} | {target} | {met} |")
    return lines


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "none"
    return f"{figure.value:,.0f} {figure.unit}" if figure.value >= 1_000 else f"{figure.value:,.4g} {figure.unit}"


if __name__ == "__main__":
    main()
