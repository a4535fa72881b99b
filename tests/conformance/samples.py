"""The contacts that the suite sends: plainly named, at addresses that exist nowhere (RFC 2606)."""

from __future__ import annotations

import secrets
from typing import Any, Final

from worker.core.contact import Json
from worker.core.contact import build as canonical

PREFIX: Final = "contactsync conformance"
"""How the name of every record begins that the suite makes, so that a person knows what may be thrown away."""


def new_tag() -> str:
    """Nine digits that no other run has; never with a zero in front, as they serve as a Robaws id too."""
    return str(secrets.randbelow(900_000_000) + 100_000_000)


def name_of(tag: str) -> str:
    """The name of a record with this tag."""
    return f"{PREFIX} {tag}"


def email_of(tag: str) -> str:
    """The e-mail address of a record with this tag."""
    return f"conformance-{tag}@contactsync.example"


def vat_of(tag: str) -> str:
    """A Belgian VAT number with a right check number, below all that were ever given to anybody."""
    digits = f"00{tag[:6]}"
    return f"BE{digits}{97 - int(digits) % 97:02}"


def contact_of(tag: str, **values: Any) -> Json:
    """An organisation with all that any of the systems can hold; values by canonical path, dots as `__`."""
    given = {
        "kind": "organisation",
        "name": name_of(tag),
        "vat_number": vat_of(tag),
        "email": email_of(tag),
        "phone": "+32 9 000 00 00",
        "mobile": "+32 470 00 00 00",
        "website": "https://contactsync.example",
        "address.line1": "Kerkstraat 12",
        "address.postal_code": "9000",
        "address.city": "Gent",
        "address.country": "BE",
        "language": "nl",
        "currency": "EUR",
        "payment_term_days": "30",
        "persons": [an(tag), bo(tag)],
        "references.robaws_id": tag,
    }
    return canonical(given | {path.replace("__", "."): value for path, value in values.items()})


def an(tag: str, **members: Any) -> Json:
    """The main contact person."""
    made = {"key": "7", "main": True, "first_name": "An", "last_name": "Peeters", "email": f"an-{email_of(tag)}"}
    return {**made, **members}


def bo(tag: str, **members: Any) -> Json:
    """Another contact person."""
    made = {"key": "8", "main": False, "first_name": "Bo", "last_name": "Claes", "email": f"bo-{email_of(tag)}"}
    return {**made, **members}
