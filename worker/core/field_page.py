"""
What a page of the documentation says of each field of a system: a mapping's table as plain data, without its layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.core import contact as canonical
from worker.core.mapping import FieldRow, VendorMapping

if TYPE_CHECKING:
    from worker.core.contact import PersonalData


@dataclass(frozen=True)
class PageRow:
    """
    One member of a system's record, in words. `person`: of a contact person, not of the record itself.

    `direction` is `read` or `written`, `owner` who decides after the create; `emptied` tells what becomes of it when it
    is emptied here, `missing` what happens where it is required and there is nothing here. An empty text: nothing to be
    said.
    """

    member: str
    label: str
    path: str
    person: bool
    direction: str
    owner: str
    emptied: str
    limits: str
    missing: str
    personal: PersonalData
    remark: str
    source: str


def field_page(mapping: VendorMapping) -> list[PageRow]:
    """Every row of a table in its order, those of contact persons at the end."""
    persons = mapping.persons.rows if mapping.persons else ()
    return [_page_row(row, person=False) for row in mapping.rows] + [_page_row(row, person=True) for row in persons]


def _page_row(row: FieldRow, *, person: bool) -> PageRow:
    known = _PERSON.get(row.canonical) if person else canonical.BY_PATH.get(row.canonical)
    written = row.direction != "in"
    return PageRow(
        member=row.vendor,
        label=known.label if known else "",
        path=row.canonical if known else "",
        person=person,
        direction="written" if written else "read",
        owner=row.owner if written and row.write == "always" else "",
        emptied=_emptied(row) if written else "",
        limits=_limits(row),
        missing=_missing(row) if written else "",
        personal=known.personal if known else "none",
        remark=row.lossy,
        source=row.source,
    )


_PERSON = {field.path: field for field in canonical.PERSON_FIELDS}


def _emptied(row: FieldRow) -> str:
    if row.write == "create":
        return "given at the create, and never changed"
    if row.null_rule == "never":
        return "the value stays there"
    if row.required_of is not None:
        return "emptied there; where it is required, a person is asked"
    if row.required:
        return "a stand-in takes its place" if row.stand_in is not None else "a person is asked"
    return "emptied there" if row.null_rule == "null" else "emptied there, with an empty text"


def _limits(row: FieldRow) -> str:
    limits = []
    if row.max_length is not None and row.normaliser != "boolean":
        limits.append(f"{row.max_length} characters")
    if row.choices:
        limits.append(f"one of {', '.join(row.choices)}")
    return "; ".join(limits)


def _missing(row: FieldRow) -> str:
    if not row.required:
        return ""
    if row.required_of is not None:
        return "where it is required, a person is asked"
    return "a person is asked" if row.stand_in is None else f"`{row.stand_in}` stands in"
