"""What a contact and a record are compared by, and found by: one key for each number, address and name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.normalise import NORMALISERS, email_keys, identity_key, name_key, phone_readings
from worker.core.normalise.numbers import CompanyNumber, company_numbers

_PHONE_DIGITS: Final = 8
_BETWEEN_PHONES: Final = re.compile(r"[/;,|\n]|\b(?:of|en|ou|et)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """
    A record of a system that may be the contact, in canonical terms.

    `values` by canonical path, as the mapping's `inward` gives them; `emails` are all addresses found on it.
    `usable` is False for a record that may never be linked (a supplier, one in the bin), with the reason in `why_not`.
    """

    external_id: str
    name: str | None
    values: Mapping[str, Any]
    emails: tuple[str, ...] = ()
    reference: str | None = None
    usable: bool = True
    why_not: str = ""

    def without(self, values: Mapping[str, Any], reference: str | None) -> Candidate:
        """The same record, as if it did not hold these values and this reference; its name and e-mails stay."""
        kept = {path: value for path, value in self.values.items() if value != values.get(path)}
        return replace(self, values=kept, reference=None if self.reference == reference else self.reference)


@dataclass(frozen=True)
class MatchingKeys:
    """What one side is compared and looked up by; an empty one tells nothing."""

    name: str
    company_numbers: tuple[CompanyNumber, ...]
    emails: frozenset[str]
    phones: frozenset[str]
    postcode: str
    invoice_postcode: str = ""

    @property
    def postcodes(self) -> frozenset[str]:
        """Of both addresses of a contact: a system that holds one of them may hold either."""
        return frozenset({self.postcode, self.invoice_postcode} - {""})

    @property
    def numbers(self) -> frozenset[str]:
        """The digits of its numbers."""
        return frozenset(one.key for one in self.company_numbers)


def keys_of_contact(contact: Json) -> MatchingKeys:
    """The keys of a contact, with the e-mails of its persons."""
    found = [contact.get("email"), contact.get("invoice_email")]
    found += [person.get("email") for person in contact.get("persons") or []]
    return _keys(contact, contact.get("name"), found)


def keys_of_record(candidate: Candidate) -> MatchingKeys:
    """The keys of a record."""
    return _keys(candidate.values, candidate.name, candidate.emails)


def _keys(values: Mapping[str, Any], name: Any, emails: Iterable[Any]) -> MatchingKeys:
    country = as_lines(_value(values, "address.country"))
    vat, registration = (as_lines(_value(values, path)) for path in ("vat_number", "registration_number"))
    return MatchingKeys(
        name_key(as_lines(name)),
        company_numbers(vat, registration, country),
        frozenset().union(*(email_keys(as_lines(email)) for email in emails)),
        frozenset().union(*(_phone_keys(as_lines(_value(values, path)), country) for path in ("phone", "mobile"))),
        NORMALISERS["postcode"](_value(values, "address.postal_code")),
        NORMALISERS["postcode"](_value(values, "invoice_address.postal_code")),
    )


def _phone_keys(written: str, country: str) -> frozenset[str]:
    """Every number that a text may mean: without its country it may be one of several, and people put two into one."""
    parts = [part for part in _BETWEEN_PHONES.split(written) if sum(map(str.isdecimal, part)) >= _PHONE_DIGITS]
    found = [_phone_reading(part, country) for part in (parts if len(parts) > 1 else [written]) if part]
    return frozenset().union(*found)


def _phone_reading(written: str, country: str) -> frozenset[str]:
    return frozenset(phone_readings(written, country)) or frozenset({identity_key("phone", written)} - {""})


def _value(values: Mapping[str, Any], path: str) -> Any:
    """A canonical value, of a nested contact or of a record's values by path."""
    value = values.get(path)
    return canonical.get(values, path) if value is None else value


def as_lines(value: Any) -> str:
    """A value as text, its lines kept: two values in one field may stand on two."""
    return NORMALISERS["lines"](value)
