"""What Recras should hold for a contact, and what has no place there (Recras sheets 5, 12 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.recras.wire import an, bo, client_of, de_linde, settings_of
from worker.core.contact import BY_PATH, Json
from worker.core.mapping import OurPerson
from worker.core.planning import Plan, Review, Snapshot, Update, plan_create, plan_update
from worker.vendors.recras.mapping import mapping_for, record_of
from worker.vendors.recras.persons import ROWS as PERSON_ROWS
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.recras.simulator_records import HIDDEN_TEXT_MEMBERS, PERSON_MEMBERS, SHOWN_MEMBERS

MAPPING = client_of(RecrasSimulator()).mapping
SENDING = client_of(RecrasSimulator(), send_landcode_btw=True).mapping
OWNERS = MAPPING.owners({})
ELSEWHERE = {"invoice_address.line1": "Postbus 1", "invoice_address.postal_code": "2000", "invoice_address.city": "A"}


def fields(**values: Any) -> dict[str, Any]:
    return dict(MAPPING.outward(de_linde(**values)).fields)


def written(plan: Plan) -> dict[str, Any]:
    """What a plan writes of the customer itself."""
    return dict(plan.patch) if isinstance(plan, Update) else {}


def persons(contact: Json, **settings: Any) -> list[OurPerson]:
    return list(mapping_for(settings_of(RecrasSimulator(), **settings)).outward(contact).persons)


def test_every_member_of_the_pages_has_its_row() -> None:
    members = {"id", "type", "displaynaam", *SHOWN_MEMBERS, *HIDDEN_TEXT_MEMBERS}

    assert {row.vendor for row in MAPPING.rows} == members | {"extra_fields", "status", "deactivated_at"}
    assert {row.vendor for row in PERSON_ROWS} == set(PERSON_MEMBERS)


def test_every_canonical_field_is_held_or_said_not_to_be() -> None:
    for mapping in (MAPPING, SENDING):
        held = {path for row in mapping.rows if row.direction != "in" for path in (row.canonical, *row.sources)}
        held |= {*mapping.also_held, "persons", "kind", "references.robaws_id"}

        assert set(BY_PATH) - held - set(mapping.not_held) == set()
        assert held & set(mapping.not_held) <= {"invoice_email"}


def test_every_row_names_its_source() -> None:
    assert all("sheet" in row.source and "https://" in row.source for row in (*MAPPING.rows, *PERSON_ROWS))


@pytest.mark.parametrize(
    ("values", "member", "value"),
    [
        ({}, "naam", "Dakwerken De Linde"),
        ({"kind": "person", "name": None, "first_name": "An", "last_name": "Peeters"}, "naam", "An Peeters"),
        ({}, "adres", "Kerkstraat 12"),
        ({"address.line2": "bus 3"}, "adres", "Kerkstraat 12, bus 3"),
        ({"address.line1": None}, "adres", None),
        ({}, "postcode", "9000"),
        ({}, "website", "https://delinde.example"),
        ({"website": "http://delinde.example/over"}, "website", "http://delinde.example/over"),
        ({"website": None}, "website", None),
        ({}, "factuur_adressering", None),
        (ELSEWHERE, "factuur_adressering", "Dakwerken De Linde\nPostbus 1\n2000 A"),
    ],
)
def test_a_value_goes_to_its_member(values: dict[str, Any], member: str, value: Any) -> None:
    assert fields(**values)[member] == value


@pytest.mark.parametrize(
    ("kind", "settings", "given"),
    [
        ("organisation", {"customer_kind": "Bedrijf", "customer_kind_person": "Particulier"}, "Bedrijf"),
        ("person", {"customer_kind": "Bedrijf", "customer_kind_person": "Particulier"}, "Particulier"),
        ("person", {"customer_kind": "Bedrijf"}, "Bedrijf"),
        ("organisation", {"customer_kind_person": "Particulier"}, None),
    ],
)
def test_a_private_person_may_have_a_kind_of_its_own(kind: str, settings: dict[str, str], given: str | None) -> None:
    mapping = mapping_for(settings_of(RecrasSimulator(), **settings))

    assert mapping.outward(de_linde(kind=kind)).fields["soort_klant"] == given


def test_country_and_vat_number_go_along_only_where_the_settings_allow() -> None:
    off, on = MAPPING.outward(de_linde()), SENDING.outward(de_linde())

    assert {"landcode", "btw_nummer"}.isdisjoint(off.fields)
    assert {"vat_number", "address.country"} <= set(off.unheld)
    assert (on.fields["landcode"], on.fields["btw_nummer"]) == ("BE", "BE0000000097")
    assert {"vat_number", "address.country"}.isdisjoint(on.unheld)


@pytest.mark.parametrize("country", ["Verweggistan", "ZZ"])
def test_a_country_that_nobody_knows_does_not_fit_and_stops_nothing_else(country: str) -> None:
    ours = SENDING.outward(de_linde(**{"address.country": country}))

    assert set(ours.problems) == {"landcode"}
    assert not isinstance(plan_create(SENDING, ours, SENDING.owners({})), Review)


def test_what_the_settings_give_a_new_customer_is_never_changed_afterwards() -> None:
    mapping = mapping_for(settings_of(RecrasSimulator(), company=2, customer_kind="Bedrijf", department="Zaal"))
    ours = mapping.outward(de_linde())
    base = Snapshot(
        ours={**ours.fields, "bedrijf_id": 1, "afdeling": None}, theirs=dict(ours.fields), table=MAPPING.version
    )

    plan = plan_update(mapping, ours, mapping.owners({}), base, {**ours.fields, "bedrijf_id": 1}, restore=True)

    assert (ours.fields["bedrijf_id"], ours.fields["soort_klant"], ours.fields["afdeling"]) == (2, "Bedrijf", "Zaal")
    assert written(plan) == {}


def test_null_and_an_empty_text_are_no_difference() -> None:
    ours = MAPPING.outward(de_linde(website=None))
    theirs = {path: "" if value is None else value for path, value in ours.fields.items()}

    plan = plan_update(
        MAPPING,
        ours,
        OWNERS,
        Snapshot(ours=ours.fields, theirs=ours.fields, table=MAPPING.version),
        theirs,
        restore=True,
    )

    assert written(plan) == {}


def test_a_postcode_with_and_without_blanks_is_one() -> None:
    ours = MAPPING.outward(de_linde(**{"address.postal_code": "1337XD"}))

    assert written(plan_update(MAPPING, ours, OWNERS, None, {**ours.fields, "postcode": "1337 xd"})) == {}


# ----------------------------------------------------------------------------------------------------------- persons
def test_the_main_person_carries_the_clients_phone_and_address_first() -> None:
    contact = de_linde(persons=[bo(email="bo@delinde.example"), an(phone="+32 9 000 00 01", mobile="+32 470 00 00 01")])

    main, other = persons(contact)

    assert main == OurPerson(
        "7",
        True,
        {
            "voornaam": "An",
            "achternaam": "Peeters",
            "telefoon1": "+32 9 000 00 00",
            "telefoon2": "+32 470 00 00 01",
            "email1": "info@delinde.example",
            "email2": "an@delinde.example",
            "geslacht": None,
            "aanhef": None,
        },
    )
    assert other.fields == {
        "voornaam": "Bo",
        "achternaam": "Claes",
        "telefoon1": "+32 9 000 00 02",
        "telefoon2": None,
        "email1": "bo@delinde.example",
        "email2": None,
        "geslacht": None,
        "aanhef": None,
    }


@pytest.mark.parametrize(
    ("values", "person", "emails", "phones"),
    [
        ({}, {"email": "INFO@delinde.example"}, ("info@delinde.example", None), ("+32 9 000 00 00", None)),
        ({"email": None}, {}, ("an@delinde.example", None), ("+32 9 000 00 00", None)),
        (
            {"email": None, "invoice_email": "fact@delinde.example"},
            {"email": None},
            ("fact@delinde.example", None),
            ("+32 9 000 00 00", None),
        ),
        (
            {"invoice_email": "fact@delinde.example"},
            {"email": None},
            ("info@delinde.example", None),
            ("+32 9 000 00 00", None),
        ),
        (
            {"mobile": "+32 470 1"},
            {"email": None, "phone": "+32 9 1"},
            ("info@delinde.example", None),
            ("+32 9 000 00 00", "+32 470 1"),
        ),
        (
            {},
            {"email": None, "phone": "+32 9 111 11 11"},
            ("info@delinde.example", None),
            ("+32 9 000 00 00", "+32 9 111 11 11"),
        ),
        (
            {"phone": None, "mobile": "+32 470 1"},
            {"email": None},
            ("info@delinde.example", None),
            (None, "+32 470 1"),
        ),
        ({"phone": None}, {"phone": "+32 9 1"}, ("info@delinde.example", "an@delinde.example"), ("+32 9 1", None)),
    ],
)
def test_two_addresses_and_two_numbers_are_all_that_a_person_holds(
    values: dict[str, Any],
    person: dict[str, Any],
    emails: tuple[str | None, str | None],
    phones: tuple[str | None, str | None],
) -> None:
    [main] = persons(de_linde(**{**values, "persons": [an(**person)]}))

    assert (main.fields["email1"], main.fields["email2"]) == emails
    assert (main.fields["telefoon1"], main.fields["telefoon2"]) == phones


def test_a_client_without_persons_is_its_own() -> None:
    [made] = persons(de_linde(persons=[]))
    [named] = persons(de_linde(persons=[]), person_fallback_name="Administratie")

    assert (made.key, made.main, made.placeholders) == (":self", True, ("voornaam", "achternaam"))
    assert (made.fields["voornaam"], made.fields["achternaam"]) == (None, "Dakwerken De Linde")
    assert (made.fields["email1"], made.fields["telefoon1"]) == ("info@delinde.example", "+32 9 000 00 00")
    assert named.fields["achternaam"] == "Administratie"


@pytest.mark.parametrize(
    ("values", "first", "last"),
    [
        ({"first_name": "An", "last_name": "Peeters"}, "An", "Peeters"),
        ({"name": "Jan Willem van der Berg"}, "Jan Willem", "van der Berg"),
    ],
)
def test_a_private_person_is_its_own_contact_person_under_its_own_name(
    values: dict[str, Any], first: str, last: str
) -> None:
    [made] = persons(de_linde(kind="person", persons=[], **values), person_fallback_name="Administratie")

    assert (made.fields["voornaam"], made.fields["achternaam"], made.placeholders) == (first, last, ())


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("An", "Peeters", ("An", "Peeters")),
        ("An Peeters", None, ("An", "Peeters")),
        ("Peeters", None, (None, "Peeters")),
        (None, "De Smet Peeters", (None, "De Smet Peeters")),
        (None, None, (None, "Dakwerken De Linde")),
    ],
)
def test_a_name_in_one_piece_is_cut_and_a_missing_one_is_the_clients(
    first: str | None, last: str | None, shown: tuple[str | None, str]
) -> None:
    [made] = persons(de_linde(persons=[an(first_name=first, last_name=last)]))

    assert (made.fields["voornaam"], made.fields["achternaam"]) == shown
    assert made.placeholders == (("achternaam",) if not (first or last) else ())


def test_what_finds_no_place_is_listed() -> None:
    lost = de_linde(
        invoice_email="fact@delinde.example",
        mobile="+32 470 00 00 09",
        legal_name="De Linde BV",
        persons=[an(function="Werfleider", title="Prof.", mobile="+32 470 00 00 01", phone="+32 9 000 00 05")],
    )

    assert set(MAPPING.outward(lost).unheld) == {
        "legal_name",
        "vat_number",
        "address.country",
        "invoice_email",
        "mobile",
        "persons.phone",
        "persons.function",
        "persons.title",
    }


# ----------------------------------------------------------------------------------------------------------- inward
def test_a_record_is_brought_to_canonical_values() -> None:
    shown = {
        "id": 83,
        "type": "klant",
        "displaynaam": "De Linde",
        "naam": "",
        "postcode": "9000",
        "btw_nummer": "BE0000000097",
        "contactpersonen": [{"id": 48, "email1": "info@delinde.example", "hoofdcontact": False}],
        "onchange": "x",
    }

    record = record_of(shown, MAPPING, None)

    assert MAPPING.inward(record.fields)["vat_number"] == "BE0000000097"
    assert (record.name, MAPPING.inward(record.fields)["name"]) == ("De Linde", "De Linde")
    assert "onchange" not in record.fields
    assert record.persons is not None
    assert record.persons[0].main  # nobody says so: the first one


def test_a_contact_of_another_type_is_never_linked() -> None:
    record = record_of({"id": 84, "type": "leverancier", "naam": "Groothandel Voorbeeld"}, MAPPING, None)

    assert (record.usable, record.why_not) == (False, "it is of the type leverancier")
