"""
Masks: what a viewer sees of personal data in requests, answers and events.

Three nets, one behind the other: the contact's own values, wherever they stand in a text; members whose name says that
they are personal, by the vendors' mapping tables; and whatever looks like a mail address or a phone number. Of a list
that a vendor answered nothing is shown but ids and the like: the records in it are other people's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import orjson

from worker.core import contact as canonical
from worker.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.core.mapping import FieldRow, VendorMapping

MASK: Final = "•••"
PERSONAL: Final = frozenset(("contact", "identity"))

_EMAIL: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"(?<![\w-])(?:\+|00|0)(?:[ ./()-]*\d){7,14}(?![\w-])")
_SHORTEST: Final = 3
_MOST_DEPTH: Final = 60

# Names of members that no mapping table has, as they stand in other parts of the vendors' records.
_MORE_NAMES: Final = (
    "name naam firstname lastname voornaam achternaam fullname contactname contact_name contact_person_name "
    "contactperson persons contactpersonen contacts email emails e_mail mail phone tel telephone telefoon mobile gsm "
    "fax address adres street straat housenumber huisnummer zip zipcode postcode postalcode city plaats woonplaats "
    "notes remark remarks opmerking birthdate geboortedatum iban"
)
_NEVER: Final = frozenset(("id", "type", "country", "language", "landcode", "status"))
_OPEN_PARAMETERS: Final = frozenset(("include", "selection", "sort", "updatedFrom", "database-mode"))
_OF_PERSONS: Final = frozenset(field.path for field in canonical.PERSON_FIELDS)


class Masker:
    """The three nets over requests, answers and events; knows the tables of the vendors."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def names(self) -> frozenset[str]:
        """Members that hold personal data. Read off the tables when a viewer first asks: loading them takes a while."""
        return _personal_names(self._settings)

    def json(
        self, value: Any, known: Sequence[str] = (), *, by_name: bool = True, lists: bool = False, depth: int = 0
    ) -> Any:
        """A JSON value; `by_name` also masks whatever stands under a personal member, `lists` all records in lists."""
        if depth > _MOST_DEPTH:
            return MASK
        if isinstance(value, str):
            return mask_text(value, known)
        if isinstance(value, Mapping):
            return {
                mask_text(str(name), known): (
                    hide(inner)
                    if by_name and _last(str(name)) in self.names
                    else self.json(inner, known, by_name=by_name, lists=lists, depth=depth + 1)
                )
                for name, inner in value.items()
            }
        if isinstance(value, Sequence):
            return [
                _stranger(inner)
                if lists and isinstance(inner, Mapping)
                else self.json(inner, known, by_name=by_name, lists=lists, depth=depth + 1)
                for inner in value
            ]
        return value

    def body(self, text: str | None, known: Sequence[str] = (), *, by_name: bool = True) -> str | None:
        """A body: as JSON where it is some, else as text."""
        if text is None:
            return None
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            # Only the beginning of a long answer is kept: what was cut cannot be told apart by its members any more.
            return MASK if by_name and text.lstrip()[:1] in ("{", "[") else mask_text(text, known)
        return orjson.dumps(self.json(value, known, by_name=by_name, lists=by_name)).decode()


def known_values(contact: Mapping[str, Any] | None) -> list[str]:
    """The personal values of a canonical contact, the longest first."""
    if not contact:
        return []
    found = {str(canonical.get(contact, field.path) or "") for field in canonical.FIELDS if field.personal in PERSONAL}
    for person in contact.get("persons") or ():
        found |= {str(person.get(field.path) or "") for field in canonical.PERSON_FIELDS}
    return sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True)


def mask_text(text: str, known: Iterable[str] = ()) -> str:
    """A text without the known values, mail addresses and phone numbers."""
    for value in known:
        text = text.replace(value, MASK)
    return _PHONE.sub(MASK, _EMAIL.sub(MASK, text))


def mask_path(path: str, known: Iterable[str] = ()) -> str:
    """
    A path without what was searched for; numbers and the words of a list's own parameters stay.

    >>> mask_path("/contacts?search%5Bq%5D=De+Linde&page=1")
    '/contacts?search%5Bq%5D=•••&page=1'
    """
    bare, mark, query = path.partition("?")
    shown = [_mask_parameter(part) for part in query.split("&")]
    return mask_text(bare, known) + mark + "&".join(shown)


def _mask_parameter(part: str) -> str:
    name, is_, value = part.partition("=")
    return part if value.isdecimal() or name in _OPEN_PARAMETERS else f"{name}{is_}{MASK if value else ''}"


def mask_fields(contact: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A canonical contact: the values of personal fields hidden, the name left, so that a viewer knows whose it is."""
    if contact is None:
        return None
    shown: dict[str, Any] = orjson.loads(orjson.dumps(contact))
    for field in canonical.FIELDS:
        value = canonical.get(shown, field.path)
        if field.personal in PERSONAL and field.path != "name" and value not in (None, "", []):
            canonical.put(shown, field.path, hide(value))
    return shown


def _stranger(record: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A record of a list: which one it is, and the shape of the rest; records that it wraps likewise."""
    return {
        str(name): inner
        if str(name).lower() in _NEVER and not isinstance(inner, Mapping | list)
        else _stranger(inner, depth + 1)
        if isinstance(inner, Mapping) and depth < _MOST_DEPTH
        else hide(inner)
        for name, inner in record.items()
    }


def hide(value: Any, depth: int = 0) -> Any:
    """The shape of a value without its contents: texts and numbers hidden, empty ones left."""
    if value is None or value == "" or isinstance(value, bool):
        return value
    if depth > _MOST_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return {name: hide(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [hide(inner, depth + 1) for inner in value]
    return MASK


def _personal_names(settings: Settings) -> frozenset[str]:
    """The members, by their last part, that hold personal data at any vendor or in the canonical contact."""
    rows = [row for mapping in _mappings(settings) for row in _rows(mapping)]
    names = {_last(row.vendor) for row in rows if row.personal in PERSONAL or row.canonical in _OF_PERSONS}
    names |= {_last(field.path) for field in canonical.FIELDS if field.personal in PERSONAL}
    names |= _OF_PERSONS
    return frozenset(names | set(_MORE_NAMES.split())) - _NEVER


def _rows(mapping: VendorMapping) -> list[FieldRow]:
    return [*mapping.rows, *(mapping.persons.rows if mapping.persons else ())]


def _mappings(settings: Settings) -> Iterable[VendorMapping]:
    """The tables of all vendors whose table can be made from these settings."""
    from worker.vendors import contract

    for name in contract.KNOWN:
        try:
            yield contract.build(name, settings.system(name)).mapping
        except ConfigurationError:
            continue


def _last(path: str) -> str:
    """The last part of `address.city`, and of `contact[city]` as forms write it."""
    return path.rstrip("]").replace("[", ".").rpartition(".")[2].lower()
