"""What Rompslomp should hold for a contact, and what has no place there (Rompslomp sheets 6 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.rompslomp.stored import answer
from tests.vendors.rompslomp.wire import de_linde
from worker.core.contact import BY_PATH
from worker.core.mapping import Owner
from worker.core.planning import Snapshot, Update, agree, needs_read, plan_create, plan_update
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
        ({"invoice_address.country": "NL"}, "country_code", "BE"),
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
        (
            {"invoice_email": None, "invoice_address.city": "Gent", "invoice_address.line1": "Postbus 12"},
            {"address.line1", "address.postal_code"},
        ),
    ],
)
def test_what_has_no_place_is_listed_for_each_contact(values: dict[str, Any], lost: set[str]) -> None:
    assert set(MAPPING.outward(de_linde(**values)).unheld) == lost


INVOICE_ADDRESS = {
    "invoice_address.line1": "Postbus 12",
    "invoice_address.postal_code": "1000",
    "invoice_address.city": "Brussel",
}


def test_invoices_carry_the_invoice_address_of_a_client_that_has_one() -> None:
    ours = fields(**INVOICE_ADDRESS)

    # As a whole; only a country that is missing is the client's own.
    assert {member: ours[member] for member in ("address", "zipcode", "city", "country_code")} == {
        "address": "Postbus 12",
        "zipcode": "1000",
        "city": "Brussel",
        "country_code": "BE",
    }
    assert fields(**INVOICE_ADDRESS, **{"invoice_address.country": "LU"})["country_code"] == "LU"


def test_the_settings_may_keep_the_visiting_address() -> None:
    mapping = mapping_for("contact_number", "RB-", "visiting")
    ours = mapping.outward(de_linde(**INVOICE_ADDRESS))

    assert ours.fields["address"] == "Kerkstraat 12"
    assert {path for path in ours.unheld if path.startswith("invoice_address")} == set(INVOICE_ADDRESS)
    assert set(BY_PATH) - {path for row in mapping.rows for path in (row.canonical, *row.sources)} <= {
        *mapping.not_held,
        "kind",
    }


JAN = {"persons": [], "name": "Jan Jansen"}


def _individual(**members: Any) -> dict[str, Any]:
    held = {**dict(MAPPING.outward(de_linde(**JAN)).fields), "is_individual": True, "contact_number": "K00001"}
    return held | {"contact_person_name": "Jan Jansen", "company_name": None} | members


def test_no_company_name_is_written_into_the_record_of_a_private_person() -> None:
    plan = plan_update(MAPPING, MAPPING.outward(de_linde(**JAN)), OWNERS, None, _individual())

    assert not isinstance(plan, Update)
    assert [one.path for one in plan.decisions if one.action == "park"] == ["is_individual"]


def _their_kind_stands(**members: Any) -> Snapshot:
    """The agreement after a first link whose question about the kind was answered with `theirs`."""
    ours = MAPPING.outward(de_linde(**JAN))
    plan = plan_update(MAPPING, ours, OWNERS, None, _individual(**members))
    base = agree(ours, None, plan.decisions, _individual(**members), None, None)
    return Snapshot(
        {**base.ours, "is_individual": False}, {**base.theirs, "is_individual": True}, table=MAPPING.version
    )


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
def test_a_renamed_private_customer_gets_the_new_name_where_it_is_shown(read: bool) -> None:
    ours = MAPPING.outward(de_linde(**JAN | {"name": "Jan de Wit"}))

    plan = plan_update(MAPPING, ours, OWNERS, _their_kind_stands(), _individual() if read else None)

    assert isinstance(plan, Update)
    assert plan.patch == {"contact_person_name": "Jan de Wit"}


def test_the_name_of_a_person_is_owned_by_whoever_owns_the_name() -> None:
    ours = MAPPING.outward(de_linde(**JAN | {"name": "Jan de Wit"}))

    plan = plan_update(MAPPING, ours, MAPPING.owners({"name": "system"}), _their_kind_stands(), _individual())

    assert not isinstance(plan, Update)


def test_a_company_name_that_was_once_written_into_a_persons_record_is_no_longer_ours() -> None:
    earlier = _their_kind_stands()
    base = Snapshot(
        {**earlier.ours, "company_name": "Jan Jansen"},
        {**earlier.theirs, "company_name": "Jan Jansen"},
        table=MAPPING.version,
    )
    ours = MAPPING.outward(de_linde(**JAN | {"name": "Jan de Wit"}))

    plan = plan_update(MAPPING, ours, OWNERS, base, None)

    assert isinstance(plan, Update)
    assert plan.patch == {"contact_person_name": "Jan de Wit"}
    assert ("company_name", "forget") in [(one.path, one.action) for one in plan.decisions]


def test_a_kind_that_a_person_decides_for_us_takes_both_names_along() -> None:
    base = _their_kind_stands()
    chosen = Snapshot({**base.ours, "is_individual": True}, base.theirs, table=MAPPING.version)

    plan = plan_update(MAPPING, MAPPING.outward(de_linde(**JAN)), OWNERS, chosen, _individual())

    assert isinstance(plan, Update)
    assert plan.patch == {"is_individual": False, "company_name": "Jan Jansen", "contact_person_name": None}


def test_a_person_against_the_record_of_a_company_is_named_as_the_company() -> None:
    company = {**_individual(), "is_individual": False, "company_name": "Jan Jansen", "contact_person_name": "Piet"}
    person = {**JAN, "kind": "person"}

    first = plan_update(MAPPING, MAPPING.outward(de_linde(**person)), OWNERS, None, company)
    base = agree(MAPPING.outward(de_linde(**person)), None, first.decisions, company, None, None)
    base = Snapshot(
        {**base.ours, "is_individual": True}, {**base.theirs, "is_individual": False}, table=MAPPING.version
    )
    renamed = MAPPING.outward(de_linde(**person | {"name": "Jan de Wit"}))

    plan = plan_update(MAPPING, renamed, OWNERS, base, company)

    assert [one.path for one in first.decisions if one.action in ("park", "write")] == ["is_individual"]
    assert isinstance(plan, Update)
    assert plan.patch == {"company_name": "Jan de Wit"}


def test_a_name_that_is_too_long_is_a_question_about_the_member_that_shows_it() -> None:
    ours = MAPPING.outward(de_linde(**JAN | {"name": "J" * 256}))

    plan = plan_update(MAPPING, ours, OWNERS, _their_kind_stands(), _individual())

    assert [(one.path, one.action) for one in plan.decisions if one.action == "park"] == [
        ("contact_person_name", "park")
    ]


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
    base = Snapshot(ours.fields, record.fields, table=MAPPING.version)

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


@pytest.mark.parametrize("owner", ["system", "ignore", "fill"])
def test_a_kind_that_is_left_to_the_books_is_looked_at_before_a_name_is_written(owner: Owner) -> None:
    owners = MAPPING.owners({"kind": owner})
    first = plan_update(MAPPING, MAPPING.outward(de_linde(**JAN)), owners, None, _individual())
    base = agree(MAPPING.outward(de_linde(**JAN)), None, first.decisions, _individual(), None, None)
    ours = MAPPING.outward(de_linde(**JAN | {"name": "Jan de Wit"}))
    theirs = _individual() if needs_read(MAPPING, ours, owners, base, write_replaces=False) else None

    plan = plan_update(MAPPING, ours, owners, base, theirs)

    assert not isinstance(first, Update)
    assert isinstance(plan, Update)
    assert plan.patch == {"contact_person_name": "Jan de Wit"}


def test_a_kind_that_is_left_to_the_books_costs_no_read_where_the_name_stays() -> None:
    owners = MAPPING.owners({"kind": "system"})
    first = plan_update(MAPPING, MAPPING.outward(de_linde(**JAN)), owners, None, _individual())
    base = agree(MAPPING.outward(de_linde(**JAN)), None, first.decisions, _individual(), None, None)
    moved = MAPPING.outward(de_linde(**JAN | {"address.city": "Genk"}))

    assert not needs_read(MAPPING, moved, owners, base, write_replaces=False)


def test_a_kind_that_an_unanswered_change_may_have_written_is_put_right_with_its_names() -> None:
    ours = MAPPING.outward(de_linde(**JAN))
    base = Snapshot(ours.fields, {**ours.fields, "is_individual": False}, table=MAPPING.version)
    there = _individual(company_name=None, contact_person_name="Jan Jansen")
    changed = ("is_individual", "company_name", "contact_person_name")

    plan = plan_update(MAPPING, ours, OWNERS, base, there, repair=changed)

    assert isinstance(plan, Update)
    assert plan.patch == {"is_individual": False, "company_name": "Jan Jansen", "contact_person_name": None}
