"""Numbers that authorities give to organisations: VAT numbers and registration numbers."""

from __future__ import annotations

import re
from typing import Final

from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat
from stdnum.util import clean

from worker.core.normalise.countries import country_code
from worker.core.normalise.text import choice_key, kept, text_key

_MOST_VAT_CHARACTERS: Final = 20  # the longest in the world has 16; the check digits of endless ones cannot be computed
# Written before the number, by people.
_VAT_WORD: Final = re.compile(r"(?:(?:BTW|TVA|VAT|MWST|UST)(?:ID)?(?:NR|NUMMER|NO)?)+(?=[A-Z]{2}[0-9]|[0-9])")
# Written behind it. Switzerland's and Norway's own numbers end in such a word, which stays.
_VAT_WORD_BEHIND: Final = re.compile(r"(?<=[0-9])(?:BTW|TVA|VAT|MWST|UST|IVA|TTC|HTVA|EXCL|INCL)+$")
_REGISTRATION_WORD: Final = re.compile(r"(?:KVK|KBO|BCE|RPR|RPM|BTW|TVA|NL|BE|ONDERNEMING|ONDERNEMINGS)+(?:NR|NUMMER)?")
_DIGITS: Final = re.compile(r"[0-9]+")


@kept
def vat_key(value: str | None, country: str | None = None) -> str:
    """
    A VAT number for comparison and for writing: capitals, no blanks, points or dashes, and the country before it.

    The country's letters are put before a number that has none only if it is a valid one in `country` (a code or a
    name); Belgium's old nine digits become ten; the word for the tax is left out. What holds no letter or digit stays
    as it is.

    >>> vat_key("be 0403.170.701"), vat_key("BE403170701"), vat_key("0403.170.701", "België")
    ('BE0403170701', 'BE0403170701', 'BE0403170701')
    >>> vat_key("0403.170.701"), vat_key("NL 1234.56.789.B01"), vat_key("n.v.t.")
    ('0403170701', 'NL123456789B01', 'NVT')
    """
    number = _compact(value)
    if not number:
        return choice_key(value)
    if word := _VAT_WORD.match(number):
        number = number[word.end() :]
    if not number.startswith(("CHE", "NO")):
        number = _VAT_WORD_BEHIND.sub("", number)
    prefix = _vat_prefix(country)
    if prefix and not number[:2].isalpha() and _is_valid_vat(prefix + number):
        number = prefix + number
    return _european(number)


def vat_valid(value: str | None, country: str | None = None) -> bool:
    """
    Whether the number can be a VAT number: its country is known and its check digits fit. Nobody is asked.

    >>> vat_valid("BE 0403.170.701"), vat_valid("BE 0403.170.702"), vat_valid("NL123456789B01"), vat_valid("")
    (True, False, False, False)
    """
    return _is_valid_vat(vat_key(value, country))


@kept
def registration_key(value: str | None, country: str | None = None) -> str:
    """
    A chamber-of-commerce or enterprise number for comparison and for writing: capitals and digits alone.

    Words before the digits are left out (KvK, KBO, RPR, BE …); nine digits are filled up to Belgium's ten where BE
    stands before them or `country` is Belgium. What holds no letter or digit stays as it is.

    >>> registration_key("KvK 1234 5678"), registration_key("0403.170.701"), registration_key("BE 403.170.701")
    ('12345678', '0403170701', '0403170701')
    """
    number = _compact(value)
    if not number:
        return choice_key(value)
    word = _REGISTRATION_WORD.match(number)
    belgian = country_code(country) == "BE"
    if word and _DIGITS.fullmatch(number, word.end()):
        belgian = belgian or "BE" in word.group()
        number = number[word.end() :]
    return f"0{number}" if belgian and len(number) == 9 and _DIGITS.fullmatch(number) else number


def is_kvk(value: str | None) -> bool:
    """
    Whether it is a number of the Dutch chamber of commerce by its shape: eight digits. It has no check digit.

    >>> is_kvk("KvK 12345678"), is_kvk("0403.170.701")
    (True, False)
    """
    number = registration_key(value)
    return len(number) == 8 and _DIGITS.fullmatch(number) is not None and number != "00000000"


def _compact(value: str | None) -> str:
    """Letters and digits alone, in capitals; digits of other scripts and widths as ours where stdnum knows them."""
    text = clean(text_key(value).upper())
    return text_key("".join(char for char in text if char.isalnum()))


def _vat_prefix(country: str | None) -> str | None:
    """Greece writes EL before its VAT numbers; elsewhere it is the country's own code."""
    code = country_code(country)
    return "EL" if code == "GR" else code


def _european(number: str) -> str:
    """As the member state itself writes it, where it is a valid number of one: a wrong one is nobody's to fill up."""
    if not (_can_be_vat(number) and eu_vat.is_valid(number)):
        return number
    compact = str(eu_vat.compact(number))
    return f"EL{compact[2:]}" if compact.startswith("GR") else compact


@kept
def _is_valid_vat(number: str) -> bool:
    if not _can_be_vat(number):
        return False
    if eu_vat.is_valid(number):
        return True
    module = get_cc_module(number[:2].lower(), "vat")
    return module is not None and bool(module.is_valid(number))


def _can_be_vat(number: str) -> bool:
    """Two letters, then letters and digits of ours, and not too many: what the check digits may be asked of."""
    return number.isascii() and number.isalnum() and number[:2].isalpha() and len(number) <= _MOST_VAT_CHARACTERS
