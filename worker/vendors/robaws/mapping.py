"""
Robaws's client and the canonical contact: one table, read inwards; what can be written has a table of its own.

Members and their meaning are those of the Robaws sheet, section 9; most were seen in public client code only, since
the vendor's reference (https://app.robaws.com/public/api-docs/robaws) could not be read. Robaws holds all that this
product knows of a client, so what it sends is kept as it came: a number where text belongs becomes text, and a value of
a wrong kind (an object for a name, a list for an address) is `VendorBroken`, never a guess. Extra fields take part only
where the settings name one; those that carry our own write-back never do, so that its echo changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from worker.core import contact as canonical
from worker.core.mapping import FieldRow, OurPerson, PersonTable, VendorMapping
from worker.errors import VendorBroken

if TYPE_CHECKING:
    from worker.core.contact import Json

VERSION: Final = "robaws-1"
_REFERENCE: Final = "https://app.robaws.com/public/api-docs/robaws"
SHEET: Final = f"Robaws sheet 9 ({_REFERENCE})"
PERSON_SHEET: Final = f"Robaws sheet 9.1 ({_REFERENCE})"


@dataclass(frozen=True)
class Options:
    """
    What the settings say of the mapping.

    `private_status` are texts of the client's status, `person_kinds` values of its extra fields by name, that mean a
    private person; all others are organisations, as no member that tells the two apart is known (Robaws sheet 9).
    `write_back` are the extra fields that carry our own references. `payment_terms` are the days that a payment
    condition stands for, by its id.
    """

    private_status: tuple[str, ...] = ()
    person_kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    write_back: frozenset[str] = frozenset()
    payment_terms: Mapping[str, int] = field(default_factory=dict)


DEFAULT_OPTIONS: Final = Options()


def _row(path: str, vendor: str, *, max_length: int | None = None, required: bool = False) -> FieldRow:
    normaliser = canonical.BY_PATH[path].normaliser
    return FieldRow(path, vendor, normaliser, direction="in", max_length=max_length, required=required, source=SHEET)


ROWS: Final[tuple[FieldRow, ...]] = (
    _row("references.robaws_id", "id"),
    _row("references.customer_number", "logicId"),
    _row("name", "name", required=True),
    _row("email", "email"),
    _row("invoice_email", "invoiceEmail"),
    _row("phone", "tel"),
    _row("mobile", "gsm"),
    _row("website", "website"),
    _row("vat_number", "vatIdNumber"),
    _row("address.line1", "address.addressLine1"),
    _row("address.line2", "address.addressLine2"),
    _row("address.postal_code", "address.postalCode"),
    _row("address.city", "address.city"),
    _row("address.country", "address.country"),
    _row("invoice_address.line1", "invoiceAddress.addressLine1"),
    _row("invoice_address.line2", "invoiceAddress.addressLine2"),
    _row("invoice_address.postal_code", "invoiceAddress.postalCode"),
    _row("invoice_address.city", "invoiceAddress.city"),
    _row("invoice_address.country", "invoiceAddress.country"),
    _row("language", "language"),
    _row("currency", "currency"),
    replace(
        _row("payment_term_days", "paymentConditionId"),
        source=f"Robaws sheet 9 and 15 ({_REFERENCE})",
        lossy="an id of the tenant's own; `systems.robaws.payment_terms` gives the days that it stands for",
    ),
    # Business text, free for each tenant; never a life-cycle flag (Robaws sheet 9, trap 21).
    _row("status", "status"),
)


def _person_row(path: str, vendor: str) -> FieldRow:
    normaliser = next(known.normaliser for known in canonical.PERSON_FIELDS if known.path == path)
    return FieldRow(path, vendor, normaliser, direction="in", source=PERSON_SHEET)


PERSON_ROWS: Final[tuple[FieldRow, ...]] = (
    # Trap 19: a contact person's `name` is the first name.
    _person_row("first_name", "name"),
    _person_row("last_name", "surname"),
    _person_row("title", "title"),
    _person_row("function", "function"),
    _person_row("email", "email"),
    _person_row("phone", "tel"),
    _person_row("mobile", "gsm"),
)

NOT_HELD: Final[Mapping[str, str]] = {
    "first_name": "a client has one name; which part is the first name is not told",
    "last_name": "as first_name",
    "legal_name": "no member is known",
    "legal_form": "shown on screen, but no member of the API is known",
    "registration_number": "no member is known that could be relied upon",
    "notes": "no member is known that could be relied upon",
    "references.routix_id": "in an extra field, where `write_back` names one",
}


_VALUE_MEMBERS: Final = ("stringValue", "dateValue", "decimalValue", "integerValue", "booleanValue", "numberValue")


def to_canonical(raw: Mapping[str, Any], options: Options = DEFAULT_OPTIONS) -> Json:
    """
    The canonical contact of a client as `GET /clients/{id}?include=contacts` shows it (Robaws sheet 12.3).

    VendorBroken where a member is of a wrong kind. Latitude, longitude and ids of tariffs are left out.
    """
    values: dict[str, Any] = dict(values_of(raw))
    values["kind"] = kind(raw, options)
    values["payment_term_days"] = options.payment_terms.get(_text(raw, "paymentConditionId") or "")
    values["persons"] = persons(raw.get("contacts"))
    return canonical.build(values)


def condition_without_days(raw: Mapping[str, Any], options: Options) -> str | None:
    """The client's payment condition where the settings give the days of some, and not of this one."""
    condition = _text(raw, "paymentConditionId")
    return condition if options.payment_terms and condition not in (None, *options.payment_terms) else None


def values_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """
    The values of the table's rows by canonical path, for a whole client or for one that a list cut short.

    Without the payment term, of which Robaws tells an id.
    """
    return {row.canonical: value for row, value in row_values(raw) if row.canonical != "payment_term_days"}


def row_values(raw: Mapping[str, Any]) -> list[tuple[FieldRow, str | None]]:
    """Each row of the table with the value that the client has there."""
    return [(row, _text(raw, row.vendor)) for row in ROWS]


def kind(raw: Mapping[str, Any], options: Options) -> str:
    """`person` where the settings say so of the status or of an extra field, else `organisation`."""
    extra_fields(raw)
    if _folded(raw.get("status")) in {_folded(status) for status in options.private_status}:
        return "person"
    for name, values in options.person_kinds.items():
        held = None if name in options.write_back else _folded(extra_field(raw, name))
        if held is not None and held in {_folded(value) for value in values}:
            return "person"
    return "organisation"


def persons(contacts: Any) -> list[Json]:
    """
    The contact persons, by ascending id, since the order of the list is not promised and must not look like a change.

    A person is its members by `canonical.PERSON_FIELDS`, with `key` (Robaws's id), `main` and, for one who receives
    the invoices, `invoices`. At most one is the main one: the first that Robaws marks with `isPrimary`, whose effect is
    not confirmed, nor is that of `receivesInvoices` (Robaws sheet 9.1).
    """
    if contacts is None:
        return []
    if not isinstance(contacts, list):
        raise VendorBroken("`contacts` of a Robaws client is not a list")
    found = sorted((_person(item) for item in contacts), key=lambda person: _id_order(person["key"]))
    main = next((person["key"] for person in found if person["main"]), None)
    return [{**person, "main": person["key"] == main} for person in found]


def _person(item: Any) -> Json:
    if not isinstance(item, dict):
        raise VendorBroken("a contact person of a Robaws client is not an object")
    key = _text(item, "id")
    if key is None:
        raise VendorBroken("a contact person of a Robaws client has no id")
    return {
        "key": key,
        "main": item.get("isPrimary") is True,
        **{row.canonical: _text(item, row.vendor) for row in PERSON_ROWS},
        **({"invoices": True} if item.get("receivesInvoices") is True else {}),
    }


def extra_field(raw: Mapping[str, Any], name: str) -> str | int | float | bool | None:
    """
    The value of one extra field by its name; None where it is empty or does not exist.

    The member that is filled names the type; a checkbox came back as `numberValue` 1 or 0 in one tenant, and a name may
    differ in blank versus underscore (Robaws sheet 9.2; https://support.robaws.com/nl/article/creating-a-clientlead-from-a-website-form-1eym164).
    """
    entry = extra_entry(raw, name)
    if entry is None:
        return None
    for member in _VALUE_MEMBERS:
        value = entry.get(member)
        if isinstance(value, str | int | float):
            if member == "numberValue" and entry.get("type") == "CHECKBOX" and value in (0, 1):
                return bool(value)
            return value
    return None


def extra_fields(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """All extra fields by name; VendorBroken where they are not an object."""
    fields = raw.get("extraFields")
    if not isinstance(fields, dict | None):
        raise VendorBroken("`extraFields` of a Robaws client is not an object")
    return fields or {}


def extra_entry(raw: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The object of one extra field; None where there is none."""
    fields = extra_fields(raw)
    wanted = _underscored(name)
    key = name if name in fields else next((known for known in fields if _underscored(known) == wanted), None)
    entry = fields.get(key) if key is not None else None
    return entry if isinstance(entry, dict) else None


def holds(raw: Mapping[str, Any], name: str, value: str | None) -> bool:
    """Whether a client shows an extra field with exactly this text, or without any for None."""
    held = extra_field(raw, name)
    return held in (None, "") if value in (None, "") else str(held) == value


def extra_patch(values: Mapping[str, str | None]) -> Json:
    """
    The merge patch that fills text extra fields, None empties one, and leaves all others alone.

    How one is emptied is not documented; null for the whole field is the likelier way (Robaws sheet 6 and 13).

    >>> extra_patch({"Recras-id": "71", "Routix-id": None})
    {'extraFields': {'Recras-id': {'stringValue': '71'}, 'Routix-id': None}}
    """
    entries = {name: None if value is None else {"stringValue": value} for name, value in values.items()}
    return {"extraFields": entries}


def _underscored(name: str) -> str:
    return name.replace(" ", "_")


def _folded(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip().casefold()


def _id_order(key: str) -> tuple[int, str]:
    """Ids are digits and are ordered by value; a shorter one is smaller."""
    return (len(key), key)


def _text(record: Mapping[str, Any], path: str) -> str | None:
    """
    The text at a dotted path, None for null, blank and absent; a number counts as its digits.

    VendorBroken where the vendor sent another kind of value than its member has.
    """
    value: Any = record
    for part in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise VendorBroken(f"`{path}` of a Robaws client is not in an object")
        value = value.get(part)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise VendorBroken(f"`{path}` of a Robaws client is not a text")
    return None if value is None else str(value).strip() or None


def _our_persons(contact: Json) -> list[OurPerson]:
    """The contact persons as Robaws's members, the main one first."""
    listed = contact.get("persons") or []
    main = canonical.main_person(contact)
    made = [
        OurPerson(
            str(person.get("key") or ""),
            bool(main is not None and person.get("key") == main.get("key")),
            {row.vendor: person.get(row.canonical) for row in PERSON_ROWS},
        )
        for person in listed
    ]
    return sorted(made, key=lambda person: not person.main)


PERSONS: Final = PersonTable(
    PERSON_ROWS,
    build=_our_persons,
    email=lambda fields: fields.get("email"),
    name=lambda fields: canonical.full_name({"first_name": fields.get("name"), "last_name": fields.get("surname")}),
    source=PERSON_SHEET,
)

MAPPING: Final = VendorMapping("robaws", VERSION, ROWS, inward=values_of, persons=PERSONS, not_held=NOT_HELD)
"""Robaws as the source: every row is read, none is written."""

_NOT_WRITTEN: Final = frozenset({
    "references.robaws_id",
    "references.customer_number",  # read-only (Robaws sheet 6 and 9)
    "status",  # free text of the tenant: unset for new clients (Robaws sheet 13)
    "payment_term_days",  # an id of the tenant's own: unset for new clients (Robaws sheet 13)
})  # fmt: skip

CREATING: Final = VendorMapping(
    "robaws",
    VERSION,
    tuple(replace(row, direction="both") for row in ROWS if row.canonical not in _NOT_WRITTEN),
    inward=values_of,
    not_held=NOT_HELD,
)
"""The members that a client is made of, or changed in, where another system is its source."""


def body_of(fields: Mapping[str, Any]) -> Json:
    """
    A request's body from values by vendor path, nested as Robaws wants it; empty ones are left out.

    An address is always an object, as a list is a 400 (Robaws sheet 6).

    >>> body_of({"name": "Bouwgroep Maas", "address.city": "Genk", "gsm": None})
    {'name': 'Bouwgroep Maas', 'address': {'city': 'Genk'}}
    """
    body: Json = {}
    for path, value in fields.items():
        if value not in (None, ""):
            canonical.put(body, path, value)
    return body
