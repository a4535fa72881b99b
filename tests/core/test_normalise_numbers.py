"""Phone, VAT and registration numbers. Those that exist are well-known ones of public bodies or of the libraries."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.normalise import is_kvk, phone_key, registration_key, same_phone, vat_key, vat_valid
from worker.core.normalise.numbers import company_numbers, compare_numbers, is_near, is_same


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        pytest.param("+32 9 000 00 00", None, "+3290000000", id="international"),
        pytest.param("09 000 00 00", None, "+3290000000", id="national, as in Belgium"),
        pytest.param("0032 9 000 00 00", None, "+3290000000", id="two noughts"),
        pytest.param("+32 (0)9 000 00 00", None, "+3290000000", id="trunk zero shown"),
        pytest.param("(+32) 9/000.00.00", None, "+3290000000", id="brackets, slash, points"),
        pytest.param("\uff0b32 9 000 00 00", None, "+3290000000", id="a wide plus"),
        pytest.param("tel: 09/221.00.00 (kantoor)", None, "+3292210000", id="words around"),
        pytest.param("06 1234 5678", None, "+31612345678", id="exists only in the Netherlands"),
        pytest.param("06 1234 5678", "NL", "+31612345678", id="by the address's country"),
        pytest.param("06 1234 5678", "Nederland", "+31612345678", id="by its name"),
        pytest.param("030 123456", "DE", "+4930123456", id="by another country"),
        pytest.param("030 123456", "Atlantis", "+3230123456", id="a country that is not known is no help"),
        pytest.param("+49 30 123456", "BE", "+4930123456", id="the number knows its country"),
        pytest.param("0032 9 221 00 00", "US", "+3292210000", id="two noughts, whatever America dials"),
        pytest.param("+1 (650) 253-0000", None, "+16502530000", id="America"),
        pytest.param("09 221 00 00 ext. 12", None, "+3292210000;ext=12", id="extension"),
        pytest.param("112", None, "112", id="too short to dial abroad"),
        pytest.param("09 221 00 00 / 0470 12 34 56", None, "0922100000470123456", id="two numbers"),
        pytest.param("+99 1", None, "+991", id="no such country"),
        pytest.param("-", None, "-", id="a placeholder"),
        pytest.param("Geen", None, "geen", id="a word"),
    ],
)
def test_a_phone_number_has_one_key(written: str, country: str | None, key: str) -> None:
    assert phone_key(written, country) == key


def test_a_number_without_its_country_is_read_where_the_address_is_then_where_the_settings_say() -> None:
    assert phone_key("030 123456", None, "DE") == "+4930123456"
    assert phone_key("0475-123456", None, "NL") == "+31475123456"
    assert phone_key("0475-123456", "BE", "NL") == "+32475123456"
    # Read on where it does not exist in the first country: a Belgian mobile of a Dutch client.
    assert phone_key("0470 12 34 56", "NL") == "+32470123456"


@pytest.mark.parametrize("bare", ["0475-123456", "0492 123456", "0495/12 34 56"])
def test_a_number_that_exists_in_two_countries_may_be_either_and_agrees_with_both(bare: str) -> None:
    digits = "".join(char for char in bare if char.isdigit())[1:]

    assert same_phone(bare, f"+31 {digits}")
    assert same_phone(bare, f"+32 {digits}")
    assert same_phone(f"0032{digits}", bare)
    assert not same_phone(f"+31 {digits}", f"+32 {digits}")
    assert not same_phone(bare, "+31 475 123457")


@given(
    one=st.text("+0123456789 ()/.-x", max_size=14),
    other=st.text("+0123456789 ()/.-x", max_size=14),
    country=st.sampled_from([None, "BE", "NL", "FR", "US"]),
)
@settings(deadline=None)
def test_what_has_one_key_is_the_same_number_in_either_order(one: str, other: str, country: str | None) -> None:
    assert same_phone(one, one, country)
    assert same_phone(one, other, country) == same_phone(other, one, country)
    if phone_key(one, country) == phone_key(other, country):
        assert same_phone(one, other, country)


@given(digits=st.text("0123456789", min_size=6, max_size=11), signs=st.lists(st.sampled_from(" ./-"), max_size=6))
@settings(deadline=None)
def test_signs_between_the_digits_of_a_phone_number_do_not_count(digits: str, signs: list[str]) -> None:
    spaced = "".join(a + b for a, b in zip(digits, [*signs, *[""] * len(digits)], strict=False))

    assert phone_key(f"+31{spaced}") == phone_key(f"+31 {digits}")


@pytest.mark.parametrize(
    ("written", "country", "key", "valid"),
    [
        pytest.param("BE 0403.170.701", None, "BE0403170701", True, id="Belgium"),
        pytest.param("be403170701", None, "BE0403170701", True, id="Belgium, old nine digits"),
        pytest.param("BE0000000097", None, "BE0000000097", True, id="Belgium, made up"),
        pytest.param("BE 0403.170.702", None, "BE0403170702", False, id="Belgium, wrong check digits"),
        pytest.param("0403.170.701", None, "0403170701", False, id="no country"),
        pytest.param("0403.170.701", "BE", "BE0403170701", True, id="the address's country"),
        pytest.param("0403.170.701", "Belgique", "BE0403170701", True, id="the country's name"),
        pytest.param("0403.170.702", "BE", "0403170702", False, id="wrong, so not to be completed"),
        pytest.param("NL 0044.95.445.B01", None, "NL004495445B01", True, id="the Netherlands"),
        pytest.param("NL4495445B01", None, "NL004495445B01", True, id="the Netherlands, noughts left out"),
        pytest.param("NL123456789B01", None, "NL123456789B01", False, id="Rompslomp's own example (sheet 6)"),
        pytest.param("NL", None, "NL", False, id="letters alone are not filled up"),
        pytest.param("DE 136 695 976", None, "DE136695976", True, id="Germany"),
        pytest.param("FR 40 303 265 045", None, "FR40303265045", True, id="France"),
        pytest.param("GR 094259216", None, "EL094259216", True, id="Greece by its country code"),
        pytest.param("094259216", "GR", "EL094259216", True, id="Greece by the address"),
        pytest.param("CHE-107.787.577 MWST", None, "CHE107787577MWST", True, id="Switzerland"),
        pytest.param("GB 980 7806 84", None, "GB980780684", True, id="Britain"),
        pytest.param("BTW BE 0403.170.701", None, "BE0403170701", True, id="a word before"),
        pytest.param("Btw-nr: NL004495445B01", None, "NL004495445B01", True, id="more words before"),
        pytest.param("n.v.t.", None, "NVT", False, id="not applicable"),
        pytest.param("XX123456789", None, "XX123456789", False, id="no such country"),
        pytest.param("-", None, "-", False, id="a placeholder"),
        pytest.param("", None, "", False, id="empty"),
        pytest.param(None, "BE", "", False, id="none"),
    ],
)
def test_a_vat_number_has_one_key(written: str | None, country: str | None, key: str, valid: bool) -> None:
    assert vat_key(written, country) == key
    assert vat_valid(written, country) is valid


@given(written=st.text() | st.from_regex(r"[A-Z]{2}[0-9A-Z .-]{0,14}", fullmatch=True))
@settings(deadline=None, max_examples=300)
def test_a_valid_vat_number_stays_valid_as_its_key(written: str) -> None:
    assert vat_valid(vat_key(written)) is vat_valid(written)


@pytest.mark.parametrize(
    ("written", "country", "key", "kvk"),
    [
        pytest.param("12345678", None, "12345678", True, id="KvK"),
        pytest.param("KvK 1234 5678", None, "12345678", True, id="KvK with the word"),
        pytest.param("KvK-nummer: 12345678", "NL", "12345678", True, id="KvK with more words"),
        pytest.param("01234567", None, "01234567", True, id="KvK with a nought in front"),
        pytest.param("1234567", None, "1234567", False, id="a digit short"),
        pytest.param("00000000", None, "00000000", False, id="noughts"),
        pytest.param("0403.170.701", None, "0403170701", False, id="Belgium"),
        pytest.param("BE 0403.170.701", None, "0403170701", False, id="Belgium with the country"),
        pytest.param("BE403170701", None, "0403170701", False, id="Belgium, nine digits"),
        pytest.param("403170701", None, "403170701", False, id="nine digits of nobody knows where"),
        pytest.param("403170701", "België", "0403170701", False, id="nine digits in Belgium"),
        pytest.param("RPR 0403.170.701", None, "0403170701", False, id="register of legal persons"),
        pytest.param("HRB 12345 B", "DE", "HRB12345B", False, id="Germany"),
        pytest.param("-", None, "-", False, id="a placeholder"),
        pytest.param(None, None, "", False, id="none"),
    ],
)
def test_a_registration_number_has_one_key(written: str | None, country: str | None, key: str, kvk: bool) -> None:
    assert registration_key(written, country) == key
    assert is_kvk(written) is kvk


@pytest.mark.parametrize(
    ("vat", "registration", "country", "numbers"),
    [
        pytest.param("BE 0403.170.701", None, None, ["vat:BE 0403170701 +"], id="Belgium"),
        pytest.param("403.170.701", None, None, ["vat:BE 0403170701"], id="nine digits of nobody knows where"),
        pytest.param("403.170.701", None, "België", ["vat:BE 0403170701 +"], id="nine digits in Belgium"),
        pytest.param("BE0403170702", None, None, ["vat:BE 0403170702"], id="wrong check digits"),
        pytest.param("BE0403170701 (btw)", None, None, ["vat:BE 0403170701 +"], id="a word behind"),
        pytest.param("CHE-123.456.788 MWST", None, None, ["vat:CH 123456788 +"], id="Switzerland"),
        pytest.param("NO 923 609 016 MVA", None, None, ["vat:NO 923609016 +"], id="Norway"),
        pytest.param("XI 980 7806 84", None, None, ["vat:GB 980780684 +"], id="Northern Ireland"),
        pytest.param("GR094259216", None, None, ["vat:EL 094259216 +"], id="Greece"),
        pytest.param(
            "NL 0044.95.445 B01", None, None, ["vat:NL 004495445B01 +", "rsin 004495445 +"], id="the RSIN within"
        ),
        pytest.param(
            "FR 40 303 265 045", None, None, ["vat:FR 40303265045 +", "siren 303265045 +"], id="the SIREN within"
        ),
        pytest.param(
            "BE0403170701 / DE136695976",
            None,
            None,
            ["vat:BE 0403170701 +", "vat:DE 136695976 +"],
            id="by a slash",
        ),
        pytest.param(
            "BE0403170701\nDE136695976", None, None, ["vat:BE 0403170701 +", "vat:DE 136695976 +"], id="by a line"
        ),
        pytest.param(
            "BE0403170701 DE136695976", None, None, ["vat:BE 0403170701 +", "vat:DE 136695976 +"], id="by a blank"
        ),
        pytest.param(None, "12345678", None, ["kvk 12345678"], id="KvK"),
        pytest.param(None, "12345678 0000", None, ["kvk 12345678"], id="KvK and branch"),
        pytest.param(None, "000012345678", None, ["branch 000012345678"], id="a branch of the Netherlands"),
        pytest.param(None, "2.146.537.896", None, ["branch 2146537896"], id="an establishment of Belgium"),
        pytest.param(None, "1234567", None, ["kvk 01234567"], id="KvK without its nought"),
        pytest.param(None, "004495445", "NL", ["rsin 004495445 +"], id="RSIN"),
        pytest.param(None, "BE0403170701", None, ["vat:BE 0403170701 +"], id="a VAT number as registration"),
        pytest.param(None, "0403.170.701", None, ["vat:BE 0403170701 +"], id="an enterprise number"),
        pytest.param(None, "KvK 12345678; KvK 87654321", None, ["kvk 12345678", "kvk 87654321"], id="two of them"),
        pytest.param(None, "HRB 1234567 B", "DE", ["register HRB1234567B"], id="another register"),
        pytest.param("n.v.t.", "00000000", None, [], id="placeholders"),
        pytest.param("BE 0000.000.000", "-", None, [], id="noughts"),
        pytest.param("BE0403170701", "0403.170.701", None, ["vat:BE 0403170701 +"], id="one in both fields"),
    ],
)
def test_what_each_number_of_an_organisation_is(
    vat: str | None, registration: str | None, country: str | None, numbers: list[str]
) -> None:
    found = company_numbers(vat, registration, country)

    assert [f"{one.kind} {one.text}{' +' * one.checked}" for one in found] == numbers


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([None, "BE", "NL", "FR", "DE"]))
@settings(deadline=None, max_examples=200)
def test_no_text_makes_the_reading_of_numbers_fail(vat: str, registration: str, country: str | None) -> None:
    numbers = company_numbers(vat, registration, country)
    compared = compare_numbers(numbers, numbers)

    assert all(number.key for number in numbers)
    assert not compared.differ


@given(st.sampled_from(["BE0403170701", "NL004495445B01", "CHE123456788", "12345678", "0403170701"]), st.integers(0, 9))
def test_one_wrong_digit_is_near_and_not_the_same(written: str, digit: int) -> None:
    wrong = written[:-2] + str(digit) + written[-1]
    [one, *_], [other, *_] = company_numbers(written, None, None), company_numbers(wrong, None, None)

    assert wrong == written or (is_near(one, other) and not is_same(one, other))
