"""Comparison keys of plain text, and of the short values that are text in one system and something else in another."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, ParamSpec, TypeVar

# Pasted along with a value and seen by nobody: soft hyphen, zero width space, word joiner, byte order mark and the
# marks of writing direction. The joiners U+200C and U+200D stay, as they change what a person reads.
_UNSEEN: Final = dict.fromkeys(
    [0x00AD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_WHOLE_NUMBER: Final = re.compile(r"([+-]?)0*([0-9]+?)(?:\.0+)?")
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.DOTALL)
# The country before a postcode, as on an envelope: with a dash, or straight before four digits at least.
_ENVELOPE_COUNTRIES: Final = "AT|BE|CH|CZ|DE|DK|ES|FI|FR|HU|IT|LU|NL|NO|PL|PT|SE"
_POSTCODE_COUNTRY: Final = re.compile(
    rf"(?:(?:{_ENVELOPE_COUNTRIES}|[ABDEFILNPS])-(?=\d{{3}})|(?:{_ENVELOPE_COUNTRIES})(?=\d{{4}}))"
)
_DASHES: Final = re.compile(r"[\u2010-\u2015\u2212]")
_TRUE: Final = frozenset({"true", "1", "yes", "ja", "oui", "y", "on", "waar", "vrai", "wahr"})
_FALSE: Final = frozenset({"false", "0", "no", "nee", "non", "nein", "n", "off", "onwaar", "faux", "falsch"})

_KEPT: Final = 4_096
_SHORT: Final = 200

_Given = ParamSpec("_Given")
_Key = TypeVar("_Key")


def kept(key: Callable[_Given, _Key]) -> Callable[_Given, _Key]:
    """
    Keep what a function of texts said of short ones: a delivery, and more so a search, asks the same again and again.

    An e-mail address takes a tenth of a millisecond, and one search for a client compares hundreds of numbers.
    """
    known = lru_cache(maxsize=_KEPT)(key)

    @wraps(key)
    def asked(*values: _Given.args, **named: _Given.kwargs) -> _Key:
        if len(values) == 1 and type(values[0]) is str and len(values[0]) <= _SHORT and not named:
            return known(values[0])  # nearly all of them, so that the others' way costs these nothing
        short = all(value is None or (isinstance(value, str) and len(value) <= _SHORT) for value in values)
        return known(*values) if short and not named else key(*values, **named)

    return asked


def as_text(value: object) -> str:
    """
    Any JSON value as text: nothing at all (null, empty text, empty array or object) is the empty text.

    >>> [as_text(value) for value in (None, [], True, 14, 14.0, "x", ["b", 1])]
    ['', '', 'true', '14', '14', 'x', '["b",1]']
    """
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}, ()):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return str(value)


def text_key(value: str | None) -> str:
    """
    The text as a person sees it: trimmed, runs of blanks as one, composed accents (NFC), nothing unseen. Case counts.

    Control characters are left out as well; some systems drop them, and PostgreSQL holds no NUL.

    >>> text_key("  Dakwerken \\u00a0De\\nLinde ")
    'Dakwerken De Linde'
    """
    if not value:
        return ""
    words = " ".join(value.translate(_UNSEEN).split())
    seen = "".join(char for char in words if unicodedata.category(char) != "Cc")
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def lines_key(value: str | None) -> str:
    """
    As `text_key`, but a break between two lines counts; how it is coded, and blank lines, do not.

    >>> lines_key("Kerkstraat 12 \\r\\n\\r\\n9000 Gent")
    'Kerkstraat 12\\n9000 Gent'
    """
    return "\n".join(line for line in map(text_key, (value or "").splitlines()) if line)


def choice_key(value: str | None) -> str:
    """
    A word from a list, for comparison: as `text_key`, and case does not count.

    >>> choice_key(" Aannemer ")
    'aannemer'
    """
    return settled(text_key(value).casefold())


def boolean_key(value: str | None) -> str:
    """
    `true`, `false` or nothing; what is neither stays as a `choice_key`, so that it is not lost.

    >>> boolean_key("Ja"), boolean_key("0"), boolean_key(None), boolean_key("maybe")
    ('true', 'false', '', 'maybe')
    """
    word = choice_key(value)
    if word in _TRUE:
        return "true"
    return "false" if word in _FALSE else word


def integer_key(value: str | None) -> str:
    """
    A whole number, however it is written; what is none stays as a `text_key`.

    >>> integer_key("014"), integer_key("14.0"), integer_key("+14"), integer_key("14 days")
    ('14', '14', '14', '14 days')
    """
    text = text_key(value)
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, digits = match.groups()
    return f"-{digits}" if sign == "-" and digits != "0" else digits


def postcode_key(value: str | None) -> str:
    """
    A postcode without blanks, in capitals, and without the country that is written before it on an envelope.

    >>> postcode_key("1337 xd"), postcode_key("B-9000"), postcode_key("NL-1234 AB"), postcode_key("LU 1234")
    ('1337XD', '9000', '1234AB', '1234')
    """
    code = _DASHES.sub("-", settled(text_key(value).upper().replace(" ", "")))
    return code[word.end() :] if (word := _POSTCODE_COUNTRY.match(code)) else code


def language_key(value: str | None) -> str:
    """
    The language without its region; what is no code stays as a `choice_key`.

    >>> language_key("nl-BE"), language_key("NL_be"), language_key("Nederlands")
    ('nl', 'nl', 'nederlands')
    """
    word = choice_key(value)
    match = _LANGUAGE.fullmatch(word)
    return match.group(1) if match else word


def address_lines(line1: str | None, line2: str | None) -> str:
    """
    Both address lines in one, as vendors with a single member want it; a break between them is lost.

    >>> address_lines("Kerkstraat 12", "bus 3"), address_lines("Kerkstraat 12", None)
    ('Kerkstraat 12, bus 3', 'Kerkstraat 12')
    """
    return ", ".join(line for line in map(text_key, (line1, line2)) if line)


def settled(text: str) -> str:
    """NFC once more: a change of case can leave what would compose, or be written otherwise, the next time."""
    return unicodedata.normalize("NFC", text)
