"""What Rompslomp should hold for a contact, and what has no place there (Rompslomp sheets 6 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.rompslomp.stored import answer
from tests.vendors.rompslomp.wire import de_linde
from worker.core.contact import BY_PATH
from worker.core.planning import Snapshot, Update, plan_create, plan_update
from worker.vendors.rompslomp import rules
from worker.vendors.rompslomp.mapping import mapping_for, record_of
from worker.vendors.rompslomp.simulator_contacts import WRITABLE_MEMBERS

MAPPING = mapping_for("contact_number", "RB-")
OWNERS = MAPPING.owners({})


def fields(**values: Any) -> dict[str, Any]:
    return dict(MAPPING.outward(de_linde(**values)).fields)


def test_every_member_of_the_page_has_its_row() -> None:
    assert {row.vendor for row in MAPPING.rows} == {"id", "name", *WRITABLE_MEMBERS}
    assert len(MAPPING.rows) == 19


def test_every_canonical_field_is_held_or_said_not_to_be() -> None:
    held = {path for row in MAPPING.rows for path in (row.canonical, *row.sources)}

    assert set(BY_PATH) - held - set(MAPPING.not_held) == {"kind"} - held


def test_every_row_names_its_source() -> None:
    assert all("sheet" in row.source and "https://" in row.source for row in MAPPING.rows)


@pytest.mark.parametrize(
    ("values", "member", "value"),
    [
        ({}, "is_individual", False),
        ({}, "is_supplier", False),
        ({}, "contact_number", "RB-1834"),
        ({}, "vat_number", "BE0000000097"),
        ({"vat_number": " be 0000.000.097 "}, "vat_number", "BE0000000097"),
        ({"invoice_email": None}, "contact_person_email_address", "info@delinde.example"),
        (
            {"invoice_email": None, "email": None, "persons": [{"first_name": "An", "email": "an@delinde.example"}]},
            "contact_person_email_address",
            "an@delinde.example",
        ),
        ({"address.line2": "bus 3"}, "address", "Kerkstraat 12, bus 3"),
        ({"address.line1": None, "address.line2": "bus 3"}, "address", "bus 3"),
        ({"address.country": "Nederland"}, "country_code", "NL"),
        ({"address.country": "be"}, "country_code", "BE"),
        ({"address.country": None}, "country_code", None),
        ({"address.country": "-"}, "country_code", None),
        ({"phone": None, "mobile": "0470 00 00 00"}, "phone", "0470 00 00 00"),
        ({"phone": None}, "phone", None),
        ({"persons": []}, "contact_person_name", None),
        (
            {"persons": [{"first_name": "An"}, {"first_name": "Bo", "last_name": "Claes", "main": True}]},
            "contact_person_name",
            "Bo Claes",
        ),
        ({"registration_number": "0000.000.097"}, "kvk_number", None),
        ({"registration_number": "12345678"}, "kvk_number", None),
        ({"registration_number": "12345678", "address.country": "NL"}, "kvk_number", "12345678"),
        ({"registration_number": "1234 5678", "address.country": None, "vat_number": None}, "kvk_number", "12345678"),
        ({"kind": "person", "name": "Bo Claes"}, "is_individual", True),
        ({"kind": "person", "name": "Bo Claes"}, "contact_person_name", "Bo Claes"),
        ({"kind": "person", "name": "Bo Claes"}, "company_name", None),
        ({"kind": "person", "name": None, "first_name": "Bo", "last_name": "Claes"}, "contact_person_name", "Bo Claes"),
    ],
)
def test_a_member_follows_from_the_contact(values: dict[str, Any], member: str, value: Any) -> None:
    assert fields(**values)[member] == value


@pytest.mark.parametrize("country", ["Atlantis", "ZZ", "B", "528"])
def test_a_country_that_is_not_known_is_left_out_and_told(country: str) -> None:
    ours = MAPPING.outward(de_linde(**{"address.country": country}))

    assert "country_code" not in ours.fields
    assert ours.problems == {"country_code": "country is not known, and only the two letters of a country fit"}


def test_a_text_that_is_too_long_is_told_and_not_sent() -> None:
    ours = MAPPING.outward(de_linde(**{"address.city": "G" * 256}))

    assert "city" not in ours.fields
    assert "256 characters" in ours.problems["city"]


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        ({"invoice_email": None}, set()),
        ({}, {"email"}),
        ({"invoice_email": "INFO@delinde.example"}, set()),
        ({"invoice_email": None, "website": "delinde.example", "notes": "x"}, {"website", "notes"}),
        ({"invoice_email": None, "mobile": "0470 00 00 00"}, {"mobile"}),
        ({"invoice_email": None, "mobile": "0470 00 00 00", "phone": None}, set()),
        ({"invoice_email": None, "registration_number": "0000.000.097"}, {"registration_number"}),
        ({"invoice_email": None, "persons": [{"first_name": "An"}, {"first_name": "Bo"}]}, {"persons"}),
        ({"invoice_email": None, "persons": [{"first_name": "An", "function": "boss"}]}, {"persons"}),
        (
            {"invoice_email": None, "email": None, "persons": [{"first_name": "An", "email": "an@delinde.example"}]},
            set(),
        ),
        ({"invoice_email": None, "kind": "person"}, {"persons"}),
        ({"invoice_email": None, "invoice_address.city": "Brugge"}, {"invoice_address.city"}),
    ],
)
def test_what_has_no_place_is_listed_for_each_contact(values: dict[str, Any], lost: set[str]) -> None:
    assert set(MAPPING.outward(de_linde(**values)).unheld) == lost


def test_a_record_in_canonical_terms_has_what_matching_compares() -> None:
    record = record_of(rules.contact_of(answer("contact")), "contact_number")

    values = MAPPING.inward(record.fields)

    assert set(values) <= set(BY_PATH)
    assert values["vat_number"] == "BE0000000097"
    assert values["address.postal_code"] == "9000"
    assert (record.reference, record.emails, record.usable) == ("RB-1834", ("facturen@delinde.example",), True)


def test_a_record_that_we_made_needs_nothing_more() -> None:
    record = record_of(rules.contact_of(answer("contact")), "contact_number")
    ours = MAPPING.outward(de_linde())
    base = Snapshot(ours.fields, record.fields)

    plan = plan_update(MAPPING, ours, OWNERS, base, record.fields)

    assert not isinstance(plan, Update)


def test_a_number_that_was_there_before_stays_on_a_first_link() -> None:
    page = rules.page_of(answer("contacts_page"), "contacts")
    theirs = record_of({**page.items[1], "contact_number": "K00007", "city": None}, "contact_number")

    plan = plan_update(MAPPING, MAPPING.outward(de_linde()), OWNERS, None, theirs.fields)

    assert isinstance(plan, Update)
    assert plan.patch == {"city": "Gent"}


@pytest.mark.parametrize(("member", "held"), [("contact_number", "contact_number"), ("free_2", "free_2"), (None, None)])
def test_the_reference_is_given_in_the_member_that_is_set_aside_for_it(member: str | None, held: str | None) -> None:
    mapping = mapping_for(member, "CS-")

    plan = plan_create(mapping, mapping.outward(de_linde()), mapping.owners({}))

    carrying = [path for path, value in getattr(plan, "fields", {}).items() if value == "CS-1834"]
    assert carrying == ([held] if held else [])


@pytest.mark.parametrize("member", ["id", "name", "government_identification_number", "free_1", "free_2", "free_3"])
def test_members_that_are_not_ours_are_never_written(member: str) -> None:
    assert member not in fields()
