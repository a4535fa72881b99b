"""
What a Workspace contact holds of ours: the table of its members (Workspace sheets 5, 9 and 12).

The members are those of https://apidocs.workspace.nl/contacts. Eleven of them are required at a create, and a Robaws
client often lacks one: each has a rule for that (`systems.workspace.on_missing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.mapping import FieldRow, VendorMapping
from worker.core.normalise import address_lines, country_code, country_name_nl, email_key
from worker.errors import MappingError
from worker.vendors.contract import Record
from worker.vendors.values import kvk_number, vat_number

if TYPE_CHECKING:
    from worker.config import WorkspaceSettings

VERSION: Final = "workspace-1"
DEBTOR: Final = "1"
"""The `type` of a customer; 2 is a supplier (sheet 5)."""

PLACEHOLDER: Final = "placeholder:"
CUSTOMER_NUMBER: Final = "references.customer_number"

_PAGE: Final = "https://apidocs.workspace.nl/contacts"
_MEMBERS: Final = f"Workspace sheet 5 and 12, {_PAGE}"
_PARTS: Final = ("line1", "line2", "postal_code", "city", "country")


# ---------------------------------------------------------------------------------------------------------- outward
def reference_of(contact: Json, style: str, offset: int) -> str | None:
    """
    The `client_reference` of a contact: digits, as the page's examples are, or `RB` and the Robaws id (sheet 13).

    MappingError where an offset is to be added to an id that is no number.
    """
    robaws_id = canonical.get(contact, "references.robaws_id")
    if not robaws_id:
        return None
    if style == "prefixed":
        return f"RB{robaws_id}"
    if not offset:
        return str(robaws_id)
    if not str(robaws_id).isdigit():
        raise MappingError(f"Robaws id {robaws_id} is no number to add reference_offset to")
    return str(int(robaws_id) + offset)


def _name(contact: Json) -> str | None:
    return contact.get("name") or canonical.full_name(contact)


def _invoice_group(contact: Json) -> str:
    """
    Which address the invoices go to: the invoice address, the main one again if there is none (sheet 12).

    As a whole: a street of one and a city of the other would be a third place.
    """
    has_own = any(canonical.get(contact, f"invoice_address.{part}") for part in _PARTS)
    return "invoice_address" if has_own else "address"


def _street(contact: Json, group: str) -> str | None:
    return address_lines(canonical.get(contact, f"{group}.line1"), canonical.get(contact, f"{group}.line2")) or None


def _country(contact: Json, group: str, style: str) -> str | None:
    given = canonical.get(contact, f"{group}.country")
    if not given:
        return None
    code = country_code(given)
    return (country_name_nl(code) if style == "name_nl" else code) or str(given)


def _payment_term(contact: Json) -> str | None:
    days = contact.get("payment_term_days")
    return None if days is None else str(days)


# ------------------------------------------------------------------------------------------------------------ table
def _row(canonical_path: str, vendor: str, normaliser: str = "text", **more: Any) -> FieldRow:
    # A form cannot say null: a member is emptied with an empty value (sheet 4, assumed).
    return FieldRow(canonical_path, vendor, normaliser, **{"source": _MEMBERS, "null_rule": "empty", **more})


def _theirs(vendor: str, lossy: str) -> FieldRow:
    """A member that is read and never written."""
    return _row(vendor, vendor, direction="in", owner="system", lossy=lossy)


def _bank(vendor: str) -> FieldRow:
    return _row(vendor, vendor, direction="in", owner="ignore", lossy="financial data: neither read nor written")


def _required(
    settings: WorkspaceSettings, canonical_path: str, vendor: str, normaliser: str = "text", **more: Any
) -> FieldRow:
    """One of the eleven; what the settings do not name waits for a person."""
    rule = settings.on_missing.get(vendor, "review")  # type: ignore[call-overload]
    missing = rule if rule == "review" else f"{PLACEHOLDER}{rule}"
    return _row(canonical_path, vendor, normaliser, **{"required": True, "missing": missing, **more})


def _once(settings: WorkspaceSettings) -> tuple[FieldRow, ...]:
    """The members that are given at the create and never again (sheets 5 and 10.5)."""
    style, offset = settings.reference_style, settings.reference_offset
    more: dict[str, Any] = {"write": "create", "null_rule": "never"}
    return (
        _required(
            settings,
            "references.robaws_id",
            "client_reference",
            outward=lambda contact: reference_of(contact, style, offset),
            adopt=False,
            lossy="given at the create; a number that was there before stays",
            **more,
        ),
        _required(settings, "group", "group", outward=lambda _: settings.group, **more),
        _row(
            "type",
            "type",
            outward=lambda _: settings.send_type,
            direction="both" if settings.send_type else "in",
            choices=("1", "2"),
            lossy="1, a debtor; a client that is a supplier as well needs two records",
            **more,
        ),
    )


def _client_code(settings: WorkspaceSettings) -> FieldRow:
    """The number that Workspace's own users give; filled where they gave none and the settings say with what."""
    if settings.number_from == "none":
        return _theirs("client_code", "kept by Workspace's own users")
    path = "references.robaws_id" if settings.number_from == "id" else CUSTOMER_NUMBER
    return _row(path, "client_code", owner="fill", null_rule="never", lossy="as systems.workspace.number_from says")


def _location(settings: WorkspaceSettings) -> tuple[FieldRow, ...]:
    return (
        _required(
            settings,
            "address.line1",
            "location_address",
            sources=("address.line1", "address.line2"),
            compose="lines",
            unit="address",
            lossy="both lines in one, with a comma",
        ),
        _row("address.postal_code", "location_postal", "postcode", unit="address"),
        _required(settings, "address.city", "location_city", unit="address"),
        _row(
            "address.country",
            "location_country",
            "country",
            outward=lambda contact: _country(contact, "address", settings.country_style),
            unit="address",
            lossy="written as systems.workspace.country_style says",
        ),
        _theirs("location_long", "made by Workspace"),
        _theirs("location_lat", "made by Workspace"),
    )


def _invoice(settings: WorkspaceSettings) -> tuple[FieldRow, ...]:
    copied = "the main address again if there is no invoice address"

    def part(name: str) -> Callable[[Json], Any]:
        return lambda contact: canonical.get(contact, f"{_invoice_group(contact)}.{name}")

    def sources(*names: str) -> tuple[str, ...]:
        return tuple(f"{group}.{name}" for group in ("invoice_address", "address") for name in names)

    return (
        _required(
            settings,
            "invoice_address.line1",
            "invoice_address",
            outward=lambda contact: _street(contact, _invoice_group(contact)),
            sources=sources("line1", "line2"),
            unit="invoice_address",
            lossy=copied,
        ),
        _required(
            settings,
            "invoice_address.postal_code",
            "invoice_postal",
            "postcode",
            outward=part("postal_code"),
            sources=sources("postal_code"),
            unit="invoice_address",
            lossy=copied,
        ),
        _required(
            settings,
            "invoice_address.city",
            "invoice_city",
            outward=part("city"),
            sources=sources("city"),
            unit="invoice_address",
            lossy=copied,
        ),
        _row(
            "invoice_address.country",
            "invoice_country",
            "country",
            outward=lambda contact: _country(contact, _invoice_group(contact), settings.country_style),
            sources=sources("country"),
            unit="invoice_address",
            lossy=copied,
        ),
        _theirs("invoice_long", "made by Workspace"),
        _theirs("invoice_lat", "made by Workspace"),
    )


def rows_for(settings: WorkspaceSettings) -> tuple[FieldRow, ...]:
    """All members of a contact, in the order of the page."""
    return (
        _theirs("id", "given by Workspace"),
        *_once(settings)[:1],
        _client_code(settings),
        *_once(settings)[1:],
        _required(
            settings,
            "name",
            "name",
            outward=_name,
            sources=("name", "first_name", "last_name"),
            lossy="of a person first and last name in one",
        ),
        *_location(settings),
        *_invoice(settings),
        _required(
            settings,
            "phone",
            "phone",
            "phone",
            sources=("phone", "mobile"),
            lossy="one only: the phone, else the mobile",
        ),
        _theirs("fax", "not known to Robaws"),
        _row("website", "website", "url"),
        _row("vat_number", "btw", "vat", outward=vat_number, lossy="without blanks and points"),
        _row("registration_number", "kvk", "registration", outward=kvk_number, lossy="Dutch numbers only"),
        _required(
            settings,
            "email",
            "email",
            "email",
            sources=("invoice_email", "email"),
            lossy="one only: the invoice e-mail, else the e-mail",
        ),
        _bank("bank_name"),
        _bank("bank_nr"),
        _theirs("created", "without a zone"),
        _theirs("modified", "without a zone, and moves with every write: a hint, not a version"),
        _theirs("trashed", "in the bin; nothing that Robaws knows"),
        _required(
            settings,
            "payment_term_days",
            "payment_term",
            "integer_text",
            outward=_payment_term,
            missing=f"{PLACEHOLDER}{settings.payment_term}",
        ),
    )


NOT_HELD: Final[Mapping[str, str]] = {
    "legal_name": "lost",
    "legal_form": "lost",
    "mobile": "only where there is no phone",
    "language": "lost",
    "currency": "lost",
    "status": "not written: an inactive client is left as it is",
    "notes": "never copied",
    "persons": "lost: how contact persons (SubContact) are written is not known",
    CUSTOMER_NUMBER: "not written unless `number_from` says so: client_reference carries the Robaws id",
    "references.routix_id": "lost",
}


@dataclass(frozen=True)
class WorkspaceMapping(VendorMapping):
    """The table, with what one member can hold of several fields."""

    @override
    def unheld(self, contact: Json) -> tuple[str, ...]:
        """The fields without a place, and those whose place another field of this contact takes."""
        lost = []
        email, invoice_email = contact.get("email"), contact.get("invoice_email")
        if email and invoice_email and email_key(email) != email_key(invoice_email):
            lost.append("email")
        if contact.get("phone") and contact.get("mobile"):
            lost.append("mobile")
        if contact.get("registration_number") and kvk_number(contact) is None:
            lost.append("registration_number")
        return (*super().unheld(contact), *lost)

    def stand_in(self, vendor_path: str) -> str | None:
        """The text that stands where a required member has no value; None where a person decides, or none is wanted."""
        row = self.row(vendor_path)
        if not row.required or row.missing is None or not row.missing.startswith(PLACEHOLDER):
            return None
        return row.missing.removeprefix(PLACEHOLDER)


def mapping_for(settings: WorkspaceSettings) -> WorkspaceMapping:
    """The table as the settings want it."""
    rows = rows_for(settings)
    # The default term is a term like any other; a text that only stands in is never read back as a value (sheet 12).
    stand_ins = {
        row.vendor: row.missing.removeprefix(PLACEHOLDER)
        for row in rows
        if row.missing and row.missing.startswith(PLACEHOLDER) and row.vendor != "payment_term"
    }
    filled = settings.number_from == "logic_id"
    not_held = {path: text for path, text in NOT_HELD.items() if not (filled and path == CUSTOMER_NUMBER)}
    return WorkspaceMapping("workspace", VERSION, rows, partial(inward, stand_ins), not_held=not_held)


# ----------------------------------------------------------------------------------------------------------- inward
_INWARD: Final[Mapping[str, str]] = {
    "name": "name",
    "vat_number": "btw",
    "registration_number": "kvk",
    "email": "email",
    "phone": "phone",
    "website": "website",
    "address.line1": "location_address",
    "address.postal_code": "location_postal",
    "address.city": "location_city",
    "address.country": "location_country",
    "invoice_address.line1": "invoice_address",
    "invoice_address.postal_code": "invoice_postal",
    "invoice_address.city": "invoice_city",
    "invoice_address.country": "invoice_country",
    "payment_term_days": "payment_term",
}


def inward(stand_ins: Mapping[str, str], fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record's members as canonical values by path; a text of ours that only stands in is no value."""
    return {
        path: None if fields.get(member) in ("", stand_ins.get(member)) else fields.get(member)
        for path, member in _INWARD.items()
    }


def record_of(contact: Json, mapping: VendorMapping) -> Record:
    """One contact of the vendor's, without bank data, as a record."""
    fields = {row.vendor: contact[row.vendor] for row in mapping.rows if row.vendor in contact}
    why_not = _why_not(contact)
    email = mapping.inward(fields)["email"]
    return Record(
        contact["id"],
        fields,
        reference=contact.get("client_reference") or None,
        usable=not why_not,
        why_not=why_not,
        emails=(email,) if email else (),
        name=contact.get("name") or None,
        raw=contact,
    )


def _why_not(contact: Json) -> str:
    if contact.get("trashed"):
        return "it is in the bin"
    kind = contact.get("type")
    # An answer may leave it out; what is there and is not 1 is a supplier, or nothing that the page knows (sheet 5).
    return "" if kind in (None, "", DEBTOR) else f"it is no customer (type {kind})"


def is_whole(contact: Json, mapping: VendorMapping) -> bool:
    """Whether an answer showed every member that a snapshot is made of."""
    return all(row.vendor in contact for row in mapping.rows if row.direction != "in")


def editable(mapping: VendorMapping) -> tuple[str, ...]:
    """The members that a change may carry and that are ours."""
    return tuple(row.vendor for row in mapping.rows if row.direction != "in" and row.write == "always")
