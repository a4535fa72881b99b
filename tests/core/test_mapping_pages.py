"""What a page says of each field, and that the pages say what the tables do."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.core.field_page import field_page
from worker.core.mapping import FieldRow, PersonTable, VendorMapping
from worker.vendors import pages
from worker.vendors.tables import tables

FOLDER = Path(__file__).parents[2] / pages.FOLDER

ROWS = {
    "plain": FieldRow("address.city", "city", max_length=40, source="sheet 1"),
    "empty": FieldRow("website", "web", null_rule="empty", owner="fill", lossy="with https://"),
    "sticky": FieldRow("name", "title", null_rule="never"),
    "stand-in": FieldRow("phone", "tel", required=True, missing="placeholder:-"),
    "asked": FieldRow("email", "mail", required=True, missing="review"),
    "of some": FieldRow("legal_name", "legal", required=True, required_of=lambda contact: bool(contact["kind"])),
    "once": FieldRow("references.robaws_id", "number", write="create", choices=("1", "2"), max_length=3),
    "switch": FieldRow("kind", "person", "boolean", max_length=255),
    "theirs": FieldRow("fax", "fax", direction="in", owner="system"),
}
PERSONS = PersonTable(
    (FieldRow("first_name", "voornaam"), FieldRow("gender", "geslacht", direction="in")),
    build=lambda _: (),
    email=lambda _: None,
    name=lambda _: None,
)
TABLE = VendorMapping("sandbox", "1", tuple(ROWS.values()), inward=dict, persons=PERSONS)


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("plain", "label", "city"),
        ("plain", "path", "address.city"),
        ("plain", "direction", "written"),
        ("plain", "owner", "robaws"),
        ("plain", "emptied", "emptied there"),
        ("plain", "limits", "40 characters"),
        ("plain", "missing", ""),
        ("plain", "personal", "contact"),
        ("plain", "source", "sheet 1"),
        ("empty", "owner", "fill"),
        ("empty", "emptied", "emptied there, with an empty text"),
        ("empty", "remark", "with https://"),
        ("sticky", "emptied", "the value stays there"),
        ("stand-in", "emptied", "a stand-in takes its place"),
        ("stand-in", "missing", "`-` stands in"),
        ("asked", "emptied", "a person is asked"),
        ("asked", "missing", "a person is asked"),
        ("of some", "emptied", "emptied there; where it is required, a person is asked"),
        ("of some", "missing", "where it is required, a person is asked"),
        ("once", "owner", ""),
        ("once", "emptied", "given at the create, and never changed"),
        ("once", "limits", "3 characters; one of 1, 2"),
        ("switch", "limits", ""),
        ("theirs", "direction", "read"),
        ("theirs", "owner", ""),
        ("theirs", "emptied", ""),
        ("theirs", "label", ""),
        ("theirs", "path", ""),
        ("theirs", "personal", "none"),
    ],
)
def test_what_is_said_of_a_field(kind: str, member: str, value: str) -> None:
    said = dict(zip(ROWS, field_page(TABLE), strict=False))[kind]

    assert getattr(said, member) == value


def test_contact_persons_come_last_with_their_own_labels() -> None:
    first, gender = field_page(TABLE)[-2:]

    assert (first.person, first.label, first.personal, first.direction) == (True, "first name", "identity", "written")
    assert (gender.person, gender.label, gender.direction) == (True, "", "read")
    assert not field_page(TABLE)[0].person


@pytest.mark.parametrize("system", pages.TITLES)
def test_the_page_of_a_system_is_made_from_its_table(system: str) -> None:
    text = (FOLDER / f"{system}.md").read_text()

    assert text == pages.pages()[system], "run: python -m worker.vendors.pages"


@pytest.mark.parametrize("system", pages.TITLES)
def test_every_member_and_every_field_without_a_place_stands_on_the_page(system: str) -> None:
    mapping, text = tables()[system], pages.pages()[system]

    members = [row.vendor for row in (*mapping.rows, *(mapping.persons.rows if mapping.persons else ()))]
    assert [member for member in members if f"| `{member}` |" not in text] == []
    assert [path for path in mapping.not_held if path not in text] == []


def test_there_is_a_page_for_each_system_and_no_other() -> None:
    assert {page.stem for page in FOLDER.glob("*.md")} == set(pages.TITLES)


def test_a_bar_in_a_remark_does_not_break_the_table() -> None:
    table = VendorMapping("recras", "1", (FieldRow("name", "naam", lossy="a|b"),), inward=dict)

    assert "| a/b |" in pages.page(table)
