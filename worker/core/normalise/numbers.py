"""
The numbers of an organisation as matching compares them: what each one is, and whether its check digits hold.

One organisation has several: Belgium's enterprise number is its VAT number without the letters; the Dutch chamber of
commerce's number (KvK), the RSIN and the VAT number say nothing about each other, but the RSIN stands in most Dutch VAT
numbers, and France's SIREN in both its VAT number and its SIRET. People fill each into either field, two into one, and
put a branch's number or the word for the tax behind it. Two numbers can contradict each other only where they are of
one kind, and a number whose check digits do not hold contradicts nothing by itself: it may be mistyped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA
from stdnum import luhn
from stdnum.ch import uid as swiss
from stdnum.fr import siren as french
from stdnum.nl import bsn as dutch
from stdnum.no import orgnr as norwegian

from worker.core.normalise.countries import country_code
from worker.core.normalise.identifiers import registration_key, vat_key, vat_valid
from worker.core.normalise.text import lines_key

VAT: Final = "vat"
_BELGIAN: Final = "vat:BE"
_FEWEST_DIGITS: Final = 7
"""Shorter ones are placeholders, or cut off; Ireland's VAT numbers have seven, and so has a KvK without its nought."""

_BETWEEN: Final = re.compile(r"[;,/|+&\n]|\b(?:en|et|and|und|of|ou)\b|(?<=\d)\s+(?=[A-Z]{2}\s?\d)", re.IGNORECASE)
_KVK_WITH_BRANCH: Final = re.compile(r"([0-9]{8})[0-9]{4}")


@dataclass(frozen=True)
class CompanyNumber:
    """
    One number. `kind` says which: `vat:BE` (the enterprise number too), `vat:NL` …, `vat:` without a known country,
    `kvk`, `rsin`, `siren`, `branch`, `register`. `checked`: it has check digits, and they hold.
    """

    kind: str
    text: str
    checked: bool
    field: str

    @property
    def key(self) -> str:
        """What it is looked up by: its digits, however it is written."""
        return "".join(char for char in self.text if char.isdecimal()).lstrip("0")

    @property
    def can_be_checked(self) -> bool:
        """Whether numbers of its kind have check digits at all."""
        return self.kind not in ("kvk", "register", "branch")


def company_numbers(vat: str | None, registration: str | None, country: str | None) -> tuple[CompanyNumber, ...]:
    """
    Every number in the two fields of a contact, each kind once; none where a field holds no number.

    >>> [(one.kind, one.text) for one in company_numbers("BE 0403.170.701 BTW", "KvK 12345678 0000", None)]
    [('vat:BE', '0403170701'), ('kvk', '12345678')]
    """
    return _numbers(lines_key(vat), lines_key(registration), country_code(country))


@lru_cache(maxsize=4_096)
def _numbers(vat: str, registration: str, country: str | None) -> tuple[CompanyNumber, ...]:
    found = [one for piece in _pieces(vat) for one in _of_vat(piece, country)]
    found += [one for piece in _pieces(registration) for one in _of_registration(piece, country)]
    return tuple({(one.kind, one.text): one for one in reversed(found) if _tells(one.text)}.values())[::-1]


def _pieces(text: str) -> list[str]:
    """The numbers in one field: its text, or its parts where two of them or more could be one."""
    parts = [part for part in _BETWEEN.split(text) if _digit_count(part) >= _FEWEST_DIGITS]
    if len(text) > 200 or not parts:
        return [text] if text and len(text) <= 200 else []
    return parts if len(parts) > 1 or _digit_count(parts[0]) == _digit_count(text) else [text]


def _digit_count(text: str) -> int:
    return sum(char.isdecimal() for char in text)


def _tells(text: str) -> bool:
    """Whether it can tell one organisation from all others: people fill in `n.v.t.`, dashes and noughts."""
    return _digit_count(text) >= _FEWEST_DIGITS and text.strip("0") != "" and any("1" <= char <= "9" for char in text)


def _of_vat(written: str, country: str | None) -> Iterator[CompanyNumber]:
    number, field = vat_key(written, country), "vat_number"
    letters, rest = number[:2], number[2:]
    if number.startswith("CHE"):
        digits = _only_digits(number)
        yield CompanyNumber("vat:CH", digits, swiss.is_valid(f"CHE{digits}"), field)
    elif letters == "NO" and rest[:9].isdecimal():
        yield CompanyNumber("vat:NO", rest[:9], norwegian.is_valid(rest[:9]), field)
    elif letters == "BE":
        yield _belgian(rest, field)
    elif letters.isalpha():
        yield CompanyNumber(f"vat:{'GB' if letters == 'XI' else letters}", rest, vat_valid(number), field)
        yield from _within(letters, rest, field)
    elif country in (None, "BE") and vat_valid(f"BE{number}"):
        # Nine digits may be another country's; ten with Belgium's check digits are hers.
        yield CompanyNumber(_BELGIAN, number.zfill(10), len(number) == 10 or country == "BE", field)
    elif number:
        yield CompanyNumber(f"vat:{country or ''}", number, False, field)


def _belgian(digits: str, field: str) -> CompanyNumber:
    return CompanyNumber(_BELGIAN, digits.zfill(10), vat_valid(f"BE{digits}"), field)


def _within(letters: str, rest: str, field: str) -> Iterator[CompanyNumber]:
    """Numbers of another kind that stand in a VAT number."""
    if letters == "NL" and dutch.is_valid(rest[:9]):
        yield CompanyNumber("rsin", rest[:9], True, field)
    if letters == "FR" and french.is_valid(rest[2:]):
        yield CompanyNumber("siren", rest[2:], True, field)


def _of_registration(written: str, country: str | None) -> Iterator[CompanyNumber]:
    number, field = registration_key(written, country), "registration_number"
    if number[:2].isalpha() and vat_valid(written):
        for one in _of_vat(written, country):
            yield CompanyNumber(one.kind, one.text, one.checked, field)
    elif not number.isdecimal() or not number.isascii():
        if number:
            yield CompanyNumber("register", number, False, field)
    else:
        yield from _of_digits(number, country, field)


def _of_digits(number: str, country: str | None, field: str) -> Iterator[CompanyNumber]:
    """What digits alone are, by how many they are and by the check digits of those countries that could have them."""
    readings = ((None, "BE"), _belgian_digits), ((None, "NL"), _dutch_digits), ((None, "FR"), _french_digits)
    for countries, read in readings:
        if country in countries and (read_as := read(number, field, known=country is not None)) is not None:
            yield read_as
            return
    yield CompanyNumber("kvk" if len(number) == 8 else "register", number, False, field)


def _belgian_digits(number: str, field: str, *, known: bool) -> CompanyNumber | None:
    if len(number) == 10 and number[0] in "2345678":
        return CompanyNumber("branch", number, False, field)  # of one establishment of the enterprise
    if len(number) not in (9, 10) or not (known or vat_valid(f"BE{number}")):
        return None
    # Nine digits may be another country's as well, unless Belgium's is told.
    checked = vat_valid(f"BE{number}") and (known or len(number) == 10)
    return CompanyNumber(_BELGIAN, number.zfill(10), checked, field)


def _dutch_digits(number: str, field: str, *, known: bool) -> CompanyNumber | None:
    if len(number) == 12 and number.startswith("0000"):
        return CompanyNumber("branch", number, False, field)
    if branch := _KVK_WITH_BRANCH.fullmatch(number):
        return CompanyNumber("kvk", branch.group(1), False, field)
    if len(number) in (7, 8):
        return CompanyNumber("kvk", number.zfill(8), False, field)
    if len(number) == 9 and (known or dutch.is_valid(number)):
        return CompanyNumber("rsin", number, dutch.is_valid(number), field)
    return None


def _french_digits(number: str, field: str, *, known: bool) -> CompanyNumber | None:
    if len(number) == 14 and luhn.is_valid(number):
        return CompanyNumber("siren", number[:9], french.is_valid(number[:9]), field)
    if len(number) == 9 and known:
        return CompanyNumber("siren", number, french.is_valid(number), field)
    return None


def _only_digits(number: str) -> str:
    return "".join(char for char in number if char.isdecimal())


# -------------------------------------------------------------------------------------------------------- comparison
@dataclass(frozen=True)
class Compared:
    """
    The numbers of two sides. `same` are those that both have, `differ` the pairs of one kind that are not the same.

    Of a kind of which both have one in common nothing differs: an organisation may have two.
    """

    same: tuple[tuple[CompanyNumber, CompanyNumber], ...]
    differ: tuple[tuple[CompanyNumber, CompanyNumber], ...]


def compare_numbers(mine: tuple[CompanyNumber, ...], theirs: tuple[CompanyNumber, ...]) -> Compared:
    """What two sides' numbers say about each other."""
    pairs = [(one, other) for one in mine for other in theirs]
    same = tuple(pair for pair in pairs if is_same(*pair))
    settled = {one.kind for pair in same for one in pair}
    settled |= {_family(kind) for kind in settled if _family(kind) == VAT}
    differ = tuple(
        (one, other)
        for one, other in pairs
        if _comparable(one, other) and one.kind not in settled and _family(one.kind) not in settled
    )
    return Compared(same, differ)


def _family(kind: str) -> str:
    return VAT if kind.startswith("vat:") else kind


def _comparable(one: CompanyNumber, other: CompanyNumber) -> bool:
    if one.kind == other.kind:
        return one.kind != "branch"
    # A VAT number of another country is another number; Belgium's enterprise number is filled in as a registration.
    return _family(one.kind) == _family(other.kind) == VAT and one.field == other.field


def is_same(one: CompanyNumber, other: CompanyNumber) -> bool:
    """Equal, or equal but for a country's letters that one of them lacks."""
    if one.kind == other.kind:
        return one.text == other.text
    lettered = {one.kind, other.kind} - {"vat:"}
    return len(lettered) == 1 and _family(lettered.copy().pop()) == VAT and one.key == other.key


def is_near(one: CompanyNumber, other: CompanyNumber) -> bool:
    """Whether a slip of the hand makes one of the other: one digit wrong, missing or too many, or two changed round."""
    return OSA.distance(one.text, other.text, score_cutoff=1) <= 1
