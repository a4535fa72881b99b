"""
What a Rompslomp contact holds of ours: the table of its 19 members (Rompslomp sheets 6 and 12).

The members are those of the vendor's OpenAPI file, https://api.rompslomp.nl/developer/swagger/v1/swagger.yaml. A
record is one contact with one address, one e-mail and one phone; what has no place is listed for each contact
(`RompslompMapping.unheld`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from typing_extensions import override

from worker.core import contact as canonical
from worker.core.mapping import COUNTRY_LENGTH, FieldRow, NamesByKind, VendorMapping
from worker.core.normalise import NORMALISERS, country_code, email_key, email_keys
from worker.vendors.contract import Record
from worker.vendors.values import ADDRESS_PARTS, invoice_group, kvk_number, kvk_numbers, name_to_search, vat_number

if TYPE_CHECKING:
    from worker.core.contact import Json

AddressChoice = Literal["invoice", "visiting"]
VERSIONS: Final[Mapping[AddressChoice, str]] = {"visiting": "rompslomp-1", "invoice": "rompslomp-2"}
CUSTOMER_NUMBER: Final = "references.customer_number"
SEARCHABLE_REFERENCE: Final = "contact_number"
"""The one member among those that may carry our reference that `search[q]` looks at (sheet 4.1)."""

MAX_LENGTH: Final = 255
"""For every text; said of another resource of the vendor's, so assumed here (sheet 9)."""

_PAGE: Final = "https://api.rompslomp.nl/developer/swagger/v1/swagger.yaml"
_MEMBERS: Final = f"Rompslomp sheet 6 and 12, {_PAGE}"


# ---------------------------------------------------------------------------------------------------------- outward
def _is_person(contact: Json) -> bool:
    return contact.get("kind") == "person"


def _company_name(contact: Json) -> str | None:
    return None if _is_person(contact) else contact.get("name")


def _own_name(contact: Json) -> str | None:
    return contact.get("name") or (canonical.full_name(contact) if _is_person(contact) else None)


def _person_name(contact: Json) -> str | None:
    if _is_person(contact):
        return _own_name(contact)
    person = canonical.main_person(contact)
    return canonical.full_name(person) if person else None


def _email(contact: Json) -> str | None:
    # The invoices go there, so the invoice address comes first; the person's only if the client itself has none.
    person = canonical.main_person(contact) or {}
    return contact.get("invoice_email") or contact.get("email") or person.get("email")


def _country(contact: Json, group: str) -> str | None:
    """
    Two letters. An invoice address without a country is taken to be in the client's own. A country that is not known
    stays as it is, does not fit then, and is left out (sheet 12).
    """
    given = str(canonical.get(contact, f"{group}.country") or canonical.get(contact, "address.country") or "")
    return country_code(given) or (given if any(map(str.isalnum, given)) else None)


def reference_of(contact: Json, prefix: str) -> str | None:
    """The reference of a contact, such as RB-1834; None for one without a Robaws id."""
    robaws_id = canonical.get(contact, "references.robaws_id")
    return f"{prefix}{robaws_id}" if robaws_id else None


# ------------------------------------------------------------------------------------------------------------ table
def _row(canonical_path: str, vendor: str, normaliser: str = "text", **more: Any) -> FieldRow:
    return FieldRow(canonical_path, vendor, normaliser, **{"source": _MEMBERS, "max_length": MAX_LENGTH, **more})


def _theirs(vendor: str, lossy: str, canonical_path: str = "") -> FieldRow:
    """A member that is read and never written."""
    return _row(canonical_path or vendor, vendor, direction="in", owner="system", lossy=lossy)


def _address_rows(address: AddressChoice) -> tuple[FieldRow, ...]:
    """
    The one address of a contact, which its invoices carry (sheet 14): a whole one, never parts of two.

    The rows keep the names of the visiting address in the settings (`fields`), whichever of the two they hold.
    """

    def group(contact: Json) -> str:
        return invoice_group(contact) if address == "invoice" else "address"

    def street(contact: Json) -> str | None:
        lines = [canonical.get(contact, f"{group(contact)}.{line}") for line in ("line1", "line2")]
        return ", ".join(str(line) for line in lines if line) or None

    def part(name: str) -> Callable[[Json], Any]:
        return lambda contact: canonical.get(contact, f"{group(contact)}.{name}")

    def sources(*names: str) -> tuple[str, ...]:
        groups = ("invoice_address", "address") if address == "invoice" else ("address",)
        return tuple(f"{group}.{name}" for group in groups for name in names)

    which = "of the invoice address, else of the visiting address" if address == "invoice" else ""
    also = f"; {which}" if which else ""
    return (
        _row(
            "address.line1",
            "address",
            outward=street,
            sources=sources("line1", "line2"),
            unit="address",
            lossy=f"both lines in one, with a comma{also}",
        ),
        _row(
            "address.postal_code",
            "zipcode",
            "postcode",
            outward=part("postal_code"),
            sources=sources("postal_code"),
            unit="address",
            lossy=which,
        ),
        _row("address.city", "city", outward=part("city"), sources=sources("city"), unit="address", lossy=which),
        _row(
            "address.country",
            "country_code",
            "country",
            outward=lambda contact: _country(contact, group(contact)),
            sources=sources("country"),
            unit="address",
            max_length=COUNTRY_LENGTH,
            lossy=f"two letters; a person is asked about a country that is not known{also}",
        ),
    )


def rows_for(address: AddressChoice = "invoice") -> tuple[FieldRow, ...]:
    """The members of a contact, in the order of the vendor's file."""
    return (
        _theirs("id", "given by Rompslomp; ten digits without an order"),
        _row(
            "kind",
            "is_individual",
            "boolean",
            outward=_is_person,
            null_rule="never",
            max_length=None,
            lossy="a switch sends the name of the other kind along",
        ),
        _row("is_supplier", "is_supplier", "boolean", outward=lambda _: False, write="create", null_rule="never"),
        _theirs("name", "made by Rompslomp from the two names below", "name"),
        _row(
            "name",
            "company_name",
            outward=_company_name,
            required=True,
            required_of=lambda contact: not _is_person(contact),
            lossy="empty for a person; required for an organisation",
        ),
        _row(
            "persons",
            "contact_person_name",
            outward=_person_name,
            sources=("persons", "name", "first_name", "last_name"),
            required=True,
            required_of=_is_person,  # which of the two names is required, the kind decides (sheets 6 and 10.8)
            lossy="the main person's name, first and last joined; of a person its own, required; others are lost",
        ),
        _row(
            "email",
            "contact_person_email_address",
            "email",
            outward=_email,
            sources=("invoice_email", "email", "persons"),
            lossy="one only: the invoice e-mail, else the e-mail, else the main person's",
        ),
        *_address_rows(address),
        _theirs("government_identification_number", "for e-invoices to the government; Robaws does not know it"),
        _row("registration_number", "kvk_number", "registration", outward=kvk_number, lossy="Dutch numbers only"),
        _row("phone", "phone", "phone", sources=("phone", "mobile"), lossy="one only: the phone, else the mobile"),
        _row("vat_number", "vat_number", "vat", outward=vat_number, lossy="without blanks and points"),
        _theirs("contact_number", "the customer number of the books; on invoices, never changed by us"),
        _theirs("free_1", "free text of the administration"),
        _theirs("free_2", "free text of the administration"),
        _theirs("free_3", "free text of the administration"),
    )


ROWS: Final = rows_for()

NAMES: Final = NamesByKind("is_individual", person="contact_person_name", company="company_name")
"""Which member is the name follows from `is_individual` (sheets 6 and 14)."""

NOT_HELD: Final[Mapping[str, str]] = {
    "legal_name": "lost: Rompslomp has one name, and the trade name is what stands on invoices",
    "legal_form": "lost",
    "mobile": "only where there is no phone",
    "website": "lost",
    "language": "lost",
    "currency": "lost",
    "payment_term_days": "lost",
    "status": "lost: an inactive client is left as it is",
    "notes": "never copied",
    CUSTOMER_NUMBER: "not written unless `number_from` says so: the contact number carries the Robaws id",
    "references.routix_id": "lost",
}


@dataclass(frozen=True)
class RompslompMapping(VendorMapping):
    """The table, with what one member can hold of several fields."""

    address: AddressChoice = "invoice"

    @override
    def unheld(self, contact: Json) -> tuple[str, ...]:
        """The fields without a place, and those whose place another field of this contact takes."""
        visiting = _other_address(contact) if self.address == "invoice" else ()
        return (*super().unheld(contact), *_overshadowed(contact), *visiting)


def _other_address(contact: Json) -> tuple[str, ...]:
    """The parts of the visiting address that the invoice address of this contact does not hold as well."""
    if invoice_group(contact) == "address":
        return ()

    def key(group: str, part: str) -> str:
        path = f"{group}.{part}"
        return NORMALISERS[canonical.BY_PATH[path].normaliser](canonical.get(contact, path))

    held = {part: key("invoice_address", part) for part in ADDRESS_PARTS}
    held["country"] = held["country"] or key("address", "country")
    return tuple(f"address.{part}" for part in ADDRESS_PARTS if key("address", part) not in ("", held[part]))


def _overshadowed(contact: Json) -> tuple[str, ...]:
    lost = []
    if contact.get("email") and email_key(contact["email"]) != email_key(_email(contact)):
        lost.append("email")
    if contact.get("phone") and contact.get("mobile"):
        lost.append("mobile")
    if contact.get("registration_number") and kvk_number(contact) is None:
        lost.append("registration_number")
    if _persons_lost(contact):
        lost.append("persons")
    return tuple(lost)


def _persons_lost(contact: Json) -> bool:
    persons = contact.get("persons") or []
    if not persons:
        return False
    main = canonical.main_person(contact) or {}
    kept = {"first_name", "last_name"}
    if email_key(main.get("email")) == email_key(_email(contact)):
        kept.add("email")
    rest = any(main.get(member.path) for member in canonical.PERSON_FIELDS if member.path not in kept)
    return len(persons) > 1 or rest or _is_person(contact)


def mapping_for(
    member: str | None, prefix: str, address: AddressChoice = "invoice", *, numbered: bool = False
) -> VendorMapping:
    """
    The table with our reference in `member`, None where no member is set aside for it.

    The reference is given at the create and never later: a number that was there before belongs to the bookkeeper and
    is printed on invoices (sheets 9 and 10.9). `address` is the one of the client's addresses that a contact holds.
    `numbered`: a new contact's number is the client's customer number, and our reference stands elsewhere.
    """
    rows = tuple(_reference_row(row, prefix) if row.vendor == member else row for row in rows_for(address))
    if numbered:
        rows = tuple(_number_row(row) if row.vendor == SEARCHABLE_REFERENCE else row for row in rows)
    lost = {f"invoice_address.{part}": "lost: the settings choose the visiting address" for part in ADDRESS_PARTS}
    not_held = NOT_HELD if address == "invoice" else {**NOT_HELD, **lost}
    if numbered:
        not_held = {path: text for path, text in not_held.items() if path != CUSTOMER_NUMBER}
    return RompslompMapping(
        "rompslomp",
        VERSIONS[address],
        rows,
        inward,
        not_held=not_held,
        names=NAMES,
        address=address,
        unmarked=VERSIONS["visiting"],
    )


def _number_row(row: FieldRow) -> FieldRow:
    return replace(
        row,
        canonical=CUSTOMER_NUMBER,
        direction="both",
        owner="robaws",
        write="create",
        null_rule="never",
        adopt=False,
        lossy="given at the create; a number that was there before stays",
    )


def _reference_row(row: FieldRow, prefix: str) -> FieldRow:
    return replace(
        row,
        canonical="references.robaws_id",
        outward=lambda contact: reference_of(contact, prefix),
        direction="both",
        owner="robaws",
        write="create",
        null_rule="never",
        adopt=False,
        lossy="given at the create; a number that was there before stays",
        source=f"Rompslomp sheet 6 and 13, {_PAGE}",
    )


# ----------------------------------------------------------------------------------------------------------- inward
def inward(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record's members as canonical values by path."""
    return {
        "kind": "person" if fields.get("is_individual") else "organisation",
        "name": _name(fields),
        "vat_number": fields.get("vat_number"),
        "registration_number": fields.get("kvk_number"),
        "email": fields.get("contact_person_email_address"),
        "phone": fields.get("phone"),
        "address.line1": fields.get("address"),
        "address.postal_code": fields.get("zipcode"),
        "address.city": fields.get("city"),
        "address.country": fields.get("country_code"),
    }


def _name(fields: Mapping[str, Any]) -> str | None:
    # `name` is read only and follows this rule (sheet 6); the rule is used, so that a record without it has one too.
    return fields.get("contact_person_name") if fields.get("is_individual") else fields.get("company_name")


def record_of(contact: Json, member: str | None) -> Record:
    """One contact of the vendor's as a record; `member` is the one that carries our reference."""
    email = contact.get("contact_person_email_address")
    supplier = contact.get("is_supplier") is True
    return Record(
        str(contact["id"]),
        {row.vendor: contact[row.vendor] for row in ROWS if row.vendor in contact},
        reference=contact.get(member) if member else None,
        usable=not supplier,
        # A record is a customer or a supplier, never both (sheet 6).
        why_not="it is a supplier" if supplier else "",
        emails=(email,) if email else (),
        name=_name(contact),
        raw=contact,
    )


def search_terms(contact: Json) -> list[tuple[str, str]]:
    """What a record that was there before is searched by, as (member, text), after its VAT number (sheet 13.3)."""
    email = _email(contact) or ""
    emails = sorted(email_keys(email))
    terms = [("kvk_number", number) for number in kvk_numbers(contact)]
    # A field may hold two addresses, and a record one of them.
    terms += [("contact_person_email_address", text) for text in (emails if len(emails) > 1 else [email])]
    terms += [("name", name_to_search(_own_name(contact)) or "")]
    return [(member, text) for member, text in terms if text]
