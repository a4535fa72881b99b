"""What Workspace should hold for a contact, and what has no place there (Workspace sheets 5 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.workspace.stored import answer
from tests.vendors.workspace.wire import de_linde, settings_of
from worker.core.contact import BY_PATH
from worker.core.mapping import Ours
from worker.core.planning import Create, Review, Snapshot, Update, plan_create, plan_update
from worker.errors import MappingError
from worker.vendors.workspace import rules
from worker.vendors.workspace.mapping import WorkspaceMapping, mapping_for, record_of, reference_of
from worker.vendors.workspace.simulator import WorkspaceSimulator
from worker.vendors.workspace.simulator_contacts import MEMBERS, READ_ONLY, REQUIRED

INVOICE = {
    "invoice_address.line1": "Postbus 7",
    "invoice_address.postal_code": "8000",
    "invoice_address.city": "Brugge",
}


def mapping(**settings: Any) -> WorkspaceMapping:
    return mapping_for(settings_of(WorkspaceSimulator(), **settings))


def ours(values: dict[str, Any], **settings: Any) -> Ours:
    return mapping(**settings).outward(de_linde(**values))


def test_every_member_of_the_page_has_its_row_in_the_pages_order() -> None:
    assert [row.vendor for row in mapping().rows] == list(MEMBERS)


def test_the_rows_agree_with_the_page_on_what_is_required_and_what_may_change() -> None:
    rows = mapping().rows

    assert {row.vendor for row in rows if row.required} == set(REQUIRED)
    assert {row.vendor for row in rows if row.direction != "in" and row.write == "always"}.isdisjoint(READ_ONLY)
    assert all(row.missing is not None for row in rows if row.required)


def test_every_canonical_field_is_held_or_said_not_to_be() -> None:
    held = {path for row in mapping().rows for path in (row.canonical, *row.sources)}

    assert set(BY_PATH) - held - set(mapping().not_held) == {"kind"}


def test_every_row_names_its_source() -> None:
    assert all("sheet" in row.source and "https://" in row.source for row in mapping().rows)


@pytest.mark.parametrize(
    ("values", "member", "value"),
    [
        ({}, "client_reference", "1834"),
        ({}, "group", "Algemeen"),
        ({}, "type", "1"),
        ({}, "btw", "BE0000000097"),
        ({"kind": "person", "name": None, "first_name": "Bo", "last_name": "Claes"}, "name", "Bo Claes"),
        ({"address.line2": "bus 3"}, "location_address", "Kerkstraat 12, bus 3"),
        ({"invoice_email": "boekhouding@delinde.example"}, "email", "boekhouding@delinde.example"),
        ({"phone": None, "mobile": "0470 00 00 00"}, "phone", "0470 00 00 00"),
        ({"payment_term_days": 30}, "payment_term", "30"),
        ({"payment_term_days": 0}, "payment_term", "0"),
        ({}, "payment_term", "14"),
        ({"registration_number": "12345678", "address.country": "NL"}, "kvk", "12345678"),
        ({"registration_number": "0000.000.097"}, "kvk", None),
        ({}, "invoice_address", "Kerkstraat 12"),
        ({}, "invoice_country", "BE"),
        (INVOICE, "invoice_address", "Postbus 7"),
        (INVOICE, "invoice_city", "Brugge"),
        (INVOICE, "invoice_country", None),
        ({**INVOICE, "invoice_address.postal_code": None}, "invoice_postal", "-"),
        ({"address.country": "Atlantis"}, "location_country", "Atlantis"),
        ({"address.country": None}, "location_country", None),
    ],
)
def test_a_member_follows_from_the_contact(values: dict[str, Any], member: str, value: Any) -> None:
    assert ours(values).fields[member] == value


@pytest.mark.parametrize(
    ("style", "given", "written"),
    [
        ("code", "België", "BE"),
        ("name_nl", "BE", "België"),
        ("name_nl", "Allemagne", "Duitsland"),
        ("code", "nl", "NL"),
    ],
)
def test_a_country_is_written_as_the_settings_say(style: str, given: str, written: str) -> None:
    assert ours({"address.country": given}, country_style=style).fields["location_country"] == written


@pytest.mark.parametrize(
    ("style", "offset", "reference"),
    [("robaws_id", 0, "1834"), ("robaws_id", 900000, "901834"), ("prefixed", 0, "RB1834")],
)
def test_the_reference_has_the_shape_that_the_settings_say(style: str, offset: int, reference: str) -> None:
    assert reference_of(de_linde(), style, offset) == reference


def test_an_offset_is_not_added_to_what_is_no_number() -> None:
    with pytest.raises(MappingError):
        reference_of(de_linde(**{"references.robaws_id": "x"}), "robaws_id", 1)


# --------------------------------------------------------------------------------------------- the required members
@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("phone", "phone"),
        ("address.line1", "location_address"),
        ("address.city", "location_city"),
        ("address.postal_code", "invoice_postal"),
    ],
)
def test_a_required_member_without_a_value_gets_its_stand_in(path: str, member: str) -> None:
    result = ours({path: None})

    assert result.fields[member] == "-"
    assert member in result.placeholders


@pytest.mark.parametrize(("path", "member"), [("email", "email"), ("name", "name")])
def test_a_value_that_only_a_person_can_give_makes_the_create_a_review(path: str, member: str) -> None:
    table = mapping()

    plan = plan_create(table, table.outward(de_linde(**{path: None})), table.owners({}))

    assert isinstance(plan, Review)
    assert list(plan.fields) == [member]


def test_the_settings_choose_between_a_text_and_a_review() -> None:
    table = mapping(on_missing={"email": "geen@voorbeeld.example", "phone": "review"})

    result = table.outward(de_linde(email=None, phone=None))

    assert result.fields["email"] == "geen@voorbeeld.example"
    assert result.missing == ("phone",)


def test_a_whole_contact_makes_a_create_with_all_eleven() -> None:
    table = mapping()

    plan = plan_create(table, table.outward(de_linde()), table.owners({}))

    assert isinstance(plan, Create)
    assert set(REQUIRED) <= set(plan.fields)


def test_the_type_may_be_left_to_the_vendor() -> None:
    assert "type" not in ours({}, send_type="none").fields


def test_a_stand_in_is_replaced_as_soon_as_there_is_a_value() -> None:
    table = mapping()
    before = table.outward(de_linde(phone=None))
    base = Snapshot(before.fields, before.fields, placeholders=before.placeholders)

    plan = plan_update(table, table.outward(de_linde()), table.owners({}), base, None)

    assert isinstance(plan, Update)
    assert plan.patch == {"phone": "+32 9 000 00 00"}


def test_a_value_that_goes_leaves_the_stand_in() -> None:
    table = mapping()
    before = table.outward(de_linde()).fields

    after = table.outward(de_linde(phone=None))
    plan = plan_update(table, after, table.owners({}), Snapshot(before, before), None)

    assert isinstance(plan, Update)
    assert plan.patch == {"phone": "-"}


def test_a_stand_in_is_never_read_back_as_a_value() -> None:
    table = mapping(on_missing={"email": "geen@voorbeeld.example"})
    contact = {**rules.contact_of(answer("contact")), "email": "geen@voorbeeld.example", "phone": "-"}

    record = record_of(contact, table)

    values = table.inward(record.fields)
    assert (values["email"], values["phone"], record.emails) == (None, None, ())


def test_members_that_are_given_once_are_never_changed() -> None:
    table = mapping()
    before = table.outward(de_linde()).fields

    after = table.outward(de_linde(**{"references.robaws_id": "99"}))
    plan = plan_update(table, after, table.owners({}), Snapshot(before, before), None)

    assert not isinstance(plan, Update)


# ----------------------------------------------------------------------------------------------------------- inward
def test_a_record_in_canonical_terms_has_what_matching_compares() -> None:
    record = record_of(rules.contact_of(answer("contact")), mapping())

    values = mapping().inward(record.fields)

    assert set(values) <= set(BY_PATH)
    assert (values["vat_number"], values["address.postal_code"]) == ("BE0000000097", "9000")
    assert (record.reference, record.emails, record.usable) == ("1834", ("facturen@delinde.example",), True)


def test_a_record_that_we_made_needs_nothing_more() -> None:
    table = mapping()
    record = record_of(rules.contact_of(answer("contact")), table)
    result = table.outward(de_linde(website=None))

    plan = plan_update(table, result, table.owners({}), Snapshot(result.fields, record.fields), record.fields)

    assert not isinstance(plan, Update)


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        ({}, set()),
        ({"invoice_email": "boekhouding@delinde.example"}, {"email"}),
        ({"mobile": "0470 00 00 00"}, {"mobile"}),
        ({"registration_number": "0000.000.097"}, {"registration_number"}),
        ({"persons": [{"first_name": "An"}], "notes": "x", "language": "nl"}, {"persons", "notes", "language"}),
        (INVOICE, set()),
    ],
)
def test_what_has_no_place_is_listed_for_each_contact(values: dict[str, Any], lost: set[str]) -> None:
    assert set(ours(values).unheld) == lost


@pytest.mark.parametrize(
    ("number_from", "held", "written"),
    [
        ("none", "", None),
        ("logic_id", "", "20417"),
        ("id", "", "1834"),
        ("logic_id", "WS-7", None),
    ],
)
def test_an_empty_client_code_is_filled_where_the_settings_say_with_what(
    number_from: str, held: str, written: str | None
) -> None:
    mapping = mapping_for(settings_of(WorkspaceSimulator(), number_from=number_from))
    ours = mapping.outward(de_linde(**{"references.customer_number": "20417"}))
    theirs = {**ours.fields, "client_code": held}

    plan = plan_update(mapping, ours, mapping.owners({}), None, theirs)

    assert getattr(plan, "patch", {}).get("client_code") == written
    assert ("references.customer_number" in ours.unheld) == (number_from != "logic_id")
