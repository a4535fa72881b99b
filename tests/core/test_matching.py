"""How far a record is the client, as a table: what a careful bookkeeper would say of the pair."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.matching_records import (
    ALIKE,
    BAD_VAT,
    ELSEWHERE,
    KVK,
    NL_VAT,
    OTHER_EMAIL,
    OTHER_KVK,
    OTHER_PHONE,
    OTHER_VAT,
    RSIN,
    SAME_EMAIL,
    SAME_NAME,
    SAME_NAME_BV,
    SAME_PHONE,
    SAME_PLACE,
    VAT,
    contact,
    record,
)
from worker.core.matching import compare

PERSON = {"kind": "person", "name": "Jan Peeters", "email": "jan@peeters.example"}
JAN = {"name": "Jan Peeters", "email": "jan@peeters.example"}

# ours laid over CLIENT (Dakwerken De Linde, 9000, an e-mail and a phone), theirs
CERTAIN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # ------------------------------------------------------------------------------------------- a number and one more
    "the same VAT number, and the name": ({"vat_number": VAT}, {"vat_number": "be 0000.000.097", **SAME_NAME}),
    "the same without its country": ({"vat_number": VAT}, {"vat_number": "0000.000.097", **SAME_NAME}),
    "the same with its country there only": (
        {"vat_number": "0000.000.097", "address.country": None},
        {"vat_number": VAT, **SAME_NAME},
    ),
    "the same in nine digits": ({"vat_number": VAT}, {"vat_number": "000.000.097", **SAME_NAME}),
    "the same VAT number under a similar name": ({"vat_number": VAT}, {"vat_number": VAT, **ALIKE}),
    "the same VAT number under a similar name, and the e-mail": (
        {"vat_number": VAT},
        {"vat_number": VAT, **ALIKE, **SAME_EMAIL},
    ),
    "the same VAT number and name, moved, with another e-mail and phone": (
        {"vat_number": VAT},
        {"vat_number": VAT, **SAME_NAME, **ELSEWHERE, **OTHER_EMAIL, **OTHER_PHONE},
    ),
    "the same VAT number and name, and a form on one side": ({"vat_number": VAT}, {"vat_number": VAT, **SAME_NAME_BV}),
    "the same VAT number, no name there, the same place": (
        {"vat_number": VAT},
        {"vat_number": VAT, "name": None, **SAME_PLACE},
    ),
    "one whose check digits do not hold, and a similar name": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **ALIKE},
    ),
    "one whose check digits do not hold, a similar name, and the e-mail": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **ALIKE, **SAME_EMAIL},
    ),
    "the same registration number, and the name": (
        {"registration_number": KVK},
        {"registration_number": KVK, **SAME_NAME},
    ),
    "both numbers, and a similar name": (
        {"vat_number": VAT, "registration_number": KVK},
        {"vat_number": VAT, "registration_number": KVK, **ALIKE},
    ),
    "the enterprise number in the other field": (
        {"vat_number": VAT},
        {"registration_number": "0000.000.097", **SAME_NAME},
    ),
    "the enterprise number in the other field, the other way round": (
        {"registration_number": "000.000.097"},
        {"vat_number": "0000.000.097", **SAME_NAME},
    ),
    # ---------------------------------------------------------------------------------------- how a number is written
    "Switzerland's with the word for the tax": (
        {"vat_number": "CHE-123.456.788 MWST"},
        {"vat_number": "CHE123456788", **SAME_NAME},
    ),
    "the same word in two languages": (
        {"vat_number": "CHE-123.456.788 TVA"},
        {"vat_number": "CHE-123.456.788 IVA", **SAME_NAME},
    ),
    "Norway's with the word for the tax": (
        {"vat_number": "NO 923 609 016 MVA"},
        {"vat_number": "NO923609016", **SAME_NAME},
    ),
    "Belgium's with the word for the tax": ({"vat_number": f"{VAT} BTW"}, {"vat_number": VAT, **SAME_NAME}),
    "Northern Ireland": ({"vat_number": "XI 980 7806 84"}, {"vat_number": "GB980780684", **SAME_NAME}),
    "Greece by either code": ({"vat_number": "GR094259216"}, {"vat_number": "EL094259216", **SAME_NAME}),
    "two numbers in one field": ({"vat_number": f"{VAT} / {NL_VAT}"}, {"vat_number": VAT, **SAME_NAME}),
    "two registration numbers in one field": (
        {"registration_number": KVK},
        {"registration_number": f"{OTHER_KVK}; {KVK}", **SAME_NAME},
    ),
    "KvK with a branch behind it": (
        {"registration_number": KVK},
        {"registration_number": f"{KVK} 0000", **SAME_NAME},
    ),
    "KvK without its nought": (
        {"registration_number": "01234567"},
        {"registration_number": "1234567", **SAME_NAME},
    ),
    "the RSIN in the field of the registration": (
        {"vat_number": NL_VAT},
        {"registration_number": RSIN, **SAME_NAME},
    ),
    "the SIREN that stands in France's VAT number": (
        {"vat_number": "FR40303265045"},
        {"registration_number": "303265045", "address.country": "FR", **SAME_NAME},
    ),
    # ---------------------------------------------------------------------------------------------- name and e-mail
    "name and e-mail": ({}, {**SAME_NAME, **SAME_EMAIL}),
    "name and e-mail in another place": ({}, {**SAME_NAME, **SAME_EMAIL, **ELSEWHERE}),
    "name and the e-mail of a person": (
        {"email": None, "persons": [{"email": "info@delinde.example"}]},
        {**SAME_NAME, **SAME_EMAIL},
    ),
    "name and one of two addresses in one field": (
        {"email": "info@delinde.example; boekhouding@delinde.example"},
        {**SAME_NAME, **SAME_EMAIL},
    ),
    "name and an address with a name before it": (
        {},
        {**SAME_NAME, "email": "De Linde <info@delinde.example>, boekhouding@delinde.example"},
    ),
    "name and e-mail, and the form under its old name": (
        {"name": "Dakwerken De Linde BVBA"},
        {**SAME_NAME_BV, **SAME_EMAIL},
    ),
    "name and e-mail, and a number on one side": ({"vat_number": VAT}, {**SAME_NAME, **SAME_EMAIL}),
    "name and e-mail, and numbers that cannot be compared": (
        {"vat_number": VAT},
        {"registration_number": KVK, **SAME_NAME, **SAME_EMAIL},
    ),
    "name and e-mail, KvK here and an RSIN there": (
        {"registration_number": KVK},
        {"registration_number": RSIN, **SAME_NAME, **SAME_EMAIL},
    ),
    "name and e-mail, and the number of one of its establishments": (
        {"vat_number": VAT},
        {"registration_number": "2.146.537.896", **SAME_NAME, **SAME_EMAIL},
    ),
    "a private person with his own mailbox": (PERSON, JAN),
    "a private person in a new home, with his phone": (PERSON, {**JAN, **ELSEWHERE, **SAME_PHONE}),
    "a private person with another phone at the same place": (PERSON, {**JAN, **SAME_PLACE, **OTHER_PHONE}),
    "an organisation by default, and a private person there": ({**JAN}, {**JAN, "kind": "person"}),
}  # fmt: skip

DOUBTFUL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # ------------------------------------------------------------------------------------- a number, and not enough
    "the same VAT number under another name": ({"vat_number": VAT}, {"vat_number": VAT}),
    "the same VAT number, all else different": (
        {"vat_number": VAT},
        {"vat_number": VAT, **OTHER_EMAIL, **OTHER_PHONE, **ELSEWHERE},
    ),
    "the same VAT number under another trade name, and the e-mail": (
        {"vat_number": VAT},
        {"vat_number": VAT, **SAME_EMAIL},
    ),
    "the same VAT number under another trade name, and the phone": (
        {"vat_number": VAT},
        {"vat_number": VAT, **SAME_PHONE},
    ),
    "one whose check digits do not hold, and the e-mail": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **SAME_EMAIL},
    ),
    "a sister in a fiscal unity with one bookkeeping": (
        {"vat_number": NL_VAT, "name": "De Linde Verhuur B.V."},
        {"vat_number": NL_VAT, "name": "De Linde Holding B.V.", **SAME_EMAIL, **SAME_PLACE, **SAME_PHONE},
    ),
    "a number that is typed in for none, and the accountant's e-mail": (
        {"registration_number": KVK},
        {"registration_number": KVK, **SAME_EMAIL, **ELSEWHERE},
    ),
    "departments of a city": (
        {"vat_number": VAT, "name": "Stad Gent - Dienst Wegen"},
        {"vat_number": VAT, "name": "Stad Gent", **SAME_PLACE, **OTHER_EMAIL, **OTHER_PHONE},
    ),
    "the same VAT number, no name there": ({"vat_number": VAT}, {"vat_number": VAT, "name": None}),
    "one whose check digits do not hold": ({"vat_number": BAD_VAT}, {"vat_number": BAD_VAT}),
    "one whose check digits do not hold, and the place": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **SAME_PLACE},
    ),
    "one whose check digits do not hold, and the name in another place": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **SAME_NAME, **ELSEWHERE},
    ),
    "the same registration number alone": (
        {"registration_number": KVK},
        {"registration_number": "KvK 1234 5678"},
    ),
    "a fiscal unity": (
        {"vat_number": VAT, "registration_number": KVK},
        {"vat_number": VAT, "registration_number": OTHER_KVK, **SAME_NAME, **SAME_EMAIL},
    ),
    "a private person with the number of a company": (
        {**PERSON, "vat_number": VAT},
        {**JAN, "kind": "organisation", "vat_number": VAT},
    ),
    # ------------------------------------------------------------------------------------------ numbers that differ
    "another VAT number, all else the same": (
        {"vat_number": VAT},
        {"vat_number": OTHER_VAT, **SAME_NAME, **SAME_EMAIL, **SAME_PLACE, **SAME_PHONE},
    ),
    "another VAT number, name and e-mail the same": (
        {"vat_number": VAT},
        {"vat_number": OTHER_VAT, **SAME_NAME, **SAME_EMAIL},
    ),
    "another VAT number, name and postcode the same": (
        {"vat_number": VAT},
        {"vat_number": OTHER_VAT, **SAME_NAME, **SAME_PLACE},
    ),
    "the VAT number of another country, name and e-mail the same": (
        {"vat_number": VAT},
        {"vat_number": NL_VAT, **SAME_NAME, **SAME_EMAIL},
    ),
    "another registration number, name and e-mail the same": (
        {"registration_number": KVK},
        {"registration_number": OTHER_KVK, **SAME_NAME, **SAME_EMAIL},
    ),
    "one wrong digit in the VAT number": ({"vat_number": VAT}, {"vat_number": "BE0000000098", **SAME_NAME}),
    "check digits that do not hold": ({"vat_number": VAT}, {"vat_number": BAD_VAT, **SAME_NAME, **ELSEWHERE}),
    "two digits of the registration number changed round": (
        {"registration_number": KVK},
        {"registration_number": "12354678", **SAME_NAME},
    ),
    "check digits that do not hold, under another name": (
        {"vat_number": VAT},
        {"vat_number": BAD_VAT, **SAME_EMAIL, **SAME_PLACE},
    ),
    # ---------------------------------------------------------------------------------------------- name and e-mail
    "name and e-mail, and another legal form": ({"name": "Dakwerken De Linde NV"}, {**SAME_NAME_BV, **SAME_EMAIL}),
    "name and e-mail, and a legal form on one side": ({}, {**SAME_NAME_BV, **SAME_EMAIL}),
    "name and e-mail, and a form in all but the number": (
        {"vat_number": VAT},
        {**SAME_NAME_BV, **SAME_EMAIL, **SAME_PLACE, **SAME_PHONE},
    ),
    "name and e-mail, a number on one side and another place": (
        {"vat_number": VAT},
        {**SAME_NAME, **SAME_EMAIL, **ELSEWHERE},
    ),
    "name and e-mail, another place and another phone": (
        {},
        {**SAME_NAME, **SAME_EMAIL, **ELSEWHERE, **OTHER_PHONE},
    ),
    "a private person and his own company": (PERSON, {**JAN, "name": "Jan Peeters BV", "vat_number": VAT}),
    "a private person and his own company, by its number alone": (PERSON, {**JAN, "vat_number": VAT}),
    "a private person and a company without a form": (PERSON, {**JAN, "kind": "organisation"}),
    "a company and the private person behind it": (
        {**JAN, "vat_number": VAT},
        {**JAN, "kind": "person"},
    ),
    "father and son": (PERSON, {**JAN, **ELSEWHERE, **OTHER_PHONE}),
    "a private person in another place": (PERSON, {**JAN, **ELSEWHERE}),
    "an e-mail, and nothing that tells apart": ({}, SAME_EMAIL),
    "an e-mail and a place": ({}, {**SAME_EMAIL, **SAME_PLACE}),
    "an e-mail and a phone": ({}, {**SAME_EMAIL, **SAME_PHONE}),
    "an e-mail, and no name there": ({}, {"name": None, **SAME_EMAIL}),
    "an e-mail, and no name here": ({"name": None}, SAME_EMAIL),
    # ---------------------------------------------------------------------------------------------------- name alone
    "what is no e-mail": ({"email": "-"}, {"email": "-", **SAME_NAME, **SAME_PLACE}),
    "a name": ({}, SAME_NAME),
    "a name with a form": ({}, SAME_NAME_BV),
    "a name and a place": ({}, {**SAME_NAME, **SAME_PLACE}),
    "a name and a place, with another e-mail": ({}, {**SAME_NAME, **SAME_PLACE, **OTHER_EMAIL}),
    "a name and a place with the country before its postcode, with another phone": (
        {"address.postal_code": "B-9000"},
        {**SAME_NAME, **SAME_PLACE, **OTHER_PHONE},
    ),
    "a name and a Dutch place with the country before its postcode": (
        {"address.postal_code": "NL-1234 AB", "kind": "person"},
        {**SAME_NAME, "address.postal_code": "1234AB"},
    ),
    "a name in another place": ({}, {**SAME_NAME, **ELSEWHERE}),
    "a name in another place, with the same phone": ({}, {**SAME_NAME, **ELSEWHERE, **SAME_PHONE, **OTHER_EMAIL}),
    "a person's name and nothing else": ({"kind": "person"}, SAME_NAME),
    # -------------------------------------------------------------------------------------------------- similar names
    "a similar name and the e-mail": ({}, {**ALIKE, **SAME_EMAIL}),
    "a similar name and the place": ({}, {**ALIKE, **SAME_PLACE}),
    "a similar name and the phone": ({}, {**ALIKE, **SAME_PHONE}),
    "a part of the name in the same place": ({}, {"name": "De Linde", **SAME_PLACE}),
}  # fmt: skip

APART: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing at all": ({}, {}),
    "words where a number belongs": ({"vat_number": "n.v.t."}, {"vat_number": "n.v.t."}),
    "noughts where a number belongs": ({"registration_number": "00000000"}, {"registration_number": "0000.0000"}),
    "another VAT number and name, with one mailbox": ({"vat_number": VAT}, {"vat_number": OTHER_VAT, **SAME_EMAIL}),
    "a holding and its daughter": (
        {"vat_number": VAT, "name": "De Linde Holding"},
        {"vat_number": OTHER_VAT, "name": "De Linde", **SAME_EMAIL, **SAME_PLACE, **SAME_PHONE},
    ),
    "another VAT number, and the name elsewhere": (
        {"vat_number": VAT},
        {"vat_number": OTHER_VAT, **SAME_NAME, **ELSEWHERE},
    ),
    "another registration number, and the name": (
        {"registration_number": KVK},
        {"registration_number": OTHER_KVK, **SAME_NAME},
    ),
    "an e-mail in another place": ({}, {**SAME_EMAIL, **ELSEWHERE}),
    "an e-mail with another phone": ({}, {**SAME_EMAIL, **OTHER_PHONE}),
    "no name there, and nothing else": ({}, {"name": None, **SAME_PLACE}),
    "a place alone": ({}, SAME_PLACE),
    "a place and a phone": ({}, {**SAME_PLACE, **SAME_PHONE}),
    "a name in another place, with another e-mail": ({}, {**SAME_NAME, **ELSEWHERE, **OTHER_EMAIL}),
    "a name in another place, with another phone": ({}, {**SAME_NAME, **ELSEWHERE, **OTHER_PHONE}),
    "a person's name in another place": ({"kind": "person"}, {**SAME_NAME, **ELSEWHERE}),
    "a similar name": ({}, ALIKE),
    "a similar name in another place": ({}, {**ALIKE, **ELSEWHERE}),
    "the neighbours of a house number": (
        {"name": "VvE Kerkstraat 12"},
        {"name": "VvE Kerkstraat 14", **SAME_PLACE},
    ),
}  # fmt: skip

PAIRS = [
    pytest.param(ours, theirs, strength, id=f"{strength}: {name}")
    for strength, table in (("certain", CERTAIN), ("doubtful", DOUBTFUL), ("apart", APART))
    for name, (ours, theirs) in table.items()
]


@pytest.mark.parametrize(("ours", "theirs", "strength"), PAIRS)
def test_how_far_a_record_is_the_client(ours: dict[str, Any], theirs: dict[str, Any], strength: str) -> None:
    match = compare(contact(**ours), record(**theirs))

    assert match.strength == strength, match.because


@pytest.mark.parametrize(
    ("ours", "theirs", "because"),
    [
        pytest.param(
            {"vat_number": VAT},
            {"vat_number": BAD_VAT, **SAME_NAME_BV, **SAME_EMAIL},
            "the same name, an e-mail address in common; "
            "but another VAT number, but one of the two may be mistyped, a legal form on one side only",
            id="a number that may be mistyped",
        ),
        pytest.param(
            {"vat_number": VAT, "registration_number": KVK},
            {"vat_number": VAT, "registration_number": OTHER_KVK, **SAME_NAME, **ELSEWHERE},
            "the same VAT number, and its check digits hold, the same name; "
            "but another registration number, another postcode",
            id="a fiscal unity",
        ),
        pytest.param(
            PERSON,
            {**JAN, "name": "Jan Peeters BV", "vat_number": VAT, **OTHER_PHONE},
            "the same name, an e-mail address in common; but a VAT or registration number on one side only, "
            "a legal form on one side only, one is a private person, the other an organisation, "
            "no phone number in common",
            id="a private person and his company",
        ),
        pytest.param({}, {}, "nothing in common; but another name", id="nothing"),
    ],
)
def test_the_evidence_says_what_speaks_for_a_record_and_what_against(
    ours: dict[str, Any], theirs: dict[str, Any], because: str
) -> None:
    assert compare(contact(**ours), record(**theirs)).because == because


def test_a_record_with_another_clients_reference_is_never_certain() -> None:
    found = record(vat_number=VAT, **SAME_NAME, **SAME_EMAIL)

    match = compare(contact(vat_number=VAT), found, of_another=True)

    assert match.strength == "doubtful"
    assert match.because.endswith("it carries the reference of another client")
