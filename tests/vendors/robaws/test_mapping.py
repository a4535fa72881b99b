"""A client of Robaws in canonical form, and back into what Robaws can be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core import contact as canonical
from worker.errors import VendorBroken
from worker.vendors.robaws.mapping import (
    CREATING,
    MAPPING,
    PERSON_ROWS,
    PERSONS,
    ROWS,
    Options,
    body_of,
    extra_field,
    extra_patch,
    holds,
    to_canonical,
)

FIXTURES = Path(__file__).parent / "fixtures"


def stored(**changed: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((FIXTURES / "client_with_contacts.json").read_text())
    return record | changed


def test_the_sheet_s_client_becomes_a_canonical_contact() -> None:
    contact = to_canonical(stored())

    assert {path: value for path, value in canonical.leaves(contact) if value not in (None, [])} == {
        "kind": "organisation",
        "name": "Dakwerken De Linde",
        "vat_number": "BE0000000097",
        "email": "info@delinde.example",
        "invoice_email": "facturen@delinde.example",
        "phone": "+32 9 000 00 00",
        "website": "https://delinde.example",
        "address.line1": "Kerkstraat 12",
        "address.postal_code": "9000",
        "address.city": "Gent",
        "address.country": "BE",
        "language": "nl",
        "currency": "EUR",
        "status": "klant",
        "references.robaws_id": "1834",
        "references.customer_number": "20417",
        "persons": [
            {
                "key": "5521",
                "main": False,
                "first_name": "An",
                "last_name": "Peeters",
                "title": None,
                "function": "Zaakvoerder",
                "email": "an@delinde.example",
                "phone": None,
                "mobile": "+32 470 00 00 00",
            }
        ],
    }


def test_every_canonical_path_is_present_and_every_row_has_its_source() -> None:
    contact = to_canonical({"id": "1834"})

    for path, _ in canonical.leaves(contact):
        assert canonical.get(contact, path) in (None, [], "1834", "organisation")
    assert all("Robaws sheet 9" in row.source and "https://" in row.source for row in (*ROWS, *PERSON_ROWS))
    assert all(row.direction == "in" for row in ROWS)


def test_the_settings_say_how_many_days_a_payment_condition_stands_for() -> None:
    options = Options(payment_terms={"3": 30, "4": 0})

    days = [
        to_canonical(stored(paymentConditionId=given), options)["payment_term_days"] for given in ("3", 4, "5", None)
    ]

    assert days == [30, 0, None, None]
    assert to_canonical(stored())["payment_term_days"] is None


def test_an_invoice_address_is_read_like_an_address() -> None:
    contact = to_canonical(stored(invoiceAddress={"addressLine1": "Postbus 4", "city": "Genk", "latitude": 50.9}))

    assert contact["invoice_address"] == {
        "line1": "Postbus 4",
        "line2": None,
        "postal_code": None,
        "city": "Genk",
        "country": None,
    }


def test_a_number_where_text_belongs_becomes_its_digits() -> None:
    contact = to_canonical(stored(tel=3290000000, logicId=20417, address={"postalCode": 9000.0, "city": "Gent"}))

    assert contact["phone"] == "3290000000"
    assert contact["references"]["customer_number"] == "20417"
    assert contact["address"]["postal_code"] == "9000"


def test_blank_text_is_no_value() -> None:
    contact = to_canonical(stored(email="  ", website="", tel=" +32 9 000 00 00 "))

    assert (contact["email"], contact["website"], contact["phone"]) == (None, None, "+32 9 000 00 00")


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ["x"]},
        {"name": {"nl": "x"}},
        {"email": False},
        {"address": []},
        {"address": "Kerkstraat 12"},
        {"address": {"city": ["Gent"]}},
        {"invoiceAddress": 7},
        {"contacts": {}},
        {"contacts": "An"},
        {"contacts": [None]},
        {"contacts": [{"name": "An"}]},
        {"contacts": [{"id": "1", "name": ["An"]}]},
        {"extraFields": [{"name": "Klanttype"}]},
    ],
)
def test_a_value_of_a_wrong_kind_is_vendor_trouble_and_never_a_guess(changed: dict[str, Any]) -> None:
    with pytest.raises(VendorBroken):
        to_canonical(stored(**changed))


def test_persons_come_by_id_whatever_order_the_answer_has() -> None:
    people = [{"id": "10", "name": "C"}, {"id": "9", "name": "B"}, {"id": 8, "name": "A"}]

    one = to_canonical(stored(contacts=people))["persons"]
    other = to_canonical(stored(contacts=people[::-1]))["persons"]

    assert [person["first_name"] for person in one] == ["A", "B", "C"]
    assert one == other


def test_the_person_that_robaws_marks_is_the_main_one_and_only_one_is() -> None:
    people: list[dict[str, Any]] = [{"id": "1", "name": "A"}, {"id": "2", "name": "B", "isPrimary": True}]

    marked = to_canonical(stored(contacts=people))
    twice = to_canonical(stored(contacts=[*people, {"id": "3", "name": "C", "isPrimary": True}]))
    unmarked = to_canonical(stored(contacts=[{**person, "isPrimary": False} for person in people]))

    assert [person["main"] for person in marked["persons"]] == [False, True]
    assert [person["main"] for person in twice["persons"]] == [False, True, False]
    assert (canonical.main_person(marked) or {})["first_name"] == "B"
    assert (canonical.main_person(unmarked) or {})["first_name"] == "A"


def test_who_receives_the_invoices_is_known_where_robaws_marks_it() -> None:
    people: list[dict[str, Any]] = [{"id": "1", "name": "A", "receivesInvoices": False}, {"id": "2", "name": "B"}]

    plain = to_canonical(stored(contacts=people))["persons"]
    marked = to_canonical(stored(contacts=[people[0], {**people[1], "receivesInvoices": True}]))["persons"]

    assert all("invoices" not in person for person in plain)
    assert [person.get("invoices") for person in marked] == [None, True]


def test_no_contacts_at_all_is_no_persons() -> None:
    assert to_canonical(stored(contacts=None))["persons"] == []
    assert to_canonical(stored(contacts=[]))["persons"] == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"status": "Particulier "}, "person"),
        ({"status": "klant"}, "organisation"),
        ({"status": None}, "organisation"),
        ({"extraFields": {"Klanttype": {"type": "SELECT", "stringValue": "particulier"}}}, "person"),
        ({"extraFields": {"Klanttype": {"type": "SELECT", "stringValue": "Aannemer"}}}, "organisation"),
        ({"extraFields": {"Is_privé": {"type": "CHECKBOX", "booleanValue": True}}}, "person"),
        ({"extraFields": {"Is privé": {"type": "CHECKBOX", "numberValue": 1}}}, "person"),
        ({"extraFields": {"Is privé": {"type": "CHECKBOX", "numberValue": 0}}}, "organisation"),
        ({"extraFields": None}, "organisation"),
    ],
)
def test_the_settings_say_which_clients_are_persons(changed: dict[str, Any], kind: str) -> None:
    options = Options(("particulier",), {"Klanttype": ("Particulier",), "Is privé": ("true",)})

    assert to_canonical(stored(**changed), options)["kind"] == kind


def test_our_own_write_back_changes_nothing_in_the_contact() -> None:
    options = Options(write_back=frozenset({"Recras-id"}), person_kinds={"Recras-id": ("71",)})
    before = stored()
    after = stored()
    after["extraFields"]["Recras-id"] = {"type": "TEXT", "stringValue": "71"}

    assert to_canonical(after, options) == to_canonical(before, options)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"type": "TEXT", "stringValue": "x"}, "x"),
        ({"type": "DATE", "dateValue": "2025-03-03"}, "2025-03-03"),
        ({"decimalValue": 2.5}, 2.5),
        ({"integerValue": 3}, 3),
        ({"type": "CHECKBOX", "booleanValue": False}, False),
        ({"type": "CHECKBOX", "numberValue": 1}, True),
        ({"numberValue": 7}, 7),
        ({"stringValue": None}, None),
        ({"stringValue": ["x"]}, None),
        ({}, None),
        (None, None),
        ("x", None),
    ],
)
def test_an_extra_field_is_read_from_the_member_that_is_filled(entry: Any, value: Any) -> None:
    held = extra_field({"extraFields": {"Veld": entry}}, "Veld")

    assert held == value
    assert type(held) is type(value)


def test_an_extra_field_s_name_may_differ_in_blank_versus_underscore() -> None:
    raw = {"extraFields": {"Aantal_vestigingen": {"integerValue": 3}}}

    assert extra_field(raw, "Aantal vestigingen") == 3
    assert extra_field(raw, "Aantal") is None


def test_a_write_back_is_a_merge_patch_of_that_field_alone() -> None:
    assert extra_patch({"Rompslomp-id": "12"}) == {"extraFields": {"Rompslomp-id": {"stringValue": "12"}}}
    assert extra_patch({"Rompslomp-id": None}) == {"extraFields": {"Rompslomp-id": None}}


def test_whether_a_record_holds_what_was_written_back() -> None:
    raw = {"extraFields": {"Rompslomp-id": {"stringValue": "12"}, "Recras-id": {"integerValue": 71}}}

    assert holds(raw, "Rompslomp-id", "12")
    assert holds(raw, "Recras-id", "71")
    assert holds(raw, "Workspace-id", None)
    assert not holds(raw, "Rompslomp-id", "13")
    assert not holds(raw, "Rompslomp-id", None)
    assert not holds(raw, "Workspace-id", "5")


def test_what_can_be_written_is_everything_but_ids_and_the_tenant_s_own_status() -> None:
    contact = to_canonical(stored())

    ours = CREATING.outward(contact)

    assert body_of(ours.fields) == {
        "name": "Dakwerken De Linde",
        "email": "info@delinde.example",
        "invoiceEmail": "facturen@delinde.example",
        "tel": "+32 9 000 00 00",
        "website": "https://delinde.example",
        "vatIdNumber": "BE0000000097",
        "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
        "language": "nl",
        "currency": "EUR",
    }


def test_the_source_s_table_writes_nothing() -> None:
    assert MAPPING.outward(to_canonical(stored())).fields == {}


def test_our_persons_in_robaws_s_members_begin_with_the_main_one() -> None:
    people = [{"id": "1", "name": "An", "surname": "Peeters"}, {"id": "2", "name": "Bo", "isPrimary": True}]

    first, second = PERSONS.build(to_canonical(stored(contacts=people)))

    assert (first.key, first.main, first.fields["name"]) == ("2", True, "Bo")
    assert (second.key, second.main, PERSONS.name(second.fields)) == ("1", False, "An Peeters")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = (
    "id",
    "name",
    "email",
    "tel",
    "address",
    "invoiceAddress",
    "contacts",
    "extraFields",
    "status",
    "vatIdNumber",
)


@given(changed=st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES))
def test_whatever_robaws_answers_the_result_is_a_contact_or_vendor_trouble(changed: dict[str, Any]) -> None:
    try:
        contact = to_canonical(stored(**changed), Options(("x",), {"Klanttype": ("y",)}))
    except VendorBroken:
        return

    for path, value in canonical.leaves(contact):
        assert isinstance(value, list if path == "persons" else str | None)
