"""
The invoice address of a Recras customer: `factuur_adressering`, the whole block as it stands on the invoice.

The vendor's own example (https://demo.recras.nl/docs/api/webhooks/klant_postupdate.html) begins with the addressee:
`Familie Jansen`, `T.a.v. P. Jansen`, `Oeverstraat 12`, `9712AB Groningen`, each on a line of its own. What stands there
takes the place of the customer's name and address on the invoice, so a block without the name sends an invoice without
one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from worker.core import contact as canonical
from worker.core.normalise import NORMALISERS, country_code, country_name_nl, folded, identity_key

if TYPE_CHECKING:
    from worker.core.contact import Json

ATTENTION: Final = "T.a.v."

_ADDRESSES: Final = ("invoice_address", "address")
_PARTS: Final[Mapping[str, str]] = {
    "line1": "text",
    "line2": "text",
    "postal_code": "postcode",
    "city": "text",
    "country": "country",
}
PATHS: Final = tuple(f"invoice_address.{part}" for part in _PARTS)
"""The canonical paths that the address in the block is made from."""

_DUTCH_POSTCODE: Final = re.compile(r"\s*([1-9][0-9]{3})\s*([A-Za-z]{2})\s*")


def invoice_block(contact: Json) -> str | None:
    """
    Addressee, attention line, street, postcode with city, and the country where it is another one; in lines.

    None where the invoice address is the address anyway: what stands there overrides the customer's own address on
    invoices, so that it would hide a later change (Recras sheet 11, trap 13).
    """
    invoice, address = ({part: canonical.get(contact, f"{which}.{part}") for part in _PARTS} for which in _ADDRESSES)
    given = any(invoice[part] for part in _PARTS if part != "country")
    abroad = bool(invoice["country"] and address["country"]) and not _same("country", invoice, address)
    if not given or (not abroad and all(_same(part, invoice, address) for part in _PARTS if part != "country")):
        return None
    addressee = contact.get("name") or canonical.full_name(contact)
    place = " ".join(str(part) for part in (_postcode(invoice["postal_code"]), invoice["city"]) if part)
    country = country_name_nl(country_code(invoice["country"])) or invoice["country"] if abroad else None
    lines = (addressee, _attention(contact, addressee), invoice["line1"], invoice["line2"], place, country)
    return "\n".join(str(line) for line in lines if line)


def _same(part: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return NORMALISERS[_PARTS[part]](one[part]) == NORMALISERS[_PARTS[part]](other[part])


def _postcode(value: Any) -> str | None:
    """
    As the vendor's example writes it: a Dutch postcode without a blank; any other as it is.

    >>> _postcode("9712 ab"), _postcode("SW1A 1AA")
    ('9712AB', 'SW1A 1AA')
    """
    match = _DUTCH_POSTCODE.fullmatch(str(value or ""))
    return f"{match[1]}{match[2].upper()}" if match else (str(value) if value else None)


def _attention(contact: Json, addressee: str | None) -> str | None:
    """The line of the person who receives the invoices; none where nobody is known, or where that is the addressee."""
    person = invoice_person(contact)
    name = canonical.full_name(person) if person else None
    return f"{ATTENTION} {name}" if name and folded(name) != folded(addressee) else None


def invoice_person(contact: Json) -> Mapping[str, Any] | None:
    """
    The one person who receives the invoices: the only one that Robaws marks so, else the only one with the client's
    invoice e-mail. None where nobody is, or several are: a letter has one reader.
    """
    listed = contact.get("persons") or []
    email = identity_key("email", contact.get("invoice_email"))
    marked = [person for person in listed if person.get("invoices")]
    reached = [person for person in listed if email and identity_key("email", person.get("email")) == email]
    chosen = marked or reached
    return chosen[0] if len(chosen) == 1 else None
