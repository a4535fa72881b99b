"""What holds for every comparison key, and the keys of plain text and short values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.json_values import documents
from worker.core import normalise
from worker.core.normalise import NORMALISERS, as_text, identity_key, text_key

# What has broken a key once, or is put together from what could.
_PIECES = (
    "BE|NL|GR|EL|be |FR|IE|CH|GB|BTW|kvk|KBO|RPR| |  |.|-|/|(0)|+|00|0|1|123456789|0403170701|B01|+32|0032|9|221 00 00"
    "|ext. |;ext=|tel:|06|@|a@b.example|info@|delinde|.example|http|https|://|HTTPS://|//|www.|:80|:443|?|#|[|]|%|bv"
    "|b.v.|S.à|r.l.|gmbh|& Co. KG|van|der|é|ß|ﬁ|ŉ|true|ja|14|.0|-0|+014|nl|_BE|België|xn--|\uff41|\uff11|²|①|Å|\u1e9e"
    "|\u0130|\u0131|\u0345|\u0301|\u200b|\u00ad|\x00|\x1f|\ud800|😀|\u0660|\u00a0|\n|\r|\u2028|\u02bc|\u00b5|\u017f"
)
PIECES = st.sampled_from(_PIECES.split("|"))
TEXTS = (
    st.text(max_size=40) | st.lists(PIECES, max_size=7).map("".join) | st.text(st.characters(codec=None), max_size=8)
)

KEYS: dict[str, Callable[[Any], str]] = {
    **NORMALISERS,
    "name": lambda value: normalise.name_key(as_text(value)),
    "folded": lambda value: normalise.folded(as_text(value)),
    "url_absolute": lambda value: normalise.url_absolute(as_text(value)),
    "address_lines": lambda value: normalise.address_lines(as_text(value), None),
}
EMPTY_FOR_SIGNS = {"name", "folded"}

every_key = pytest.mark.parametrize("word", KEYS)


def test_every_word_that_a_field_may_name_is_there() -> None:
    words = "text email phone vat registration postcode country url language integer_text boolean choice"

    assert set(words.split()) <= set(NORMALISERS)


@every_key
@given(value=TEXTS)
@example(value="\u00b4")
@example(value="NL")
@example(value="ŉ")
@example(value="0:00")
@example(value=":0000000000")
@example(value="0 :443/0")
@settings(deadline=None, max_examples=150)
def test_the_key_of_a_key_is_itself(word: str, value: str) -> None:
    key = KEYS[word](value)

    assert KEYS[word](key) == key


@every_key
@given(value=TEXTS)
@settings(deadline=None, max_examples=100)
def test_only_what_is_blank_has_an_empty_key(word: str, value: str) -> None:
    key = KEYS[word](value)

    if word in EMPTY_FOR_SIGNS:
        assert key == "" or text_key(value) != ""
    else:
        assert (key == "") is (text_key(value) == "")


@every_key
@pytest.mark.parametrize("blank", [None, "", "  ", "\n\t", "\u00a0", "\u200b", "\x00", [], {}], ids=repr)
def test_nothing_and_blanks_have_the_same_key(word: str, blank: Any) -> None:
    assert KEYS[word](blank) == ""


@every_key
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\x00", id="nul"),
        pytest.param("a\x00b", id="nul inside"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("😀", id="emoji"),
        pytest.param("x" * 10_000, id="letters"),
        pytest.param("9" * 10_000, id="digits"),
        pytest.param("+" * 10_000, id="signs"),
        pytest.param("é" * 10_000, id="accents"),
        pytest.param("a." * 5_000, id="points"),
        pytest.param("b v " * 2_500, id="legal forms"),
        pytest.param("BE" + "0" * 10_000, id="a prefix and noughts"),
        pytest.param("https://" + "a:" * 5_000, id="ports"),
    ],
)
def test_odd_and_endless_text_has_a_key(word: str, value: str) -> None:
    assert isinstance(KEYS[word](value), str)


@every_key
@given(value=documents(nulls=True) | st.floats() | st.integers())
@settings(deadline=None, max_examples=60)
def test_every_json_value_has_a_key(word: str, value: Any) -> None:
    assert isinstance(KEYS[word](value), str)


@pytest.mark.parametrize(
    ("word", "one", "other", "same"),
    [
        pytest.param("text", "Dakwerken  De Linde ", "Dakwerken De Linde", True, id="text: blanks"),
        pytest.param("text", "Dakwerken\u00a0De\r\nLinde", "Dakwerken De Linde", True, id="text: other blanks"),
        pytest.param("text", "Caf\u00e9", "Cafe\u0301", True, id="text: composed or not"),
        pytest.param("text", "Gent\u200b", "Gent", True, id="text: pasted along"),
        pytest.param("text", "Linde", "linde", False, id="text: case"),
        pytest.param("text", "Café", "Cafe", False, id="text: accent"),
        pytest.param("text", True, "true", True, id="text: a boolean"),
        pytest.param("text", True, 1, False, id="text: true is not one"),
        pytest.param("text", 14, "14", True, id="text: a number"),
        pytest.param("text", "\u200d👩", "👩", False, id="text: a joiner is seen"),
        pytest.param("lines", "Kerkstraat 12\r\n9000 Gent", "Kerkstraat 12 \n\n9000 Gent\n", True, id="lines: coding"),
        pytest.param("lines", "Kerkstraat 12\n9000 Gent", "Kerkstraat 12 9000 Gent", False, id="lines: a break"),
        pytest.param("address_block", "X\n9712 ab Y", "X\r\n\r\n9712AB Y", True, id="address block: postcode"),
        pytest.param("address_block", "X\n9000 Gent", "Y\n9000 Gent", False, id="address block: addressee"),
        pytest.param("address_block", "X\nT.a.v. Z\n9000 Gent", "X\n9000 Gent", False, id="address block: attention"),
        pytest.param("choice", "Aannemer ", "AANNEMER", True, id="choice: case"),
        pytest.param("choice", "Aannemer", "Aannemers", False, id="choice: another"),
        pytest.param("boolean", True, 1, True, id="boolean: as a number"),
        pytest.param("boolean", True, 1.0, True, id="boolean: as a decimal"),
        pytest.param("boolean", "Ja", "yes", True, id="boolean: in two languages"),
        pytest.param("boolean", False, "0", True, id="boolean: false as text"),
        pytest.param("boolean", False, None, False, id="boolean: false is a value"),
        pytest.param("boolean", True, False, False, id="boolean: opposites"),
        pytest.param("integer_text", "14", 14, True, id="integer: as a number"),
        pytest.param("integer_text", 14.0, "014", True, id="integer: spelling"),
        pytest.param("integer_text", 0, "-0", True, id="integer: nought"),
        pytest.param("integer_text", -14, "14", False, id="integer: sign"),
        pytest.param("integer_text", "1_4", "14", False, id="integer: only figures"),
        pytest.param("integer_text", 0, None, False, id="integer: nought is a value"),
        pytest.param("postcode", "1337 XD", "1337xd", True, id="postcode: blank and case"),
        pytest.param("postcode", 9000, "9000", True, id="postcode: as a number"),
        pytest.param("postcode", "B-9000", "9000", True, id="postcode: Belgium before it"),
        pytest.param("postcode", "NL-1234 AB", "1234ab", True, id="postcode: the Netherlands before it"),
        pytest.param("postcode", "LU 1234", "L-1234", True, id="postcode: Luxembourg by either code"),
        pytest.param("postcode", "B33 8TH", "33 8TH", False, id="postcode: letters that belong to it"),
        pytest.param("postcode", "AD500", "500", False, id="postcode: another country's letters"),
        pytest.param("postcode", "9000", "9001", False, id="postcode: another"),
        pytest.param("language", "nl_BE", "nl", True, id="language: region"),
        pytest.param("language", "NL-be", "nl", True, id="language: case"),
        pytest.param("language", "nl", "fr", False, id="language: another"),
        pytest.param("language", "Nederlands", "nl", False, id="language: a name is no code"),
        pytest.param("country", "België", "be", True, id="country: name and code"),
        pytest.param("country", "Atlantis", "Mu", False, id="country: neither known"),
        pytest.param("email", "Info@DeLinde.example", "info@delinde.EXAMPLE", True, id="email: case"),
        pytest.param("phone", "09/221.00.00", "+32 9 221 00 00", True, id="phone: spelling"),
        pytest.param("vat", "be 0403.170.701", "BE0403170701", True, id="vat: spelling"),
        pytest.param("registration", "0403.170.701", "BE 403170701", True, id="registration: spelling"),
        pytest.param("url", "delinde.example/", "https://DeLinde.example", True, id="url: spelling"),
    ],
)
def test_two_values_agree_or_not(word: str, one: Any, other: Any, same: bool) -> None:
    assert (NORMALISERS[word](one) == NORMALISERS[word](other)) is same


@pytest.mark.parametrize(
    ("word", "value", "identifies"),
    [
        pytest.param("vat", "BE 0403.170.701", True, id="vat"),
        pytest.param("vat", "NL123456789B01", True, id="vat of the right shape"),
        pytest.param("vat", "n.v.t.", False, id="vat in words"),
        pytest.param("vat", "-", False, id="vat as a dash"),
        pytest.param("vat", "BE0000000000", False, id="vat of noughts"),
        pytest.param("vat", "IE6388047V", True, id="vat with seven digits"),
        pytest.param("vat", "BE", False, id="vat cut off"),
        pytest.param("registration", "12345678", True, id="registration"),
        pytest.param("registration", "00000000", False, id="registration of noughts"),
        pytest.param("registration", "1234", False, id="registration cut off"),
        pytest.param("registration", None, False, id="no registration"),
        pytest.param("email", "info@delinde.example", True, id="email"),
        pytest.param("email", "geen", False, id="email in words"),
        pytest.param("email", "@", False, id="email as a sign"),
        pytest.param("phone", "+32 9 221 00 00", True, id="phone"),
        pytest.param("phone", "-", False, id="phone as a dash"),
        pytest.param("phone", "0000000000", False, id="phone of noughts"),
    ],
)
def test_a_placeholder_identifies_nobody(word: str, value: str | None, identifies: bool) -> None:
    assert identity_key(word, value) == (NORMALISERS[word](value) if identifies else "")


def test_what_never_identifies_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        identity_key("text", "x")


@pytest.mark.parametrize(
    ("line1", "line2", "written"),
    [
        ("Kerkstraat 12", "bus 3", "Kerkstraat 12, bus 3"),
        (" Kerkstraat  12 ", "", "Kerkstraat 12"),
        (None, "bus 3", "bus 3"),
        (None, None, ""),
    ],
)
def test_two_address_lines_become_one(line1: str | None, line2: str | None, written: str) -> None:
    assert normalise.address_lines(line1, line2) == written
