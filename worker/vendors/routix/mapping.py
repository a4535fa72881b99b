"""
Routix's account and the canonical contact: one table, read inwards, and what an account should say for a contact.

Members are those of the Routix sheet, section 4 (https://docs.routix.com/en/api/api-integration). What Routix has not,
such as a country and contact persons, or what it has in a form of its own (payment terms as a text), is left alone and
listed. Bank data, the credit limit and internal notes have no row here, and what has no row is dropped at the edge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from worker.core import contact as canonical
from worker.core.mapping import FieldRow, VendorMapping
from worker.errors import VendorBroken

if TYPE_CHECKING:
    from worker.core.contact import Json
    from worker.vendors.routix.calls import Version

VERSION: Final = "routix-1"
SHEET_V1: Final = "Routix sheet 4.1 (https://docs.routix.com/en/api/api-integration)"
SHEET_V2: Final = "Routix sheet 4.2 (https://docs.routix.com/en/api/api-integration)"

_NUMBER = re.compile(r"(?P<number>[0-9]+)(?P<addition>.*)", re.DOTALL)
_MOST_ADDITION_WORDS = 2


def split_line(line: str | None) -> tuple[str | None, str | None, str | None]:
    """
    Street, number and addition of an address line; the whole line as the street where the number is not plain to see.

    The number is the last word that begins with a digit, and not the first word of the line. `join_line` undoes it,
    but for a letter that stood at the number without a blank.

    >>> split_line("Havenstraat 14 B"), split_line("Plein 1944 7-9")
    (('Havenstraat', '14', 'B'), ('Plein 1944', '7', '-9'))
    >>> split_line("Kerkhof")
    ('Kerkhof', None, None)
    """
    words = (line or "").split()
    for index in range(len(words) - 1, 0, -1):
        found = _NUMBER.fullmatch(words[index])
        if found is None:
            continue
        behind = words[index + 1 :]
        if len(behind) > _MOST_ADDITION_WORDS:
            break
        addition = " ".join(word for word in (found["addition"], *behind) if word)
        return " ".join(words[:index]), found["number"], addition or None
    return " ".join(words) or None, None, None


def join_line(street: str | None, number: str | None, addition: str | None) -> str | None:
    """
    One address line of the three members.

    >>> join_line("Havenstraat", "14", "B"), join_line("Plein 1944", "7", "-9")
    ('Havenstraat 14 B', 'Plein 1944 7-9')
    """
    line = " ".join(part for part in (street, number) if part)
    glue = "" if not line or (addition or "").startswith(("-", "/")) else " "
    return f"{line}{glue}{addition or ''}".strip() or None


def _part(path: str, index: int) -> Callable[[Json], Any]:
    return lambda contact: split_line(canonical.get(contact, path))[index]


def _row(path: str, vendor: str, source: str, outward: Callable[[Json], Any] | None = None) -> FieldRow:
    normaliser = canonical.BY_PATH[path].normaliser
    return FieldRow(path, vendor, normaliser, direction="in", owner="system", outward=outward, source=source)


def _address_rows(group: str, prefix: str) -> tuple[FieldRow, ...]:
    line = f"{group}.line1"
    return (
        _row(line, f"{prefix}_street", SHEET_V2, _part(line, 0)),
        _row(line, f"{prefix}_number", SHEET_V2, _part(line, 1)),
        _row(line, f"{prefix}_addition", SHEET_V2, _part(line, 2)),
        _row(f"{group}.postal_code", f"{prefix}_zipcode", SHEET_V2),
        _row(f"{group}.city", f"{prefix}_city", SHEET_V2),
    )


ROWS_V1: Final[tuple[FieldRow, ...]] = (
    _row("references.routix_id", "id", SHEET_V1),
    _row("name", "company_name", SHEET_V1),
    _row("email", "email", SHEET_V1),
    _row("phone", "phone", SHEET_V1),
)
ROWS_V2: Final[tuple[FieldRow, ...]] = (
    *ROWS_V1,
    _row("website", "website", SHEET_V2),
    _row("invoice_email", "invoice_email", SHEET_V2),
    _row("vat_number", "vat_number", SHEET_V2),
    _row("registration_number", "chamber_of_commerce_number", SHEET_V2),
    *_address_rows("address", "visit_address"),
    *_address_rows("invoice_address", "billing_address"),
)
SHIPPING: Final[tuple[FieldRow, ...]] = tuple(
    FieldRow(
        member,
        member,
        "postcode" if member.endswith("_zipcode") else "text",
        direction="in",
        owner="system",
        lossy="read, and held nowhere: a contact has an address and an invoice address",
        source=SHEET_V2,
    )
    for member in (f"shipping_address_{part}" for part in ("street", "number", "addition", "zipcode", "city"))
)
"""The third address of an account, which no other system has a place for."""

ROWS: Final[Mapping[Version, tuple[FieldRow, ...]]] = {"v1": ROWS_V1, "v2": ROWS_V2}

KEPT_MEMBERS: Final[tuple[str, ...]] = (
    *(row.vendor for row in (*ROWS_V2, *SHIPPING)),
    # Who takes part, and a shortcut for what changed; see `client`.
    "account_type",
    "status",
    "last_updated_at",
)

NOT_HELD: Final[Mapping[str, str]] = {
    "kind": "an account is a company; a private person sits in the company name",
    "address.country": "no address has a country; the settings name one for all",
    "invoice_address.country": "as address.country",
    "address.line2": "only street, number and addition",
    "invoice_address.line2": "only street, number and addition",
    "persons": "the application has them, the API does not show them",
    "payment_term_days": "payment terms are a text, not days",
    "mobile": "one phone number only",
    "language": "no member",
    "currency": "no member",
    "notes": "an internal comment, which is neither stored nor passed on",
    "status": "an account's status is a life-cycle of its own, and decides only whether it takes part",
}


def to_canonical(members: Mapping[str, Any], country: str) -> Json:
    """
    The canonical contact of an account; `country` is that of every address, as Routix gives none.

    "The" address is the visit address, else the billing address (Routix sheet 7). VendorBroken where a member is of a
    wrong kind; null, blank and absent are alike (Routix sheet 4.2).
    """
    return canonical.build({"kind": "organisation", **values_of(members, country)})


def values_of(members: Mapping[str, Any], country: str) -> dict[str, Any]:
    """The values by canonical path, of either version's members."""
    values: dict[str, Any] = {
        row.canonical: _text(members, row.vendor) for row in ROWS_V2 if row.outward is None and "." not in row.canonical
    }
    values["references.routix_id"] = _text(members, "id")
    visit, billing = _address(members, "visit_address", country), _address(members, "billing_address", country)
    for group, address in (("address", visit or billing), ("invoice_address", billing)):
        values |= {f"{group}.{part}": value for part, value in address.items()}
    return values


def expected(contact: Json, version: Version) -> dict[str, Any]:
    """
    What the account of a contact should say, by Routix's members; for showing drift, since nothing can be written.

    None where the contact has nothing. The id is left out, as Routix gives it.
    """
    return dict(_EXPECTED[version].outward(contact).fields)


def _address(members: Mapping[str, Any], prefix: str, country: str) -> dict[str, str | None]:
    """One of the addresses; empty where it says nothing."""
    street, number, addition, zipcode, city = (
        _text(members, f"{prefix}_{part}") for part in ("street", "number", "addition", "zipcode", "city")
    )
    line = join_line(street, number, addition)
    if not (line or zipcode or city):
        return {}
    return {"line1": line, "postal_code": zipcode, "city": city, "country": country}


def _text(members: Mapping[str, Any], name: str) -> str | None:
    """The text of a member, None for null, blank and absent; a number counts as its digits."""
    value = members.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise VendorBroken(f"`{name}` of a Routix account is not a text")
    return None if value is None else str(value).strip() or None


def _inward(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """For matching, where a country that nobody told must not count."""
    return {path: value for path, value in values_of(members, "").items() if not path.endswith(".country")}


MAPPINGS: Final[Mapping[Version, VendorMapping]] = {
    version: VendorMapping(
        "routix", f"{VERSION}-{version}", (*rows, *SHIPPING) if version == "v2" else rows, _inward, not_held=NOT_HELD
    )
    for version, rows in ROWS.items()
}
"""Routix as a source, by version of its API: what a version does not show has no row, and is never taken for empty."""

_EXPECTED: Final[Mapping[Version, VendorMapping]] = {
    version: replace(mapping, rows=tuple(replace(row, direction="out") for row in ROWS[version] if row.vendor != "id"))
    for version, mapping in MAPPINGS.items()
}
