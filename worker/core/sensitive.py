"""
Bank data and identity numbers: recognised by name and by shape, and replaced before anything is stored.

A synchronisation of clients has no use for account numbers, or for the numbers that a state gives to people. Vendors
send them all the same: in members of their own, in fields that a company named itself, in the middle of a sentence. So
whatever is stored goes through here first. By name: a member called `iban` or `Rekeningnummer`, at any depth, whatever
it holds. By shape, in any text: an IBAN whose country, length and check digits fit, a Belgian national number whose
date and check digits fit, a Dutch citizen service number behind the word for it.

Nothing here decides what is written to a vendor; ids are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from worker.core.sensitive_names import is_identifier, is_sensitive, names_a_value
from worker.core.sensitive_numbers import without_numbers
from worker.core.sensitive_screen import may_hold, may_hold_number

REMOVED: Final = "[removed]"
"""What stands for a value that is not kept."""

MOST_LEVELS: Final = 200
"""What lies deeper is replaced as a whole; PostgreSQL and orjson write 254 levels at most."""
MOST_PARSED_BYTES: Final = 256 * 1024
"""A longer answer is quoted by its beginning alone, which is looked through as text."""
_CUT: Final = 256
"""So many characters of a beginning are left out at its end, as a number there may have been cut in two."""

_NONE: Final[frozenset[str]] = frozenset()
_MEMBER: Final = re.compile(r'"((?:[^"\\]|\\.){1,120})"\s*:\s*')
_SCALAR: Final = re.compile(r'[^\s,"\]}\[{]+')
_EMPTY: Final = re.compile(r'(?:null|true|false|""|\[\s*\]|\{\s*\})(?=[\s,\]}]|$)')
_ESCAPED_ASCII: Final = re.compile(r"\\u00([2-7][0-9A-Fa-f])")


def clean(value: Any, *, more: frozenset[str] = _NONE, replacement: str = REMOVED, encoded: bytes | None = None) -> Any:
    """
    A JSON value without bank data and identity numbers; the value itself where it holds none.

    `more` are names of members that are not kept either, in lower case. An empty `replacement` leaves members out and
    closes the gap in a text: for records, whose values may be written onward. `encoded` is the value as orjson writes
    it, where that is at hand; no other writing is understood.

    >>> clean({"name": "De Linde", "bank": {"numbers": ["BE68539007547034"]}})
    {'name': 'De Linde', 'bank': '[removed]'}
    >>> clean({"note": "on BE68 5390 0754 7034, please", "iban": None}, replacement="")
    {'note': 'on, please', 'iban': None}
    """
    if encoded is None:
        encoded = orjson.dumps(value, default=_as_json)
    if not may_hold(encoded) and not _names_one_of(more, encoded):
        return value
    cleaned = _Cleaner(more, replacement, numbers=may_hold_number(encoded)).value(value, "", 0)
    return value if cleaned == value else cleaned


def clean_text(text: str) -> str:
    """
    A sentence without the numbers in it.

    >>> clean_text("IBAN BE68 5390 0754 7034 is in use")
    'IBAN [removed] is in use'
    """
    return without_numbers(text, REMOVED)


def clean_json_text(text: str, more: frozenset[str] = _NONE) -> str:
    """
    The same for JSON that cannot be parsed, as it is cut or broken, and for any other text.

    >>> clean_json_text('{"bank": {"number": "12-34", "at": [1, 2]}, "name": "De Linde", "iban": "NL00')
    '{"bank": "[removed]", "name": "De Linde", "iban": "[removed]"'
    """
    text = _ESCAPED_ASCII.sub(_unescaped, text)
    parts, at = [], 0
    for member in _MEMBER.finditer(text):
        if member.start() < at or not _is_hidden(_name(member[1]), more) or _EMPTY.match(text, member.end()):
            continue
        parts += [text[at : member.end()], f'"{REMOVED}"']
        at = _end_of_value(text, member.end())
    return without_numbers("".join([*parts, text[at:]]), REMOVED)


def clean_body(body: bytes, more: frozenset[str] = _NONE) -> bytes:
    """
    A body that was not understood, as it may be kept; in its own bytes where it holds nothing of the kind.

    The bytes are taken for Latin-1, which has a character for each: none is lost, whatever the encoding was.
    """
    text = body.decode("latin-1")
    cleaned = clean_json_text(text, more)
    try:
        value = orjson.loads(cleaned.encode("latin-1"))
        whole = clean(value, more=more)
        return cleaned.encode("latin-1") if whole is value else orjson.dumps(whole)
    except (ValueError, TypeError):
        return cleaned.encode("latin-1")


def beginning(body: bytes, most: int, more: frozenset[str] = _NONE) -> str:
    """The first `most` characters of an answer as text for people, without bank data and identity numbers."""
    if len(body) <= MOST_PARSED_BYTES and body.lstrip()[:1] in (b"{", b"["):
        try:
            value = orjson.loads(body)
            cleaned = clean(value, more=more)
            if cleaned is not value:
                return orjson.dumps(cleaned).decode().replace("\\u0000", "\N{REPLACEMENT CHARACTER}")[:most]
        except (ValueError, TypeError):
            pass
    window = body[: 2 * most]
    text = window.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    text = clean_json_text(text, more)
    return (text[:-_CUT] if len(window) < len(body) else text)[:most]


class _Cleaner:
    """One walk through a JSON value."""

    def __init__(self, more: frozenset[str], replacement: str, *, numbers: bool) -> None:
        self.more = more
        self.replacement = replacement
        self.numbers = numbers

    def value(self, value: Any, name: str, depth: int) -> Any:
        """A value under a member's name; those of a list are under the list's."""
        if isinstance(value, str):
            return without_numbers(value, self.replacement, bare=not is_identifier(name)) if self.numbers else value
        if isinstance(value, Mapping):
            return self.members(value, depth) if depth < MOST_LEVELS else self.replacement or None
        if isinstance(value, list | tuple):
            return [self.value(one, name, depth + 1) for one in value] if depth < MOST_LEVELS else []
        if self.numbers and type(value) in (int, float) and not is_identifier(name):
            text = str(value).removesuffix(".0")
            return value if without_numbers(text, REMOVED) == text else self.replacement or None
        return value

    def members(self, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """An object; `{"name": "IBAN", "value": …}` is a member in another guise."""
        hidden = names_a_value(value)
        cleaned: dict[str, Any] = {}
        for name, inner in value.items():
            if _is_empty(inner):
                cleaned[name] = inner
            elif _is_hidden(name, self.more):
                if self.replacement:
                    cleaned[name] = self.replacement
            elif name in hidden:
                cleaned[name] = self.replacement or None
            else:
                kept = without_numbers(name, REMOVED) if self.numbers else name
                cleaned[kept] = self.value(inner, name, depth + 1)
        return cleaned


def _as_json(value: Any) -> Any:
    """What orjson does not write of itself, as far as `_Cleaner` looks into it."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else None


def _names_one_of(names: frozenset[str], encoded: bytes) -> bool:
    """Whether a member has one of these names, in any case."""
    lowered = encoded.decode().lower() if names else ""
    return any(f"{orjson.dumps(name).decode()}:" in lowered for name in names)


def _is_hidden(name: str, more: frozenset[str]) -> bool:
    return is_sensitive(name) or (bool(more) and name.lower() in more)


def _is_empty(value: Any) -> bool:
    """What tells nothing: none, a switch, an empty text or list."""
    return value is None or isinstance(value, bool) or value in ("", [], {})


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return match[0] if character in '"\\' or not character.isprintable() else character


def _name(written: str) -> str:
    try:
        return str(orjson.loads(f'"{written}"')) if "\\" in written else written
    except ValueError:
        return written


def _end_of_value(text: str, at: int) -> int:
    """Where a JSON value ends, or the text if that is first."""
    opened = 0
    while at < len(text):
        character = text[at]
        if character == '"':
            at = _end_of_string(text, at)
        elif character in "[{":
            opened += 1
            at += 1
        elif character in "]}":
            opened -= 1
            at += 1
        elif character in ",: \t\r\n":
            at += 1
        else:
            scalar = _SCALAR.match(text, at)
            at = scalar.end() if scalar else at + 1
        if opened <= 0:
            return at
    return at


_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _end_of_string(text: str, at: int) -> int:
    string = _STRING.match(text, at)
    return string.end() if string else len(text)
