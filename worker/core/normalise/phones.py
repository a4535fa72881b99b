"""
Phone numbers: which number a text means, however it is written. The original text stays what is stored and sent.

A number without its country is read in the country of the client's address, then in the one that the settings name,
then in Belgium and the Netherlands. Some exist in several of them: `0475 12 34 56` is a mobile in Belgium and a
landline in Roermond. Such a text may mean either number, and agrees with both (`same_phone`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from worker.core.normalise.countries import country_code
from worker.core.normalise.text import choice_key, text_key

HOME_REGIONS: Final = ("BE", "NL")
"""Where a number without a country is looked for at last, in this order."""

_INTERNATIONAL: Final = re.compile(r"\(?\s*(?:[+\uff0b]|00)")


def phone_key(value: str | None, country: str | None = None, region: str | None = None) -> str:
    """
    A phone number for comparison: E.164, with `;ext=` where there is an extension.

    `country` is the address's, as a code or a name, `region` the one of the settings. Of several numbers that a text
    may mean it is the first. What is no number that can be dialled becomes its digits; without any digit it stays as it
    is, without case, so that it is not lost.

    >>> phone_key("09/221.00.00"), phone_key("0032 (0)9 221 00 00"), phone_key("06 1234 5678", "NL")
    ('+3292210000', '+3292210000', '+31612345678')
    >>> phone_key("0475-123456"), phone_key("0475-123456", "NL"), phone_key("0475-123456", None, "NL")
    ('+32475123456', '+31475123456', '+31475123456')
    >>> phone_key("221"), phone_key("-"), phone_key(None)
    ('221', '-', '')
    """
    text = text_key(value)
    readings = phone_readings(text, country, region)
    return readings[0] if readings else _digits(text) or choice_key(text)


def same_phone(one: str | None, other: str | None, country: str | None = None, region: str | None = None) -> bool:
    """
    Tell whether two texts may be the same phone number: written with its country a number is that one and no other,
    without it it is any that it may mean.

    >>> same_phone("0475-123456", "+31 475 123456"), same_phone("0475-123456", "+32 475 12 34 56")
    (True, True)
    >>> same_phone("+31 475 123456", "+32 475 12 34 56")
    False
    >>> same_phone("030 123456", "+49 30 123456"), same_phone("030 123456", "+49 30 123456", region="DE")
    (False, True)
    """
    mine, theirs = phone_readings(one, country, region), phone_readings(other, country, region)
    return not set(mine).isdisjoint(theirs) or phone_key(one, country, region) == phone_key(other, country, region)


def phone_readings(value: str | None, country: str | None = None, region: str | None = None) -> tuple[str, ...]:
    """
    Every number that a text may mean, in E.164, the likeliest first; none for what is no number that can be dialled.

    >>> phone_readings("0475-123456", "NL"), phone_readings("+32 475 12 34 56", "NL"), phone_readings("112")
    (('+31475123456', '+32475123456'), ('+32475123456',), ())
    """
    text = text_key(value)
    regions = dict.fromkeys((country_code(country), country_code(region), *HOME_REGIONS))
    return _readings(text, tuple(code for code in regions if code in phonenumbers.SUPPORTED_REGIONS))


@lru_cache(maxsize=10_000)
def _readings(text: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    digits = _digits(text)
    if not digits:
        return ()
    return _numbers(_dialled(text), regions) or _numbers(digits, regions)


def _numbers(written: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    """Those readings that exist somewhere, else those that could."""
    found = list(dict.fromkeys(_parsed(written, regions)))
    return tuple(key for key, exists in found if exists) or tuple(key for key, _ in found)


def _parsed(written: str, regions: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """A number that is possible in each region, with whether it exists there."""
    for region in regions:
        try:
            number = phonenumbers.parse(written, region)
            key = _international(number)
            if phonenumbers.is_valid_number(number):
                yield key, True
                continue
            # One that does not exist may lose a nought each time it is read, as if that were the trunk zero.
            stable = _international(phonenumbers.parse(key, None)) == key
        except NumberParseException:
            continue
        if stable and phonenumbers.is_possible_number(number):
            yield key, False


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
