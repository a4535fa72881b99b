"""
Account numbers and identity numbers in a text, by their shape and their check digits.

`worker.core.sensitive_screen` is made from the shapes here: what is taken for a number by another one is added there.
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

_UNUSUAL: Final = "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{EN DASH}\N{NON-BREAKING HYPHEN}"
_WRITTEN: Final = ("%20", "&nbsp;", r"\u00a0", r"\u202f")
SEPARATORS: Final = (*f" ./_+\t{_UNUSUAL}-", *_WRITTEN)
"""What may be between the parts of an account number, up to two of them."""
_WRITTEN_SEPARATOR: Final = re.compile("|".join(map(re.escape, _WRITTEN)))
_SEPARATOR: Final = rf"(?:[ ./_+\t{_UNUSUAL}-]|{_WRITTEN_SEPARATOR.pattern}){{0,2}}"
_SHORTEST: Final = 8
"""A text with fewer characters holds none."""
_NEITHER: Final = re.compile(r"[^0-9A-Za-z]")
KINDS: Final = {"n": "[0-9]", "a": "[A-Za-z]", "c": "[0-9A-Za-z]"}

_BEHIND_ESCAPE: Final = r"(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
"""What is written of a blank in JSON and in addresses ends in a letter or a digit, and no word goes on there."""
_IBAN: Final = re.compile(rf"(?:(?<![0-9A-Za-z])|(?<=[Ii][Bb][Aa][Nn])|{_BEHIND_ESCAPE})[A-Za-z]{{2}}[0-9]{{2}}")
BETWEEN: Final = f"[ ./{_UNUSUAL}-]"
"""What may be between those of a national number."""
_NATIONAL: Final = re.compile(
    rf"(?:(?<![0-9A-Za-z+])|{_BEHIND_ESCAPE})"
    rf"(?:([0-9]{{11}})|([0-9]{{2}}({BETWEEN}?)[0-9]{{2}}\3[0-9]{{2}})({BETWEEN}{{1,3}})[0-9]{{3}}({BETWEEN}?)[0-9]{{2}})"
    r"(?![0-9A-Za-z@])"
)
"""Eleven digits in a row, or a date of birth and what parts it from the others; its own parts have the same twice."""
_GOES_ON: Final = re.compile(rf"{BETWEEN}[0-9]{{1,3}}(?![0-9])")
"""Behind such digits: they begin a phone number with its country, or are a date with a phone number behind it."""
_OFFICIAL: Final = re.compile(rf"[0-9]{{2}}\.[0-9]{{2}}\.[0-9]{{2}}{BETWEEN}{{1,3}}[0-9]{{3}}{BETWEEN}?[0-9]{{2}}")
"""As the register writes it; no phone number and no id is written like that."""
_YEARS_OF_BIRTH: Final = range(1935, 2015)
"""
Digits that nothing parts, or one dash alone, are taken for the number of somebody between these: invoices and orders
are numbered by the date of today, and phone numbers of the Netherlands and Belgium begin with 31 and 32.
"""
_CITIZEN: Final = re.compile(
    rf"(?:(?<![a-z])|{_BEHIND_ESCAPE})"
    r"(?:bsn|burger\s?service\s?-?nummer)[^0-9a-z]{0,4}(?:(?:nummer|nr|no|is)[^0-9a-z]{0,3})?"
    r"([0-9]{9}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{3}|[0-9]{4}[ .-][0-9]{2}[ .-][0-9]{3})(?![0-9])",
    re.IGNORECASE,
)


def _structures() -> dict[str, str]:
    """What an account number is made up of in each country that has them, by the registry of SWIFT."""
    registry: Any = numdb.get("iban")
    countries = (first + second for first in string.ascii_uppercase for second in string.ascii_uppercase)
    found = {country: registry.info(country)[0][1].get("bban", "") for country in countries}
    return {country: f"2!n{structure}" for country, structure in found.items() if structure}


STRUCTURES: Final = _structures()


@cache
def _account_number(country: str) -> re.Pattern[str] | None:
    structure = STRUCTURES.get(country)
    if structure is None:
        return None
    parts = re.findall(r"([0-9]+)!?([nac])", structure)
    digits = "".join(f"(?:{_SEPARATOR}{KINDS[kind]}){{{count}}}" for count, kind in parts)
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
    if len(text) < _SHORTEST:
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
