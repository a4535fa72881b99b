"""Bank data and identity numbers are found wherever they stand, and nothing else is touched."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.json_values import objects
from worker.core import sensitive
from worker.core.sensitive import REMOVED, beginning, clean, clean_body, clean_json_text, clean_text
from worker.core.sensitive_names import is_sensitive

ACCOUNTS = (
    "BE68539007547034",
    "BE68 5390 0754 7034",
    "be68-5390-0754-7034",
    "NL91ABNA0417164300",
    "NL91 ABNA 0417 1643 00",
    "DE89 3704 0044 0532 0130 00",
    "FR14 2004 1010 0505 0001 3M02 606",
    "LU28 0019 4006 4475 0000",
    "GB29.NWBK.6016.1331.9268.19",
    "MT84MALT011000012345MTLCAST001S",
    "BE68\N{NO-BREAK SPACE}5390\N{NO-BREAK SPACE}0754\N{NO-BREAK SPACE}7034",
    "BE68%205390%200754%207034",
)
PERSONS = (
    "85.07.30-033.28",
    "85073003328",
    "850730 033 28",
    "850730-03328",
    "85 07 30 033 28",
    "85.07.30 - 033.28",
    "85.07.30\N{EN DASH}033.28",
    "85.07.30\N{NO-BREAK SPACE}033.28",
    "BSN 111222333",
    "bsn: 1112.22.333",
)
PLANTED = (*ACCOUNTS, *PERSONS)
INNOCENT = (
    "BE0403170701",
    "0403.170.701",
    "NL123456789B01",
    "BE68539007547035",
    "XX68539007547034",
    "+32 475 12 34 56",
    "+85073003328",
    "2026-10-01T12:00:00.000Z",
    "12345678901",
    "0031 20 100 00 12",
    "202609-42702",
    "260102-12082",
    "26040960321",
    "31103008824",
    "64110700641@voorbeeld.example",
    "12/10/25 012 34 52 10",
    "111222333",
    "a1b2c3d4-be68-4390-8754-70341234abcd",
    "Kerkstraat 12 9000 Gent",
    "",
)


def digits_of(number: str) -> str:
    """What tells a number from others, however it is written."""
    return "".join(one for one in number.replace("%20", "") if one.isascii() and one.isalnum())[-9:].lower()


def is_in(number: str, document: Any) -> bool:
    written = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return digits_of(number) in "".join(one for one in written.lower() if one.isascii() and one.isalnum())


@pytest.mark.parametrize("number", PLANTED)
@pytest.mark.parametrize("sentence", ["{}", "IBAN:{}.", "Marleen, {}; rest", "é{}", "({})", 'x\n{}\ny "z" \\'])
def test_a_number_is_found_in_any_sentence(number: str, sentence: str) -> None:
    text = sentence.format(number)

    assert not is_in(number, clean_text(text))
    assert not is_in(number, clean({"notes": [text]}))
    assert not is_in(number, clean({"notes": [text]}, replacement=""))


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_alike_stays(text: str) -> None:
    document = {"name": text, "inner": [text, {"id": text}]}

    assert clean_text(text) == text
    assert clean(document) is document
    assert beginning(orjson.dumps(document), 4_096) == orjson.dumps(document).decode()


NAMED = """
    iban IBAN clientIban iban_1 bank bankName bank_nr bankAccount accountNr Bankrekening Rekeningnummer rekeningnr.
    swiftCode bic creditLimit credit_limit creditInfo bsn BSN-nummer Rijksregisternummer rijksregisternr INSZ
    nationalNumber identity_card_number Paspoortnummer passportNumber creditCardNumber sepaMandate cardNumber
    Betaalkaartnummer
"""
NOT_NAMED = """
    internationalNumber international_number internationalId Klantenkaartnummer ledenkaart_nummer Zitbank-1 Bankje
    Banketzaal Swifty Liban compasNummer account accountManager rekeningOpNaam_1 Creditcheck
"""


@pytest.mark.parametrize("name", NAMED.split())
def test_a_member_is_known_by_its_name_at_any_depth(name: str) -> None:
    value: Any = {"number": ["12-34", {"at": "Voorbeeldbank"}]}
    document = {"data": [{"extraFields": {name: value}, "name": "De Linde"}]}

    assert clean(document) == {"data": [{"extraFields": {name: REMOVED}, "name": "De Linde"}]}
    assert clean(document, replacement="") == {"data": [{"extraFields": {}, "name": "De Linde"}]}
    assert "Voorbeeldbank" not in clean_json_text(json.dumps(document))


@pytest.mark.parametrize("name", NOT_NAMED.split())
def test_a_member_that_is_called_something_like_it_stays(name: str) -> None:
    record = {name: "12-34", "fields": [{"name": name, "value": "12-34"}]}

    assert clean(record, replacement="") is record


@pytest.mark.parametrize(
    "document",
    [
        {"name": "Rekeningnummer", "type": "text", "value": "12-34"},
        {"field": "iban", "message": "is wrong", "rejectedValue": "12-34"},
        {"label": "BSN", "stringValue": "12-34"},
    ],
)
def test_a_member_in_the_guise_of_name_and_value_is_one_too(document: Mapping[str, str]) -> None:
    assert "12-34" not in json.dumps(clean([document]))


@pytest.mark.parametrize("value", [None, "", True, False, [], {}])
def test_what_tells_nothing_stays(value: Any) -> None:
    document = {"iban": value, "hasBank": value}

    assert clean(document) is document


def test_a_whole_number_is_looked_at_but_not_under_the_name_of_an_id() -> None:
    document = {"number": 85073003328, "id": 85073003328, "clientId": "85073003328", "phone": "85073003328"}

    assert clean(document) == {**document, "number": REMOVED}


@pytest.mark.parametrize("value", [85073003328.0, "85073003328\n12 mei", "850730 033 28\t12"])
def test_a_number_is_found_as_a_fraction_and_before_the_next_line(value: Any) -> None:
    assert not is_in("85073003328", clean({"data": [value]}))


@pytest.mark.parametrize("number", PLANTED)
@pytest.mark.parametrize("blank", ["\n", "\t", "\N{NO-BREAK SPACE}"])
def test_a_number_is_found_in_json_within_a_text(number: str, blank: str) -> None:
    payload = json.dumps({"notes": f"aan{blank}{number}{blank}graag"})

    assert not is_in(number, clean({"payload": payload}))


def test_a_body_of_backslashes_alone_is_looked_through_in_one_pass() -> None:
    """Would take minutes if each were the beginning of a search to the end."""
    backslashes = "\\" * 1_000_000

    assert clean(backslashes) is backslashes


OWN_NUMBERS = """
    id logicId clientId tel gsm phone telefoon1 Telefoonnummer mobile invoiceEmail btw_nummer kvk vatIdNumber
    client_code contact_number klantnummer debiteurnr. externalKey Ondernemingsnummer registration_number
"""


@pytest.mark.parametrize("name", OWN_NUMBERS.split())
@pytest.mark.parametrize("number", [85073003328, "85073003328", "850730-03328", "85 07 30 033 28"])
def test_a_member_that_has_numbers_of_its_own_keeps_them(name: str, number: str | int) -> None:
    record = {name: number, "of": [{name: number}]}

    assert clean(record, replacement="") is record
    assert clean({name: "85.07.30-033.28"}, replacement="") == {name: ""}


def digits(count: int, source: Random) -> str:
    return "".join(source.choices(string.digits, k=count))


def enterprise_number(source: Random) -> str:
    number = f"0{digits(7, source)}"
    return f"{number}{97 - int(number) % 97:02}"


LOOK_ALIKES: Mapping[str, Callable[[Random], str]] = {
    "a Dutch phone number with its country": lambda one: f"0031 20 {digits(3, one)} {digits(2, one)} {digits(2, one)}",
    "the same with dashes": lambda one: f"0031-10-{digits(3, one)}.{digits(2, one)}.{digits(2, one)}",
    "the same in groups": lambda one: f"00 31 20 {digits(3, one)} {digits(2, one)} {digits(2, one)}",
    "the same in one": lambda one: f"3110{digits(7, one)}",
    "a Swiss one": lambda one: f"0041 22 {digits(3, one)} {digits(2, one)} {digits(2, one)}",
    "a Belgian one": lambda one: f"0032 14 {digits(2, one)} {digits(2, one)} {digits(2, one)}",
    "an invoice of a month": lambda one: f"2026{one.randint(1, 12):02}-{digits(5, one)}",
    "an invoice of a day": lambda one: f"26{one.randint(1, 12):02}{one.randint(1, 28):02}{digits(5, one)}",
    "the same with a dash": lambda one: f"26{one.randint(1, 12):02}{one.randint(1, 28):02}-{digits(5, one)}",
    "an enterprise": lambda one: f"BE{enterprise_number(one)}",
    "an enterprise and its phone": lambda one: f"BE{enterprise_number(one)} 04{digits(2, one)} {digits(2, one)} 12 34",
    "an enterprise and its postcode": lambda one: f"BE{enterprise_number(one)} {one.randint(1000, 9999)} Gent",
    "a chamber of commerce number": lambda one: f"{digits(8, one)} 0000{digits(8, one)}",
    "a Dutch VAT number": lambda one: f"NL{digits(9, one)}B{digits(2, one)}",
}


@pytest.mark.parametrize("look_alike", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_of_thousands_that_look_alike_none_is_cut(look_alike: Callable[[Random], str]) -> None:
    source = Random(7)

    cut = [text for text in (look_alike(source) for _ in range(3_000)) if clean_text(text) != text]

    assert cut == []


def test_a_record_loses_the_number_and_keeps_the_rest_of_its_text() -> None:
    record = {"name": "De Linde BE68 5390 0754 7034", "only": "BE68539007547034", "iban": "x"}

    assert clean(record, replacement="") == {"name": "De Linde", "only": ""}


def test_what_is_cleaned_is_clean() -> None:
    once = clean({"a": [*PLANTED], "iban": "x"})

    assert clean(once) is once


NAMES = st.text(string.ascii_letters + "éß _-.", max_size=12).filter(lambda name: not is_sensitive(name))


@given(st.data())
def test_no_number_comes_through_wherever_it_is_planted(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(PLANTED))
    around = data.draw(st.sampled_from(["{}", "rek. {}", "{} aub", '"{}"', "\\{}", "\t{}\n"]))
    document: Any = around.format(number)
    for _ in range(data.draw(st.integers(0, 8))):
        name = data.draw(NAMES.filter(lambda name: number not in PERSONS or name.isspace() or not name))
        document = data.draw(st.sampled_from([[document], {name: document, "n": 1}, ["x", document, None]]))
    document = {"data": document, "more": data.draw(objects(nulls=True))}

    for ascii_only in (True, False):
        encoded = json.dumps(document, ensure_ascii=ascii_only).encode()
        assert not is_in(number, clean(orjson.loads(encoded)))
        assert not is_in(number, clean_json_text(encoded.decode()))
        assert not is_in(number, clean_body(encoded).decode("latin-1"))
        assert not is_in(number, beginning(encoded, 4_096))


@given(objects(nulls=True))
def test_a_document_without_any_stays_as_it_is(document: dict[str, Any]) -> None:
    encoded = json.dumps(document).encode()

    assert clean(document) is document
    assert clean_body(encoded) == encoded
    assert beginning(encoded, 1_000_000) == encoded.decode()


@given(st.text(), st.binary())
def test_nothing_makes_it_fail(text: str, body: bytes) -> None:
    clean_text(text)
    clean_json_text(text)
    clean_body(body)
    beginning(body, 100)


@given(st.integers(0, 400))
def test_a_body_that_was_cut_gives_nothing_away(length: int) -> None:
    bank = {"numbers": [{"iban": "x" * 30, "of": "Voorbeeldbank"}], "more": "[{\\"}
    whole = json.dumps({"a": 1, "bank": bank, "notes": "rek. BE68539007547034", "iban": "Voorbeeldbank"}).encode()

    cut = clean_json_text(whole[:length].decode())

    assert "Voor" not in cut
    assert "BE68539007547034" not in cut


def test_the_beginning_of_a_long_answer_is_not_cut_within_a_number() -> None:
    row = {"bank": "Voorbeeldbank " * 40, "notes": "BE68 5390 0754 7034"}
    for padding in range(0, 600, 7):
        body = json.dumps([{"a": "x" * padding}] + [row] * 500).encode()

        told = beginning(body, 4_096)

        assert len(told) <= 4_096
        assert "Voorb" not in told
        assert "5390" not in told


def test_of_two_members_of_one_name_neither_is_quoted() -> None:
    assert "Voorbeeldbank" not in beginning(b'{"iban": "Voorbeeldbank", "iban": null}', 100)


def test_bodies_that_are_nested_without_end_are_replaced_and_not_followed() -> None:
    deep = b'{"a":' * 900 + b'"BE68539007547034"' + b"}" * 900

    assert b"BE68" not in clean_body(deep)
    assert "BE68" not in beginning(deep, 100_000)


def test_objects_that_are_alike_are_passed_over_but_never_one_that_says_something() -> None:
    plain = [{"id": number, "name": "De Linde"} for number in range(3)]
    assert clean(plain) is plain

    assert clean([*plain, {"id": 1, "name": "De Linde", "iban": "x"}])[-1]["iban"] == REMOVED
    assert clean([*plain, {"name": "De Linde", "value": "y"}, {"name": "IBAN", "value": "x"}])[-1]["value"] == REMOVED
    assert sensitive.clean({"more": {"comment": "x"}}, more=frozenset({"comment"})) == {"more": {"comment": REMOVED}}
