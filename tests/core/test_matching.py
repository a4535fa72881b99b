"""How far a record is the client, as a table: what speaks for it, and how strongly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.matching_records import (
    ALIKE,
    BAD_VAT,
    ELSEWHERE,
    KVK,
    OTHER_KVK,
    OTHER_VAT,
    SAME_EMAIL,
    SAME_NAME,
    SAME_PHONE,
    SAME_PLACE,
    VAT,
    contact,
    record,
)
from worker.core.contact import Json
from worker.core.matching import Candidate, compare, names_alike, recognise


def likeness(client: Json, found: Candidate) -> tuple[str, tuple[str, ...]] | None:
    match = compare(client, found)
    return (match.strength, match.evidence) if match else None


# ours laid over CLIENT, theirs -> strength, evidence
COMPARED: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, tuple[str, ...]] | None]] = {
    # ------------------------------------------------------------------------------------------------------- numbers
    "the same VAT number": ({"vat_number": VAT}, {"vat_number": "be 0000.000.097"}, ("certain", ("VAT number",))),
    "the same without its country": ({"vat_number": VAT}, {"vat_number": "0000.000.097"}, ("certain", ("VAT number",))),
    "the same without its country here, and no country there either": (
        {"vat_number": "0000.000.097", "address.country": None},
        {"vat_number": VAT},
        ("certain", ("VAT number",)),
    ),
    "the same in nine digits, with a country on neither side": (
        {"vat_number": "0000.000.097", "address.country": None},
        {"vat_number": "000.000.097"},
        ("doubtful", ("VAT number",)),
    ),
    "the same in nine digits": ({"vat_number": VAT}, {"vat_number": "000.000.097"}, ("certain", ("VAT number",))),
    "another trade name does not matter": (
        {"vat_number": VAT},
        {"vat_number": VAT, **ELSEWHERE},
        ("certain", ("VAT number",)),
    ),
    "one whose check digits do not hold": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT},
        ("doubtful", ("VAT number",)),
    ),
    "the same, and the name": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **ALIKE},
        ("certain", ("VAT number",)),
    ),
    "the same, and the name, in another place": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **ALIKE, **ELSEWHERE},
        ("doubtful", ("VAT number",)),
    ),
    "the same, and the e-mail": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **SAME_EMAIL},
        ("certain", ("VAT number",)),
    ),
    "the same, and the place": (
        {"vat_number": BAD_VAT},
        {"vat_number": BAD_VAT, **SAME_PLACE},
        ("certain", ("VAT number",)),
    ),
    "another VAT number, all else the same": (
        {"vat_number": VAT},
        {"vat_number": OTHER_VAT, **SAME_NAME, **SAME_EMAIL, **SAME_PLACE, **SAME_PHONE},
        None,
    ),
    "a VAT number on one side only": (
        {"vat_number": VAT},
        {**SAME_NAME, **SAME_EMAIL},
        ("certain", ("e-mail", "name")),
    ),
    "words where a number belongs": ({"vat_number": "n.v.t."}, {"vat_number": "n.v.t."}, None),
    "noughts where a number belongs": ({"registration_number": "00000000"}, {"registration_number": "0000.0000"}, None),
    "the same registration number alone": (
        {"registration_number": KVK},
        {"registration_number": "KvK 1234 5678"},
        ("doubtful", ("registration number",)),
    ),
    "the same registration number, and the name": (
        {"registration_number": KVK},
        {"registration_number": KVK, **SAME_NAME},
        ("certain", ("registration number",)),
    ),
    "another registration number": (
        {"registration_number": KVK},
        {"registration_number": OTHER_KVK, **SAME_NAME, **SAME_EMAIL},
        None,
    ),
    "the same registration number, and a good VAT number that only we know": (
        {"vat_number": VAT, "registration_number": KVK},
        {"registration_number": KVK},
        ("doubtful", ("registration number",)),
    ),
    "both numbers": (
        {"vat_number": VAT, "registration_number": KVK},
        {"vat_number": VAT, "registration_number": KVK},
        ("certain", ("VAT number", "registration number")),
    ),
    "a fiscal unity": (
        {"vat_number": VAT, "registration_number": KVK},
        {"vat_number": VAT, "registration_number": OTHER_KVK, **SAME_NAME},
        ("doubtful", ("VAT number", "another registration number")),
    ),
    "the enterprise number in the other field": (
        {"vat_number": VAT},
        {"registration_number": "0000.000.097", **SAME_NAME},
        ("certain", ("registration number",)),
    ),
    "the enterprise number in the other field, the other way round": (
        {"registration_number": "000.000.097"},
        {"vat_number": "0000.000.097", **SAME_NAME},
        ("certain", ("registration number",)),
    ),
    "a registration number of another kind contradicts nothing": (
        {"vat_number": VAT},
        {"registration_number": KVK, **SAME_NAME, **SAME_EMAIL},
        ("certain", ("e-mail", "name")),
    ),
    # ---------------------------------------------------------------------------------------------- name and e-mail
    "name and e-mail": ({}, {**SAME_NAME, **SAME_EMAIL}, ("certain", ("e-mail", "name"))),
    "name and e-mail in another place": ({}, {**SAME_NAME, **SAME_EMAIL, **ELSEWHERE}, ("certain", ("e-mail", "name"))),
    "name and the e-mail of a person": (
        {"email": None, "persons": [{"email": "info@delinde.example"}]},
        {**SAME_NAME, **SAME_EMAIL},
        ("certain", ("e-mail", "name")),
    ),
    "name and e-mail, and another legal form": (
        {"name": "Dakwerken De Linde NV"},
        {**SAME_NAME, **SAME_EMAIL},
        ("doubtful", ("name", "e-mail")),
    ),
    "name and e-mail, and the form under its old name": (
        {"name": "Dakwerken De Linde BVBA"},
        {**SAME_NAME, **SAME_EMAIL},
        ("certain", ("e-mail", "name")),
    ),
    "an e-mail, and nothing that tells apart": ({}, SAME_EMAIL, ("doubtful", ("e-mail", "another name"))),
    "an e-mail in another place": ({}, {**SAME_EMAIL, **ELSEWHERE}, None),
    "an e-mail with another phone": ({}, {**SAME_EMAIL, "phone": "02 000 00 02"}, None),
    "an e-mail and a place": ({}, {**SAME_EMAIL, **SAME_PLACE}, ("doubtful", ("e-mail", "postcode"))),
    "an e-mail and a phone": ({}, {**SAME_EMAIL, **SAME_PHONE}, ("doubtful", ("e-mail", "phone"))),
    "an e-mail, and no name there": ({}, {"name": None, **SAME_EMAIL}, ("doubtful", ("e-mail",))),
    "an e-mail, and no name here": ({"name": None}, SAME_EMAIL, ("doubtful", ("e-mail",))),
    "no name there, and nothing else": ({}, {"name": None, **SAME_PLACE}, None),
    "what is no e-mail": (
        {"email": "-"},
        {"email": "-", **SAME_NAME, **SAME_PLACE},
        ("doubtful", ("name", "postcode")),
    ),
    "a place alone": ({}, SAME_PLACE, None),
    "a place and a phone": ({}, {**SAME_PLACE, **SAME_PHONE}, None),
    # ---------------------------------------------------------------------------------------------------- name alone
    "a name": ({}, SAME_NAME, ("doubtful", ("name",))),
    "a name and a place": ({}, {**SAME_NAME, **SAME_PLACE}, ("doubtful", ("name", "postcode"))),
    "a name and a place, with another e-mail": (
        {},
        {**SAME_NAME, **SAME_PLACE, "email": "andere@else.example"},
        ("doubtful", ("name", "postcode")),
    ),
    "a name in another place": ({}, {**SAME_NAME, **ELSEWHERE}, ("doubtful", ("name",))),
    "a name in another place, with another e-mail": (
        {},
        {**SAME_NAME, **ELSEWHERE, "email": "andere@else.example"},
        None,
    ),
    "a name in another place, with another phone": ({}, {**SAME_NAME, **ELSEWHERE, "phone": "02 000 00 02"}, None),
    "a name in another place, with the same phone": (
        {},
        {**SAME_NAME, **ELSEWHERE, **SAME_PHONE, "email": "andere@else.example"},
        ("doubtful", ("name", "phone")),
    ),
    "a person's name in another place": ({"kind": "person"}, {**SAME_NAME, **ELSEWHERE}, None),
    "a person's name and nothing else": ({"kind": "person"}, SAME_NAME, ("doubtful", ("name",))),
    # -------------------------------------------------------------------------------------------------- similar names
    "a similar name": ({}, ALIKE, None),
    "a similar name and the e-mail": ({}, {**ALIKE, **SAME_EMAIL}, ("doubtful", ("similar name", "e-mail"))),
    "a similar name and the place": ({}, {**ALIKE, **SAME_PLACE}, ("doubtful", ("similar name", "postcode"))),
    "a similar name and the phone": ({}, {**ALIKE, **SAME_PHONE}, ("doubtful", ("similar name", "phone"))),
    "a similar name in another place": ({}, {**ALIKE, **ELSEWHERE}, None),
    "a part of the name in the same place": (
        {},
        {"name": "De Linde", **SAME_PLACE},
        ("doubtful", ("similar name", "postcode")),
    ),
    "the neighbours of a house number": (
        {"name": "VvE Kerkstraat 12"},
        {"name": "VvE Kerkstraat 14", **SAME_PLACE},
        None,
    ),
    "nothing at all": ({}, {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "expected"), COMPARED.values(), ids=COMPARED)
def test_how_far_a_record_is_the_client(
    ours: dict[str, Any], theirs: dict[str, Any], expected: tuple[str, tuple[str, ...]] | None
) -> None:
    assert likeness(contact(**ours), record(**theirs)) == expected


# ------------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Dakwerken De Linde", "dakwerken de linde b.v.b.a.", True),
        ("Dakwerken De Linde", "De Linde Dakwerken", True),
        ("Dakwerken De Linde", "Dakwerken De Lindt", True),
        ("Société Générale du Bois", "Societe Generale du Bois SA", True),
        ("De Linde", "Dakwerken De Linde", True),
        ("Peeters", "Bakkerij Peeters", False),
        ("Filiaal 1", "Filiaal 2", False),
        ("Filiaal 1", "Filiaal", False),
        ("Bakkerij Het Zuiden", "Dakwerken De Linde", False),
        ("", "", False),
        (None, "De Linde", False),
        ("B.V.", "...", False),
    ],
)
def test_names_that_could_be_the_same(one: str | None, other: str | None, alike: bool) -> None:
    assert names_alike(one, other) is alike
    assert names_alike(other, one) is alike


# ---------------------------------------------------------------------------------------------------- a lost create
KEYS = {"name": "text", "mail": "email"}
SENT = {"name": "De Linde", "mail": "info@delinde.example"}


@pytest.mark.parametrize(
    ("members", "found"),
    [
        pytest.param({"name": " De  Linde ", "mail": "INFO@delinde.example"}, True, id="all agree"),
        pytest.param({"name": "De Linde"}, True, id="what is not shown is not held against it"),
        pytest.param({"name": "De Linde", "mail": None}, False, id="what is shown empty is"),
        pytest.param({"name": "De Els", "mail": "info@delinde.example"}, False, id="another name"),
        pytest.param({}, False, id="nothing is shown"),
        pytest.param({"city": "Gent"}, False, id="nothing that could tell"),
    ],
)
def test_a_record_that_holds_what_a_lost_create_sent(members: dict[str, Any], found: bool) -> None:
    assert recognise(SENT, [("1", members)], KEYS) == (["1"] if found else [])


def test_two_records_that_hold_nothing_are_not_recognised() -> None:
    assert recognise({"name": None, "mail": ""}, [("1", {"name": "", "mail": None})], KEYS) == []
