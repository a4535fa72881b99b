"""An account of Routix in canonical form, and what an account should say for a contact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core import contact as canonical
from worker.errors import VendorBroken
from worker.vendors.routix.calls import FINANCIAL_MEMBERS
from worker.vendors.routix.mapping import (
    KEPT_MEMBERS,
    MAPPINGS,
    ROWS_V2,
    expected,
    join_line,
    split_line,
    to_canonical,
)
from worker.vendors.routix.simulator_rules import V2_MEMBERS

FIXTURES = Path(__file__).parent / "fixtures"


def stored(version: str = "v2", **changed: Any) -> dict[str, Any]:
    page: dict[str, Any] = json.loads((FIXTURES / f"page_{version}.json").read_text())
    members: dict[str, Any] = page["data"][0]
    return members | changed


def values(contact: dict[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in canonical.leaves(contact) if value not in (None, [])}


def test_the_sheet_s_account_becomes_a_canonical_contact() -> None:
    assert values(to_canonical(stored(), "NL")) == {
        "kind": "organisation",
        "name": "Transport De Vaart B.V.",
        "email": "planning@devaart.example",
        "phone": "+31 10 000 0000",
        "website": "https://devaart.example",
        "invoice_email": "facturen@devaart.example",
        "vat_number": "NL000000000B00",
        "registration_number": "00000000",
        "address.line1": "Havenstraat 14 B",
        "address.postal_code": "3011 AA",
        "address.city": "Rotterdam",
        "address.country": "NL",
        "invoice_address.line1": "Postbus 100",
        "invoice_address.postal_code": "3000 AA",
        "invoice_address.city": "Rotterdam",
        "invoice_address.country": "NL",
        "references.routix_id": "3d0c0b52-9f3e-4a86-9a9e-0a5b6f1c2d01",
    }


def test_v1_gives_name_email_and_phone_and_has_a_row_for_nothing_else() -> None:
    assert set(values(to_canonical(stored("v1"), "NL"))) == {"kind", "name", "email", "phone", "references.routix_id"}
    assert {row.canonical for row in MAPPINGS["v1"].rows} == {"name", "email", "phone", "references.routix_id"}


def test_without_a_visit_address_the_billing_address_is_the_address() -> None:
    account = {name: value for name, value in stored().items() if not name.startswith("visit_address_")}

    contact = to_canonical(account, "NL")

    assert contact["address"] == contact["invoice_address"]
    assert contact["address"]["line1"] == "Postbus 100"


def test_where_there_is_no_address_there_is_no_country_either() -> None:
    contact = to_canonical({"id": "a", "company_name": "b"}, "NL")

    assert set(values(contact)) == {"kind", "name", "references.routix_id"}


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_blank_and_absent_are_alike(empty: str | None) -> None:
    with_empty = to_canonical(stored(website=empty, visit_address_addition=empty), "NL")
    absent = stored()
    del absent["website"], absent["visit_address_addition"]

    assert with_empty == to_canonical(absent, "NL")


def test_a_house_number_that_comes_as_a_number_is_its_digits() -> None:
    contact = to_canonical(stored(visit_address_number=14, visit_address_addition=None), "BE")

    assert (contact["address"]["line1"], contact["address"]["country"]) == ("Havenstraat 14", "BE")


@pytest.mark.parametrize("changed", [{"company_name": ["x"]}, {"email": True}, {"visit_address_city": {}}])
def test_a_value_of_a_wrong_kind_is_vendor_trouble(changed: dict[str, Any]) -> None:
    with pytest.raises(VendorBroken):
        to_canonical(stored(**changed), "NL")


def test_financial_and_internal_members_have_no_place_anywhere() -> None:
    assert not set(FINANCIAL_MEMBERS) & set(KEPT_MEMBERS)
    assert all("https://" in row.source for row in ROWS_V2)
    assert all(row.direction == "in" for row in ROWS_V2)


def test_every_member_of_the_page_is_read_or_dropped_on_purpose() -> None:
    dropped = {*FINANCIAL_MEMBERS, "industry", "lead_source", "payment_terms", "registration_date", "created_at"}

    assert set(V2_MEMBERS) - set(KEPT_MEMBERS) == dropped


def test_the_shipping_address_is_read_and_said_to_be_held_nowhere() -> None:
    rows = [row for row in MAPPINGS["v2"].rows if row.vendor.startswith("shipping_address_")]
    account = stored(shipping_address_street="Kade", shipping_address_number="1", shipping_address_city="Delft")

    assert {row.vendor for row in rows} == {name for name in V2_MEMBERS if name.startswith("shipping_address_")}
    assert all("held nowhere" in row.lossy for row in rows)
    assert to_canonical(account, "NL") == to_canonical(stored(), "NL")
    assert set(expected(to_canonical(account, "NL"), "v2")).isdisjoint(row.vendor for row in rows)


def test_an_account_says_what_is_expected_of_it() -> None:
    account = stored()

    wanted = expected(to_canonical(account, "NL"), "v2")

    assert "id" not in wanted
    assert {name: value for name, value in wanted.items() if value != account[name]} == {}
    assert set(wanted) == {row.vendor for row in ROWS_V2} - {"id"}


def test_what_a_version_does_not_show_is_not_expected_of_it() -> None:
    assert set(expected(to_canonical(stored(), "NL"), "v1")) == {"company_name", "email", "phone"}


def test_drift_shows_in_the_member_that_differs() -> None:
    contact = to_canonical(stored(), "NL")
    account = stored(visit_address_number="16", phone="010 000 0000")

    wanted = expected(contact, "v2")
    rows = {row.vendor: row for row in ROWS_V2}
    differing = [name for name, value in wanted.items() if rows[name].key(value) != rows[name].key(account[name])]

    assert "visit_address_number" in differing
    assert "visit_address_street" not in differing


def test_a_country_that_nobody_told_does_not_count_in_matching() -> None:
    inward = MAPPINGS["v2"].inward(stored())

    assert inward["address.city"] == "Rotterdam"
    assert "address.country" not in inward


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Havenstraat 14", ("Havenstraat", "14", None)),
        ("Havenstraat 14B", ("Havenstraat", "14", "B")),
        ("Havenstraat 14 bus 3", ("Havenstraat 14 bus", "3", None)),
        ("Laan van Meerdervoort 7 II hoog", ("Laan van Meerdervoort", "7", "II hoog")),
        ("2e Dwarsstraat 5", ("2e Dwarsstraat", "5", None)),
        ("14 Rue Haute", ("14 Rue Haute", None, None)),
        ("Kerkstraat 12 achter de grote kerk", ("Kerkstraat 12 achter de grote kerk", None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_a_line_is_split_where_the_number_is_plain_to_see(line: str | None, parts: tuple[Any, ...]) -> None:
    assert split_line(line) == parts


WORDS = st.text(alphabet="abcdefgh", min_size=1, max_size=8)


@given(
    street=st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    number=st.integers(1, 9999).map(str),
    addition=st.none() | WORDS | WORDS.map(lambda word: f"-{word}"),
)
def test_a_split_line_joins_again(street: str, number: str, addition: str | None) -> None:
    line = join_line(street, number, addition)

    assert split_line(line) == (street, number, addition)
    assert join_line(*split_line(line)) == line


MEMBERS = st.dictionaries(
    st.sampled_from(KEPT_MEMBERS), st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())
)


@given(members=MEMBERS)
def test_whatever_an_account_says_the_result_is_a_contact_or_vendor_trouble(members: dict[str, Any]) -> None:
    try:
        contact = to_canonical(members, "NL")
    except VendorBroken:
        return

    for path, value in canonical.leaves(contact):
        assert isinstance(value, list if path == "persons" else str | None)
    assert set(expected(contact, "v2")) == {row.vendor for row in ROWS_V2} - {"id"}
