"""
What counts as the same value: a comparison key for every kind of field, never a change of the stored text.

Two values agree when their keys are equal. A key is the empty text only where there is no value at all (null, empty or
blank text), and the key of a key is itself, so that a stored key can stand for its value. No value makes a key raise.
Some keys are also what is written to a vendor that wants one form: `vat_key`, `registration_key`, `country_code`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from worker.core.normalise.blocks import block_alike_key, block_key
from worker.core.normalise.countries import country_code, country_key, country_name_nl
from worker.core.normalise.identifiers import is_kvk, registration_key, vat_key, vat_valid
from worker.core.normalise.names import alike_key, folded, join_name, name_key, split_name
from worker.core.normalise.phones import phone_key, phone_readings, same_phone
from worker.core.normalise.text import (
    address_lines,
    as_text,
    boolean_key,
    choice_key,
    integer_key,
    kept,
    language_key,
    lines_key,
    postcode_key,
    text_key,
)
from worker.core.normalise.web import email_key, email_keys, url_absolute, url_key

Normaliser = Callable[[object], str]


def _of_any_value(key: Callable[[str], str]) -> Normaliser:
    """The key of any JSON value, by its text."""
    known = kept(key)

    def of(value: object) -> str:
        return known(as_text(value))

    return of


NORMALISERS: Final[Mapping[str, Normaliser]] = MappingProxyType(
    {
        "text": _of_any_value(text_key),
        "lines": _of_any_value(lines_key),
        "address_block": _of_any_value(block_key),
        "email": _of_any_value(email_key),
        "phone": _of_any_value(phone_key),
        "vat": _of_any_value(vat_key),
        "registration": _of_any_value(registration_key),
        "postcode": _of_any_value(postcode_key),
        "country": _of_any_value(country_key),
        "url": _of_any_value(url_key),
        "language": _of_any_value(language_key),
        "integer_text": _of_any_value(integer_key),
        "boolean": _of_any_value(boolean_key),
        "choice": _of_any_value(choice_key),
    }
)
"""By the word that a row of a mapping carries: any JSON value in, its comparison key out."""

ALIKE: Final[Mapping[str, Normaliser]] = MappingProxyType(
    {
        "text": _of_any_value(alike_key),
        "lines": _of_any_value(alike_key),
        "address_block": _of_any_value(block_alike_key),
    }
)
"""By the word of a normaliser: the key of values that no person would want to be asked about on a first link."""

# Shorter ones are placeholders, or cut off; Ireland's VAT numbers have seven.
_FEWEST_DIGITS: Final = {"vat": 7, "registration": 8, "phone": 7}


def identity_key(word: str, value: object) -> str:
    """
    The key of a value that tells one organisation from all others, empty where it cannot: what matching compares.

    People fill required fields with `-`, `n.v.t.` or noughts, and two such records are not the same client. An e-mail
    address needs its @, a VAT number its check digits or seven digits, a registration number eight, a phone number
    seven; not all of them noughts. KeyError for a word that names nothing of the kind.

    >>> identity_key("vat", "BE 0403.170.701"), identity_key("vat", "n.v.t."), identity_key("registration", "00000000")
    ('BE0403170701', '', '')
    """
    key = NORMALISERS[word](value)
    if word == "email":
        return key if "@" in key.strip("@") else ""
    digits = "".join(char for char in key if char.isdigit())
    enough = len(digits) >= _FEWEST_DIGITS[word] or (word == "vat" and vat_valid(key))
    return key if enough and digits.strip("0") else ""


__all__ = [
    "ALIKE",
    "NORMALISERS",
    "Normaliser",
    "address_lines",
    "alike_key",
    "as_text",
    "boolean_key",
    "choice_key",
    "country_code",
    "country_key",
    "country_name_nl",
    "email_key",
    "email_keys",
    "folded",
    "identity_key",
    "integer_key",
    "is_kvk",
    "join_name",
    "language_key",
    "lines_key",
    "name_key",
    "phone_key",
    "phone_readings",
    "postcode_key",
    "registration_key",
    "same_phone",
    "split_name",
    "text_key",
    "url_absolute",
    "url_key",
    "vat_key",
    "vat_valid",
]
