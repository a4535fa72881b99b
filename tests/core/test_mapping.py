"""A mapping is a table: what a system should hold for a contact, who owns it, and what has no place there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from worker.core import contact as canonical
from worker.core.mapping import FieldRow, OurPerson, Ours, PersonTable, VendorMapping
from worker.vendors import pages
from worker.vendors.tables import tables

PERSONS = PersonTable(
    (FieldRow("first_name", "voornaam"),),
    build=lambda contact: [
        OurPerson(person["key"], False, {"voornaam": person["first_name"]}) for person in contact["persons"]
    ],
    email=lambda _: None,
    name=lambda _: None,
    owner="review",
    source="sheet 5",
)


def table(*rows: FieldRow, **more: Any) -> VendorMapping:
    return VendorMapping("sandbox", "1", rows, inward=lambda fields: fields, **more)


def ours(row: FieldRow, **values: Any) -> Ours:
    return table(row).outward(contact(**values))


def contact(**values: Any) -> dict[str, Any]:
    return canonical.build({path.replace("__", "."): value for path, value in values.items()})


# ------------------------------------------------------------------------------------------------------------ values
@pytest.mark.parametrize(
    ("row", "values", "value"),
    [
        pytest.param(FieldRow("name", "f"), {"name": "De Linde"}, "De Linde", id="the path itself"),
        pytest.param(FieldRow("name", "f"), {}, None, id="nothing"),
        pytest.param(
            FieldRow("phone", "f", sources=("phone", "mobile")),
            {"phone": "1", "mobile": "2"},
            "1",
            id="the first of two",
        ),
        pytest.param(FieldRow("phone", "f", sources=("phone", "mobile")), {"mobile": "2"}, "2", id="the second of two"),
        pytest.param(
            FieldRow("phone", "f", sources=("mobile",)), {"phone": "1"}, None, id="sources stand for the path itself"
        ),
        pytest.param(
            FieldRow("address.line1", "f", sources=("address.line1", "address.line2"), compose="lines"),
            {"address__line1": "Kerkstraat 12", "address__line2": "bus 3"},
            "Kerkstraat 12, bus 3",
            id="lines",
        ),
        pytest.param(
            FieldRow("address.line1", "f", sources=("address.line1", "address.line2"), compose="lines"),
            {"address__line2": "bus 3"},
            "bus 3",
            id="one line of two",
        ),
        pytest.param(
            FieldRow("kind", "f", compose="custom", outward=lambda one: one["kind"] == "person"),
            {"kind": "organisation"},
            False,
            id="a function",
        ),
        pytest.param(FieldRow("payment_term_days", "f", "integer_text"), {"payment_term_days": 0}, 0, id="nought"),
    ],
)
def test_the_value_of_a_field(row: FieldRow, values: dict[str, Any], value: Any) -> None:
    assert row.value(contact(**values)) == value
    assert ours(row, **values).fields == {"f": value}


@pytest.mark.parametrize(
    ("normaliser", "one", "other", "same"),
    [
        ("text", 14, "14", True),
        ("text", " De  Linde", "De Linde", True),
        ("text", "De Linde", "de linde", False),
        ("text", None, "", True),
        ("text", [], None, True),
        ("boolean", True, "1", True),
        ("boolean", False, 0, True),
        ("boolean", False, None, False),
        ("integer_text", "030", 30, True),
        ("phone", "09 221 00 00", "+32 9 221 00 00", True),
        ("country", "België", "BE", True),
    ],
)
def test_two_values_are_the_same_to_a_field_by_its_normaliser(
    normaliser: str, one: Any, other: Any, same: bool
) -> None:
    row = FieldRow("name", "f", normaliser)

    assert (row.key(one) == row.key(other)) is same


# ----------------------------------------------------------------------------------------- what is missing or too much
@pytest.mark.parametrize(
    ("missing", "fields", "review", "stand_ins"),
    [
        pytest.param("review", {"f": None}, ("f",), (), id="a person is asked"),
        pytest.param(None, {"f": None}, ("f",), (), id="a person is asked where nothing is said"),
        pytest.param("placeholder:-", {"f": "-"}, (), ("f",), id="a stand-in"),
        pytest.param("placeholder:", {"f": ""}, (), ("f",), id="an empty stand-in"),
    ],
)
def test_a_required_value_that_is_missing(
    missing: str | None, fields: Mapping[str, Any], review: tuple[str, ...], stand_ins: tuple[str, ...]
) -> None:
    row = FieldRow("phone", "f", required=True, missing=missing)

    made, given = ours(row), ours(row, phone="1")

    assert (made.fields, made.missing, made.placeholders) == (fields, review, stand_ins)
    assert (given.fields, given.missing, given.placeholders) == ({"f": "1"}, (), ())


@pytest.mark.parametrize("value", [0, False, "0"])
def test_nought_and_no_are_values(value: Any) -> None:
    row = FieldRow("payment_term_days", "f", required=True, missing="placeholder:14", outward=lambda _: value)

    assert ours(row).placeholders == ()


@pytest.mark.parametrize("value", [None, "", "  ", []])
def test_blanks_are_no_value_where_one_is_required(value: Any) -> None:
    row = FieldRow("phone", "f", required=True, missing="placeholder:-", outward=lambda _: value)

    assert ours(row).fields == {"f": "-"}


def test_a_value_that_is_not_required_may_be_missing() -> None:
    made = ours(FieldRow("phone", "f", missing="placeholder:-"))

    assert (made.fields, made.missing, made.placeholders) == ({"f": None}, (), ())


@pytest.mark.parametrize(
    ("row", "value", "problem"),
    [
        pytest.param(FieldRow("name", "f", max_length=8), "De Linde", None, id="as long as fits"),
        pytest.param(
            FieldRow("name", "f", max_length=7),
            "De Linde",
            "name has 8 characters, more than the 7 that fit",
            id="longer",
        ),
        pytest.param(FieldRow("name", "f", choices=("a", "b")), "b", None, id="a choice"),
        pytest.param(FieldRow("name", "f", choices=("a", "b")), "c", "name is none of a, b", id="no choice"),
        pytest.param(FieldRow("name", "f", choices=("a", "b")), None, None, id="nothing chosen"),
        pytest.param(FieldRow("payment_term_days", "f", choices=("14",)), 14, None, id="a number that is a choice"),
    ],
)
def test_a_value_that_does_not_fit_is_a_problem_and_not_cut(row: FieldRow, value: Any, problem: str | None) -> None:
    made = ours(row, **{row.canonical: value})

    assert dict(made.problems) == ({"f": problem} if problem else {})
    assert dict(made.misfits) == ({"f": value} if problem else {})
    assert dict(made.fields) == ({} if problem else {"f": value})


@pytest.mark.parametrize(
    ("row", "text", "key"),
    [
        (FieldRow("phone", "f", "phone", required=True, missing="placeholder:-"), "-", "-"),
        (FieldRow("email", "f", "email", required=True, missing="placeholder:A@B.nl"), "A@B.nl", "a@b.nl"),
        (FieldRow("payment_term_days", "f", "integer_text", required=True, missing="placeholder:14"), "14", ""),
        (FieldRow("phone", "f", required=True, missing="review"), None, ""),
        (FieldRow("phone", "f", required=True), None, ""),
        (FieldRow("phone", "f", missing="placeholder:-"), None, ""),
    ],
    ids=["a sign", "an address", "a number that may be meant", "a person is asked", "nothing said", "not required"],
)  # fmt: skip
def test_a_text_that_only_stands_in_is_known_as_such(row: FieldRow, text: str | None, key: str) -> None:
    assert (row.stand_in, row.stand_in_key) == (text, key)


# --------------------------------------------------------------------------------------------------------- the table
def test_members_that_are_only_read_are_not_among_what_the_system_should_hold() -> None:
    made = table(FieldRow("name", "a"), FieldRow("email", "b", direction="in", required=True)).outward(contact())

    assert (made.fields, made.missing) == ({"a": None}, ())
    assert table(FieldRow("name", "a", direction="out")).outward(contact(name="x")).fields == {"a": "x"}


def test_persons_come_from_the_tables_own_way_of_making_them() -> None:
    made = table(persons=PERSONS).outward(contact(persons=[{"key": "7", "first_name": "An"}]))

    assert made.persons == (OurPerson("7", False, {"voornaam": "An"}),)
    assert table().outward(contact(persons=[{"key": "7"}])).persons == ()


@pytest.mark.parametrize(
    ("mapping", "lost"),
    [
        pytest.param(table(), {"email", "phone", "mobile", "persons", "references.routix_id"}, id="an empty table"),
        pytest.param(
            table(FieldRow("email", "a"), FieldRow("phone", "b", sources=("mobile",))),
            {"persons", "references.routix_id"},
            id="a path, and sources beside it",
        ),
        pytest.param(
            table(FieldRow("email", "a", direction="in")),
            {"email", "phone", "mobile", "persons", "references.routix_id"},
            id="what is only read has no place",
        ),
        pytest.param(table(persons=PERSONS), {"email", "phone", "mobile", "references.routix_id"}, id="persons"),
        pytest.param(
            table(also_held=("email", "phone", "mobile")), {"persons", "references.routix_id"}, id="held elsewhere"
        ),
    ],
)
def test_what_has_a_value_and_no_place(mapping: VendorMapping, lost: set[str]) -> None:
    client = contact(
        kind="organisation",
        email="info@delinde.example",
        phone="1",
        mobile="2",
        persons=[{"key": "7", "first_name": "An"}],
        references__robaws_id="1834",
        references__routix_id="9",
    )

    assert set(mapping.unheld(client)) == lost
    assert mapping.outward(client).unheld == mapping.unheld(client)


def test_settings_name_owners_by_canonical_path_and_tables_have_their_own() -> None:
    mapping = table(
        FieldRow("email", "a"),
        FieldRow("email", "b", owner="fill"),
        FieldRow("phone", "c", owner="system"),
        persons=PERSONS,
    )

    assert mapping.owners({}) == {"a": "robaws", "b": "fill", "c": "system", "persons": "review"}
    assert mapping.owners({"email": "ignore", "persons": "robaws", "name": "fill"}) == {
        "a": "ignore",
        "b": "ignore",
        "c": "system",
        "persons": "robaws",
    }
    assert "persons" not in table().owners({"persons": "robaws"})


def test_a_row_is_found_by_its_member_and_persons_by_their_name() -> None:
    mapping = table(FieldRow("email", "mail"), persons=PERSONS)

    assert mapping.row("mail").canonical == "email"
    found = mapping.row("persons")
    assert (found.canonical, found.label, found.personal, found.owner, found.source) == (
        "persons",
        "contact persons",
        "identity",
        "review",
        "sheet 5",
    )
    for mapping_without, path in ((mapping, "email"), (table(FieldRow("email", "mail")), "persons")):
        with pytest.raises(KeyError):
            mapping_without.row(path)


@pytest.mark.parametrize(
    ("path", "label", "personal"),
    [
        ("address.city", "city", "contact"),
        ("vat_number", "VAT number", "business"),
        ("soort_klant", "soort_klant", "none"),
    ],
)
def test_a_row_has_the_label_and_the_class_of_its_path(path: str, label: str, personal: str) -> None:
    row = FieldRow(path, "f")

    assert (row.label, row.personal) == (label, personal)


# -------------------------------------------------------------------------------------------------- mistakes in tables
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: FieldRow("name", "f", "txt"), id="a normaliser that does not exist"),
        pytest.param(lambda: FieldRow("name", "f", required=True, missing="-"), id="a stand-in without its word"),
        pytest.param(lambda: table(FieldRow("name", "f"), FieldRow("email", "f")), id="two rows for one member"),
    ],
)
def test_a_mistake_in_a_table_is_found_when_it_is_made(made: Any) -> None:
    with pytest.raises(ValueError, match="f"):
        made()


@pytest.mark.parametrize("system", ["robaws", "rompslomp", "recras", "workspace"])
def test_a_table_has_every_canonical_field_or_says_what_becomes_of_it(system: str) -> None:
    mapping = tables()[system]

    said = {path for row in mapping.rows for path in (row.canonical, *row.sources)}
    said |= {*mapping.not_held, *mapping.also_held, "kind", "references.robaws_id"}
    said |= {"persons"} if mapping.persons else set()
    assert set(canonical.BY_PATH) - said == set()


@pytest.mark.parametrize("system", pages.TITLES)
def test_every_row_of_a_system_says_where_it_is_known_from(system: str) -> None:
    mapping = tables()[system]

    assert all(row.source for row in (*mapping.rows, *(mapping.persons.rows if mapping.persons else ())))
    assert mapping.version.startswith(system)
