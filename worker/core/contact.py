"""
The canonical contact: one shape between all systems, as JSON.

A contact is kept as nested JSON objects, so that a field is a dotted path (`address.city`), a change is a merge
patch and a mapping is a table. This module names the paths, says what each is for, and builds the shape. Values keep
the text that the source gave; what counts as equal is decided by the normaliser of a field (`normalise`), never by
changing the stored value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

Json = dict[str, Any]
PersonalData = Literal["none", "contact", "identity", "business"]


@dataclass(frozen=True)
class CanonicalField:
    """
    One field of the canonical contact.

    `normaliser` is a word of `normalise.NORMALISERS`; `personal` is the class of personal data that decides on masks:
    `contact` (mail, phone, address), `identity` (names of people), `business` (company facts), `none`.
    """

    path: str
    label: str
    normaliser: str
    personal: PersonalData


FIELDS: Final[tuple[CanonicalField, ...]] = (
    CanonicalField("kind", "organisation or person", "choice", "none"),
    CanonicalField("name", "name", "text", "identity"),
    CanonicalField("first_name", "first name (a person)", "text", "identity"),
    CanonicalField("last_name", "last name (a person)", "text", "identity"),
    CanonicalField("legal_name", "legal name", "text", "business"),
    CanonicalField("legal_form", "legal form", "text", "business"),
    CanonicalField("vat_number", "VAT number", "vat", "business"),
    CanonicalField("registration_number", "registration number", "registration", "business"),
    CanonicalField("email", "e-mail", "email", "contact"),
    CanonicalField("invoice_email", "invoice e-mail", "email", "contact"),
    CanonicalField("phone", "phone", "phone", "contact"),
    CanonicalField("mobile", "mobile phone", "phone", "contact"),
    CanonicalField("website", "website", "url", "business"),
    CanonicalField("address.line1", "street and number", "text", "contact"),
    CanonicalField("address.line2", "second address line", "text", "contact"),
    CanonicalField("address.postal_code", "postcode", "postcode", "contact"),
    CanonicalField("address.city", "city", "text", "contact"),
    CanonicalField("address.country", "country", "country", "contact"),
    CanonicalField("invoice_address.line1", "invoice street and number", "text", "contact"),
    CanonicalField("invoice_address.line2", "second invoice address line", "text", "contact"),
    CanonicalField("invoice_address.postal_code", "invoice postcode", "postcode", "contact"),
    CanonicalField("invoice_address.city", "invoice city", "text", "contact"),
    CanonicalField("invoice_address.country", "invoice country", "country", "contact"),
    CanonicalField("language", "language", "language", "none"),
    CanonicalField("currency", "currency", "choice", "none"),
    CanonicalField("payment_term_days", "payment term in days", "integer_text", "business"),
    CanonicalField("status", "status", "text", "business"),
    CanonicalField("notes", "notes", "text", "contact"),
    CanonicalField("persons", "contact persons", "persons", "identity"),
    CanonicalField("references.robaws_id", "Robaws id", "text", "none"),
    CanonicalField("references.customer_number", "customer number", "text", "business"),
    CanonicalField("references.routix_id", "Routix id", "text", "none"),
)

BY_PATH: Final[Mapping[str, CanonicalField]] = {field.path: field for field in FIELDS}

UNITS: Final[Mapping[str, CanonicalField]] = {
    "address": CanonicalField("address", "address", "text", "contact"),
    "invoice_address": CanonicalField("invoice_address", "invoice address", "text", "contact"),
    "*": CanonicalField("*", "several fields", "text", "contact"),
}
"""Values that several fields hold between them, by the name of a mapping row's `unit`, and all that a record holds."""

PERSON_FIELDS: Final[tuple[CanonicalField, ...]] = (
    CanonicalField("first_name", "first name", "text", "identity"),
    CanonicalField("last_name", "last name", "text", "identity"),
    CanonicalField("title", "salutation", "text", "identity"),
    CanonicalField("function", "job title", "text", "identity"),
    CanonicalField("email", "e-mail", "email", "contact"),
    CanonicalField("phone", "phone", "phone", "contact"),
    CanonicalField("mobile", "mobile phone", "phone", "contact"),
)


def get(record: Mapping[str, Any], path: str) -> Any:
    """
    The value at a dotted path, None where any part is missing.

    >>> get({"address": {"city": "Gent"}}, "address.city")
    'Gent'
    >>> get({"address": None}, "address.city") is None
    True
    """
    value: Any = record
    for part in _parts(path):
        if type(value) is not dict and not isinstance(value, Mapping):  # the second one takes ten times as long
            return None
        value = value.get(part)
    return value


@lru_cache(maxsize=1_024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def put(record: Json, path: str, value: Any) -> None:
    """
    Set the value at a dotted path, making the objects on the way.

    >>> record: Json = {}
    >>> put(record, "address.city", "Gent")
    >>> record
    {'address': {'city': 'Gent'}}
    """
    *parents, last = path.split(".")
    for part in parents:
        inner = record.get(part)
        if not isinstance(inner, dict):
            inner = record[part] = {}
        record = inner
    record[last] = value


def build(values: Mapping[str, Any]) -> Json:
    """
    A canonical contact from values by path; every path of `FIELDS` is present, None (persons: []) where not given.

    Text is trimmed; an empty text counts as None. KeyError names a path that is not canonical.

    >>> build({"name": " Dakwerken De Linde "})["name"]
    'Dakwerken De Linde'
    """
    for path in values:
        if path not in BY_PATH:
            raise KeyError(path)
    contact: Json = {}
    for field in FIELDS:
        value = values.get(field.path)
        if isinstance(value, str):
            value = value.strip() or None
        if field.path == "persons":
            value = list(value or [])
        put(contact, field.path, value)
    return contact


def main_person(contact: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """
    The main contact person: the one that the source marks, else its first; None without persons.

    >>> main_person({"persons": [{"first_name": "An"}, {"first_name": "Bo", "main": True}]})["first_name"]
    'Bo'
    """
    persons = contact.get("persons") or []
    for person in persons:
        if person.get("main"):
            return dict(person)
    return dict(persons[0]) if persons else None


def full_name(person: Mapping[str, Any]) -> str | None:
    """
    First and last name in one text, None when both are empty.

    >>> full_name({"first_name": "An", "last_name": "Peeters"})
    'An Peeters'
    """
    parts = [str(person.get(part) or "").strip() for part in ("first_name", "last_name")]
    return " ".join(part for part in parts if part) or None


def leaves(contact: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every canonical path with its value, persons as one value."""
    for field in FIELDS:
        yield field.path, get(contact, field.path)
