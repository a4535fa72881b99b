"""Phone numbers: one key for a number, however it is written. The original text stays what is stored and sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from worker.core.normalise.countries import country_code
from worker.core.normalise.text import choice_key, text_key

HOME_REGIONS: Final = ("BE", "NL")
"""Where a number without a country is looked for, in this order."""

_INTERNATIONAL: Final = re.compile(r"\(?\s*(?:[+\uff0b]|00)")


def phone_key(value: str | None, country: str | None = None, home: Sequence[str] = HOME_REGIONS) -> str:
    """
    A phone number for comparison: E.164, with `;ext=` where there is an extension.

    `country` is the address's, as a code or a name; without one that is known the number is read as one of `home`,
    the first where it exists. What is no number that can be dialled becomes its digits; without any digit it stays as
    it is, without case, so that it is not lost.

    >>> phone_key("09/221.00.00"), phone_key("0032 (0)9 221 00 00"), phone_key("06 1234 5678", "NL")
    ('+3292210000', '+3292210000', '+31612345678')
    >>> phone_key("221"), phone_key("-"), phone_key(None)
    ('221', '-', '')
    """
    text = text_key(value)
    digits = _digits(text)
    if not digits:
        return choice_key(text)
    code = country_code(country)
    regions = (code,) if code in phonenumbers.SUPPORTED_REGIONS else tuple(home)
    return _number(_dialled(text), regions) or _number(digits, regions) or digits


def _number(written: str, regions: Sequence[str | None]) -> str | None:
    """The first reading of a number that exists somewhere, else the first that could; None for neither."""
    possible: str | None = None
    for region in regions:
        try:
            number = phonenumbers.parse(written, region)
            key = _international(number)
            if phonenumbers.is_valid_number(number):
                return key
            # One that does not exist may lose a nought each time it is read, as if that were the trunk zero.
            stable = _international(phonenumbers.parse(key, None)) == key
        except NumberParseException:
            continue
        if possible is None and stable and phonenumbers.is_possible_number(number):
            possible = key
    return possible


def _international(number: PhoneNumber) -> str:
    key = str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    return f"{key};ext={number.extension}" if number.extension else key


def _dialled(text: str) -> str:
    """`00` as `+`: the library takes it for one only where the region's own prefix for going abroad is `00`."""
    prefix = _INTERNATIONAL.match(text)
    return f"+{text[prefix.end() :]}" if prefix else text


def _digits(text: str) -> str:
    """The digits alone, `+` before them where the number is written internationally."""
    digits = str(phonenumbers.normalize_digits_only(_dialled(text)))
    if _INTERNATIONAL.match(text):
        return f"+{digits}" if digits else ""
    return f"+{digits[2:]}" if digits.startswith("00") and len(digits) > 2 else digits
