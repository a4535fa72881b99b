"""docs/fields/<system>.md, made from the vendors' tables by `python -m worker.vendors.pages`; a test compares them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from worker.core import contact as canonical
from worker.core.field_page import PageRow, field_page
from worker.core.mapping import VendorMapping
from worker.vendors.tables import tables

FOLDER: Final = Path("docs/fields")

TITLES: Final = {
    "robaws": "Robaws",
    "rompslomp": "Rompslomp",
    "recras": "Recras",
    "workspace": "Workspace",
    "routix": "Routix",
}

INTRODUCTION: Final = """\
# {title}, member by member

This page is made from the table that the program works by (`python -m worker.vendors.pages`; version `{version}`, with
the defaults of the [settings](../settings.md)); a test compares the two. What it means for you stands on the page
[{title}](../vendors/{system}.md).
"""

WRITTEN: Final = """\
## Written

*Owner* is who decides after the create, by default; `systems.{system}.fields` may say another by the name in the column
*field* ([connecting](../connecting.md#who-owns-what)). *Data* is the class of personal data: `contact` (addresses,
phones), `identity` (names of people), `business` (facts about a company, which may be one person) or `none`. A
[viewer](../api.md#who-may) sees only ids, codes and flags of the class `none`.
"""

READ: Final = """\
## Read

A client is made of these.
"""

THEIRS: Final = """\
## Left to the system

These belong to the system. Where something is written to one all the same, it stands beside it.
"""

NOT_HELD: Final = """\
## What has no place there

`contactsync contacts show ID` lists, for one client, what it has of these.
"""


def pages() -> dict[str, str]:
    """The text of each page, by system."""
    return {system: page(mapping) for system, mapping in tables().items()}


def page(mapping: VendorMapping) -> str:
    """One system's page as Markdown."""
    names = {"title": TITLES[mapping.system], "system": mapping.system, "version": mapping.version}
    rows = field_page(mapping)
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    written = [row for row in rows if row.direction == "written" and not row.person]
    read = [row for row in rows if row.direction == "read" and not row.person]
    persons = [row for row in rows if row.person]
    parts = [INTRODUCTION.format(**names)]
    if written:
        parts += [WRITTEN.format(**names), _written_table(written, sources)]
    if read:
        parts += [THEIRS, _theirs_table(read, sources)] if written else [READ, _read_table(read, sources)]
    if persons:
        table = _written_table if any(row.direction == "written" for row in persons) else _read_table
        parts += ["## Contact persons\n", table(persons, sources)]
    if mapping.not_held:
        lost = [(_field(path), text) for path, text in mapping.not_held.items()]
        title = "## What is not known of a client\n" if not written else NOT_HELD
        parts += [title, _table(("field", "what becomes of it" if written else "why"), lost)]
    parts += ["## Sources\n", "\n".join(f"{at}. {source}" for at, source in enumerate(sources, 1)) + "\n"]
    return "\n".join(parts)


def _written_table(rows: Iterable[PageRow], sources: Sequence[str]) -> str:
    head = (
        "member",
        "is",
        "field",
        "owner",
        "data",
        "limits",
        "where it is missing",
        "when it is emptied",
        "remark",
        "source",
    )
    return _table(
        head,
        [
            (
                f"`{row.member}`",
                row.label,
                _field(row.path),
                row.owner,
                row.personal,
                row.limits,
                row.missing,
                row.emptied or "never written",
                row.remark,
                _source(row, sources),
            )
            for row in rows
        ],
    )


def _read_table(rows: Iterable[PageRow], sources: Sequence[str]) -> str:
    return _table(
        ("member", "is", "field", "data", "remark", "source"),
        [
            (f"`{row.member}`", row.label, _field(row.path), row.personal, row.remark, _source(row, sources))
            for row in rows
        ],
    )


def _theirs_table(rows: Iterable[PageRow], sources: Sequence[str]) -> str:
    return _table(("member", "remark", "source"), [(f"`{r.member}`", r.remark, _source(r, sources)) for r in rows])


def _field(path: str) -> str:
    """A path as code where the settings may name it."""
    return f"`{path}`" if path in canonical.BY_PATH else path


def _source(row: PageRow, sources: Sequence[str]) -> str:
    return str(sources.index(row.source) + 1) if row.source else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') or '–' for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main(folder: Path = FOLDER) -> None:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for system, text in pages().items():
        (folder / f"{system}.md").write_text(text)
        sys.stdout.write(f"{folder / system}.md\n")


if __name__ == "__main__":
    main()
