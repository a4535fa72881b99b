"""
Account numbers and identity numbers in a text, by their shape and their check digits.

`holds_number` looks through the bytes of a JSON document first, since nearly none holds such a number and each webhook
passes here inside the two seconds that its sender waits. It misses nothing that `without_numbers` finds.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from stdnum import iban, numdb
from stdnum.be import bis, nn
from stdnum.eu import vat
from stdnum.nl import bsn

_WRITTEN_SEPARATOR: Final = re.compile(r"%20|&nbsp;|\\u00a0|\\u202f")
_SEPARATOR: Final = (
    "(?:[ ./_+\t\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{EN DASH}\N{NON-BREAKING HYPHEN}-]"
    rf"|{_WRITTEN_SEPARATOR.pattern}){{0,2}}"
)
SHORTEST_NUMBER: Final = 8
"""A text with fewer characters holds none."""
_NEITHER: Final = re.compile(r"[^0-9A-Za-z]")
_KINDS: Final = {"n": "[0-9]", "a": "[A-Za-z]", "c": "[0-9A-Za-z]"}
_MOST_WRITTEN: Final = 200
"""Bytes that the longest account number takes, with what is between its parts."""

_BEHIND_ESCAPE: Final = r"(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
"""What is written of a blank in JSON and in addresses ends in a letter or a digit, and no word goes on there."""
_IBAN: Final = re.compile(rf"(?:(?<![0-9A-Za-z])|(?<=[Ii][Bb][Aa][Nn])|{_BEHIND_ESCAPE})[A-Za-z]{{2}}[0-9]{{2}}")
_BETWEEN: Final = "[ ./\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{EN DASH}\N{NON-BREAKING HYPHEN}-]"
_NATIONAL: Final = re.compile(
    rf"(?:(?<![0-9A-Za-z+])|{_BEHIND_ESCAPE})"
    rf"(?:([0-9]{{11}})|([0-9]{{2}}({_BETWEEN}?)[0-9]{{2}}\3[0-9]{{2}})({_BETWEEN}{{1,3}})[0-9]{{3}}({_BETWEEN}?)[0-9]{{2}})"
    r"(?![0-9A-Za-z@])"
)
"""Eleven digits in a row, or a date of birth and what parts it from the others; its own parts have the same twice."""
_PERHAPS_NATIONAL: Final = re.compile(
    r"(?<![0-9+])[0-9]{2}[ ./-]?[0-9]{2}[ ./-]?[0-9]{2}[ ./-]{0,3}[0-9]{3}[ ./-]?[0-9]{2}(?![0-9A-Za-z])"
)
"""The same in encoded text, where a blank may stand for what was written otherwise: more is found than is meant."""
_GOES_ON: Final = re.compile(rf"{_BETWEEN}[0-9]{{1,3}}(?![0-9])")
"""Behind such digits: they begin a phone number with its country, or are a date with a phone number behind it."""
_OFFICIAL: Final = re.compile(rf"[0-9]{{2}}\.[0-9]{{2}}\.[0-9]{{2}}{_BETWEEN}{{1,3}}[0-9]{{3}}{_BETWEEN}?[0-9]{{2}}")
"""As the register writes it; no phone number and no id is written like that."""
_YEARS_OF_BIRTH: Final = range(1935, 2015)
"""
Digits that nothing parts, or one dash alone, are taken for the number of somebody between these: invoices and orders
are numbered by the date of today, and phone numbers of the Netherlands and Belgium begin with 31 and 32.
"""
_UNUSUAL_SEPARATORS: Final = tuple(
    one.encode()
    for one in "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{EN DASH}\N{NON-BREAKING HYPHEN}"
)
_CITIZEN_NUMBER: Final = (
    r"(?:bsn|burger\s?service\s?-?nummer)[^0-9a-z]{0,4}(?:(?:nummer|nr|no|is)[^0-9a-z]{0,3})?"
    r"([0-9]{9}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{3}|[0-9]{4}[ .-][0-9]{2}[ .-][0-9]{3})(?![0-9])"
)
_CITIZEN: Final = re.compile(rf"(?:(?<![a-z])|{_BEHIND_ESCAPE}){_CITIZEN_NUMBER}", re.IGNORECASE)
_PERHAPS_CITIZEN: Final = re.compile(_CITIZEN_NUMBER, re.IGNORECASE)

_CLASSES: Final = bytes(
    ord("0") if chr(code) in string.digits else ord("a") if chr(code) in string.ascii_letters else ord(" ")
    for code in range(256)
)
_ESCAPE: Final = re.compile(rb"\\{1,4}u[0-9A-Fa-f]{4}|\\.", re.DOTALL)
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_PERSONS: Final = ((b"000000000", 0), (b" 000 00", 1), (b" 00000", 1))
"""
In the classes of characters: nine digits, three and two, or five, one of which is in every way to write a national
number; and how far in its digits begin. To find such a text takes a fraction of what an expression takes.
"""
_CITIZENS: Final = ((b"000000000", 0), (b"000 00", 0))
"""The same for a citizen service number."""
_COUNTRY: Final = b"aa00"
_ELEVEN_DIGITS: Final = b"0" * 11
_MOST_AROUND: Final = 40
"""Bytes before and behind such digits in which the rest of the number is, and the word before it."""


def _structures() -> dict[str, str]:
    """What an account number is made up of in each country that has them, by the registry of SWIFT."""
    registry: Any = numdb.get("iban")
    countries = (first + second for first in string.ascii_uppercase for second in string.ascii_uppercase)
    found = {country: registry.info(country)[0][1].get("bban", "") for country in countries}
    return {country: f"2!n{structure}" for country, structure in found.items() if structure}


_STRUCTURES: Final = _structures()
_COUNTRIES: Final = frozenset(
    written.encode()
    for country in _STRUCTURES
    for written in (country, country.lower(), country.title(), country.title().swapcase())
)


@cache
def _account_number(country: str) -> re.Pattern[str] | None:
    structure = _STRUCTURES.get(country)
    if structure is None:
        return None
    parts = re.findall(r"([0-9]+)!?([nac])", structure)
    digits = "".join(f"(?:{_SEPARATOR}{_KINDS[kind]}){{{count}}}" for count, kind in parts)
    return re.compile(f"{country}{digits}(?![0-9])", re.IGNORECASE)


def without_numbers(text: str, replacement: str, *, bare: bool = True) -> str:
    """
    A text with `replacement` for each number; an empty one closes the gap. `bare`: also those that may be the number
    of a phone, an invoice or a customer.

    >>> without_numbers("Marleen, 85.07.30-033.28, BSN 111222333", "…")
    'Marleen, …, BSN …'
    >>> without_numbers("De Linde BE68 5390 0754 7034", "")
    'De Linde'
    """
    if len(text) < SHORTEST_NUMBER:
        return text
    parts, at = [], 0
    for start, end in sorted(_spans(text, bare=bare)):
        if start >= at:
            parts.append(text[at:start])
            at = end
    if not parts:
        return text
    parts.append(text[at:])
    return replacement.join(parts) if replacement else _joined(parts)


def _joined(parts: list[str]) -> str:
    whole = parts[0].rstrip()
    for part in map(str.strip, parts[1:]):
        whole += part if not whole or not part or part[0] in ",.;:)" else f" {part}"
    return whole.strip()


def _spans(text: str, *, bare: bool) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        if end := _end_of_iban(text, match.start()):
            yield match.start(), end
    for match in _NATIONAL.finditer(text):
        if _is_national(match, bare=bare):
            yield match.span()
    for match in _CITIZEN.finditer(text):
        if bsn.is_valid(match[1]):
            yield match.span(1)


def holds_number(encoded: bytes) -> bool:
    """Whether JSON text holds a number that `without_numbers` would find in one of its texts."""
    escaped = b"\\" in encoded
    encoded = b" %b " % _with_blanks(encoded)
    shape = encoded.translate(_CLASSES)
    lowered = encoded.lower()
    # At the beginning of a word, but for what may stand before it there (`_begins`).
    country = _COUNTRY if escaped or b"iban" in lowered else b" " + _COUNTRY
    for place in _places(shape, country):
        at = place + len(country) - len(_COUNTRY)
        if encoded[at : at + 2] in _COUNTRIES and _begins(encoded, shape, at) and _is_iban(encoded, at):
            return True
    for written, digits in _PERSONS:
        for place in _places(shape, written):
            at = place + digits
            if _follows_a_date(shape, at) and _holds_national(encoded, at):
                return True
    if b"bsn" in lowered or b"service" in lowered:
        return any(_holds_citizen(encoded, at) for written, _ in _CITIZENS for at in _places(shape, written))
    return False


def _places(shape: bytes, written: bytes) -> Iterator[int]:
    """Where a text stands, overlapping or not."""
    at = shape.find(written)
    while at >= 0:
        yield at
        at = shape.find(written, at + 1)


def _with_blanks(encoded: bytes) -> bytes:
    """The text with a blank for whatever is written of one, and for separators that are not ASCII."""
    if b"\\" in encoded:
        encoded = _ESCAPE.sub(b" ", encoded)
    if not encoded.isascii():
        for separator in _UNUSUAL_SEPARATORS:
            encoded = encoded.replace(separator, b" ")
    if b"%" in encoded:
        encoded = _PERCENT.sub(b" ", encoded)
    return encoded


def _follows_a_date(shape: bytes, at: int) -> bool:
    """Whether the digits there are eleven, or come behind six that a blank or a dash parts from them."""
    if shape[at - 1 : at] == b" " and shape[max(0, at - 12) : at].replace(b" ", b"").endswith(b"000000"):
        return True
    return shape.startswith(_ELEVEN_DIGITS, at)


def _around(encoded: bytes, at: int) -> str:
    return encoded[max(0, at - _MOST_AROUND) : at + _MOST_AROUND].decode("latin-1")


def _holds_national(encoded: bytes, at: int) -> bool:
    return any(_fits(match[0], parted=True) for match in _PERHAPS_NATIONAL.finditer(_around(encoded, at)))


def _holds_citizen(encoded: bytes, at: int) -> bool:
    return any(bsn.is_valid(one[1]) for one in _PERHAPS_CITIZEN.finditer(_around(encoded, at)))


def _is_iban(encoded: bytes, at: int) -> bool:
    return _end_of_iban(encoded[at : at + _MOST_WRITTEN].decode("utf-8", "ignore"), 0) > 0


def _begins(encoded: bytes, shape: bytes, at: int) -> bool:
    if at == 0 or shape[at - 1 : at] == b" " or encoded[max(0, at - 4) : at].lower() == b"iban":
        return True
    # JSON in a text of JSON: of what was written for a blank there, a letter is left.
    return shape[at - 2 : at - 1] == b" " and encoded[at - 1 : at] in b"nrtbf"


def _end_of_iban(text: str, start: int) -> int:
    """Where the account number that begins there ends, 0 where none does."""
    pattern = _account_number(text[start : start + 2].upper())
    match = pattern.match(text, start) if pattern is not None else None
    if match is None:
        return 0
    number = _NEITHER.sub("", _WRITTEN_SEPARATOR.sub("", match[0]))
    if not iban.is_valid(number, check_country=False) or _begins_with_vat(match[0]):
        return 0
    return match.end()


def _begins_with_vat(written: str) -> bool:
    """Whether it is a VAT number and a postcode or phone number; account numbers come whole or in groups of four."""
    groups = _NEITHER.split(_WRITTEN_SEPARATOR.sub(" ", written))
    if all(len(group) == 4 for group in groups[:-1]):
        return False
    return any(vat.is_valid("".join(groups[:count])) for count in range(1, len(groups)))


def _is_national(match: re.Match[str], *, bare: bool = True) -> bool:
    """Whether it is a Belgian national number; but for `bare`, only as the register writes it."""
    if _OFFICIAL.fullmatch(match[0]):
        return _fits(match[0], parted=True)
    if not bare:
        return False
    if match[1] or not (match[3] or match[5]):
        return _fits(match[0], parted=False)
    return _GOES_ON.match(match.string, match.end()) is None and _fits(match[0], parted=bool(match[3]))


def _fits(text: str, *, parted: bool) -> bool:
    """Whether date and check digits fit; a date that is not `parted` is one of the calendar, in a likely year."""
    digits = re.sub(r"[^0-9]", "", text)
    if parted:
        return bool(nn.is_valid(digits) or bis.is_valid(digits))
    born = nn.get_birth_date(digits) if nn.is_valid(digits) else None
    return born is not None and born.year in _YEARS_OF_BIRTH
