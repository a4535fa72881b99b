"""
What a Recras customer holds of ours: the table of its members (Recras sheets 5 and 13).

The members are those of https://demo.recras.nl/docs/api/endpoints/klanten.html and, for `landcode` and `btw_nummer`,
of https://demo.recras.nl/docs/api/endpoints/contacten.html. Contact persons have a table of their own (`persons`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from worker.core import contact as canonical
from worker.core import sensitive
from worker.core.mapping import COUNTRY_LENGTH, FieldRow, VendorMapping
from worker.core.normalise import NORMALISERS, address_lines, country_code, url_absolute
from worker.vendors.contract import Record
from worker.vendors.recras import invoicing, persons, titles
from worker.vendors.values import vat_number

if TYPE_CHECKING:
    from worker.config import RecrasSettings
    from worker.core.contact import Json

VERSION: Final = "recras-2"
_BEFORE: Final = "recras-1"
"""The invoice address was without its addressee then."""

WRITABLE: Final[tuple[str, ...]] = (
    "naam",
    "adres",
    "postcode",
    "plaats",
    "provinciecode",
    "website",
    "bedrijf_id",
    "soort_klant",
    "afdeling",
    "factuur_adressering",
)
"""What a PUT may name of the members that an answer shows; `contactpersonen` and `extra_fields` aside (sheet 5)."""

HIDDEN: Final[tuple[str, ...]] = ("landcode", "btw_nummer")
"""Not in the documented list of a create, and shown only under `contacten`; sent where the settings allow (sheet 5)."""

EXTRA_FIELDS: Final = "extra_fields"

_PAGE: Final = "https://demo.recras.nl/docs/api/endpoints/klanten.html"
_MEMBERS: Final = f"Recras sheet 5 and 13, {_PAGE}"
_CONTACTS: Final = "Recras sheet 5 and 13, https://demo.recras.nl/docs/api/endpoints/contacten.html"


# ---------------------------------------------------------------------------------------------------------- outward
def _name(contact: Json) -> str | None:
    return contact.get("name") or canonical.full_name(contact)


def _address(contact: Json) -> str | None:
    lines = (canonical.get(contact, f"address.{part}") for part in ("line1", "line2"))
    return address_lines(*lines) or None


def _country(contact: Json) -> str | None:
    """Two letters (sheet 5); a country that is not known stays as it is, does not fit then, and is left out."""
    given = str(canonical.get(contact, "address.country") or "")
    return country_code(given) or (given if any(map(str.isalnum, given)) else None)


def _customer_kind(contact: Json, settings: RecrasSettings) -> str | None:
    """The kind of a new customer: private persons may have one of their own."""
    own = settings.customer_kind_person if contact.get("kind") == "person" else None
    return own or settings.customer_kind


def _website(contact: Json) -> str | None:
    return url_absolute(contact.get("website")) or None


# ------------------------------------------------------------------------------------------------------------ table
def _row(canonical_path: str, vendor: str, normaliser: str = "text", **more: Any) -> FieldRow:
    return FieldRow(canonical_path, vendor, normaliser, **{"source": _MEMBERS, **more})


def _theirs(vendor: str, lossy: str, normaliser: str = "text", **more: Any) -> FieldRow:
    """A member that is read and never written."""
    return _row(vendor, vendor, normaliser, direction="in", owner="system", lossy=lossy, **more)


def _configured(
    vendor: str,
    value: Callable[[Json], Any],
    normaliser: str = "text",
    lossy: str = "from the settings, for a new customer only",
) -> FieldRow:
    """A member that comes from the settings at a create and is never changed afterwards (sheet 13)."""
    return _row(vendor, vendor, normaliser, outward=value, write="create", null_rule="never", lossy=lossy)


def _hidden_rows(sent: bool) -> tuple[FieldRow, ...]:
    if not sent:
        lossy = "never sent, as send_landcode_btw is off: an unknown member refuses the whole write"
        return tuple(_theirs(member, lossy, source=_CONTACTS) for member in HIDDEN)
    return (
        _row(
            "address.country",
            "landcode",
            "country",
            outward=_country,
            max_length=COUNTRY_LENGTH,
            unit="address",
            lossy="two letters; a person is asked about a country that is not known",
            source=_CONTACTS,
        ),
        _row(
            "vat_number", "btw_nummer", "vat", outward=vat_number, lossy="without blanks and points", source=_CONTACTS
        ),
    )


def _rows(settings: RecrasSettings) -> tuple[FieldRow, ...]:
    return (
        _theirs("id", "given by Recras; contacts of all types share one row of ids"),
        _theirs("type", "only `klant` is ever linked", "choice"),
        _theirs("displaynaam", "made by Recras from the name, else from the main person"),
        _row(
            "name",
            "naam",
            outward=_name,
            sources=("name", "first_name", "last_name"),
            required=True,
            missing="review",
            null_rule="never",
            lossy="of a private person also the contact person's name",
        ),
        _row(
            "address.line1",
            "adres",
            outward=_address,
            sources=("address.line1", "address.line2"),
            compose="lines",
            unit="address",
            lossy="both lines in one, with a comma",
        ),
        _row("address.postal_code", "postcode", "postcode", unit="address"),
        _row("address.city", "plaats", unit="address"),
        _theirs("provinciecode", "for statistics; Robaws does not know it"),
        *_hidden_rows(settings.send_landcode_btw),
        _row("website", "website", "url", outward=_website, lossy="with https:// before it where that is missing"),
        _configured("bedrijf_id", lambda _: settings.company, "integer_text"),
        _configured(
            "soort_klant",
            lambda contact: _customer_kind(contact, settings),
            lossy="from the settings, for a new customer only: one for private persons, one for all others",
        ),
        _configured("afdeling", lambda _: settings.department),
        _row(
            "invoice_address.line1",
            "factuur_adressering",
            "address_block",
            outward=invoicing.invoice_block,
            sources=("name", *invoicing.PATHS),
            compose="custom",
            lossy="the addressee first, then `T.a.v.` the person who receives the invoices; empty where it is the "
            "address; the country only where it is another",
            source=f"{_MEMBERS} and https://demo.recras.nl/docs/api/webhooks/klant_postupdate.html",
        ),
        _theirs(EXTRA_FIELDS, "a Robaws id at the create where reference_extra_field names a field; else left alone"),
        _theirs("status", "cannot be written; an inactive client is left as it is", "choice"),
        _theirs("deactivated_at", "set by Recras when a customer is deactivated or made anonymous"),
    )


NOT_HELD: Final[Mapping[str, str]] = {
    "legal_name": "lost",
    "legal_form": "lost",
    "registration_number": "lost: Recras has no place for it",
    "invoice_email": "only where neither the client nor its main person has an e-mail",
    "language": "lost",
    "currency": "lost",
    "payment_term_days": "lost",
    "status": "lost: cannot be written",
    "notes": "never copied",
    "persons.function": "lost: a contact person has no job title there",
    "persons.title": "only a title that tells man or woman, as salutation and gender; any other is lost",
    "references.customer_number": "lost",
    "references.routix_id": "lost",
}

_WITHOUT_SWITCH: Final[Mapping[str, str]] = {
    "vat_number": "lost unless send_landcode_btw is on",
    "address.country": "lost unless send_landcode_btw is on",
}

_REACH: Final = ("invoice_email", "phone", "mobile")
_PERSON_REACH: Final = ("email", "phone", "mobile")


def _is_lost(record: Mapping[str, Any], path: str, held: frozenset[str]) -> bool:
    key = NORMALISERS[canonical.BY_PATH[path].normaliser](record.get(path))
    return bool(key) and key not in held


@dataclass(frozen=True)
class RecrasMapping(VendorMapping):
    """The table, with what the two e-mails and two phones of the main person can hold of several."""

    @override
    def unheld(self, contact: Json) -> tuple[str, ...]:
        """The fields without a place, those whose place others take, and what of a person has none."""
        held = persons.reach_held(contact)
        listed = contact.get("persons") or []
        lost = [path for path in _REACH if _is_lost(contact, path, held)]
        lost += [f"persons.{name}" for name in _PERSON_REACH if any(_is_lost(one, name, held) for one in listed)]
        lost += ["persons.function"] if any(one.get("function") for one in listed) else []
        untold = any(one.get("title") and titles.gender(one["title"]) is None for one in listed)
        lost += ["persons.title"] if untold else []
        return (*super().unheld(contact), *lost)


def mapping_for(settings: RecrasSettings) -> RecrasMapping:
    """The table as the settings shape it."""
    return RecrasMapping(
        "recras",
        VERSION,
        _rows(settings),
        inward,
        persons=persons.table_for(settings.person_fallback_name),
        unmarked=_BEFORE,
        also_held=("email", "invoice_email", "phone", "mobile", "first_name", "last_name"),
        not_held=NOT_HELD if settings.send_landcode_btw else {**NOT_HELD, **_WITHOUT_SWITCH},
    )


# ----------------------------------------------------------------------------------------------------------- inward
def inward(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record's members as canonical values by path; phones and e-mails sit on its persons."""
    return {
        "name": fields.get("naam") or fields.get("displaynaam"),
        "vat_number": fields.get("btw_nummer"),
        "website": fields.get("website"),
        "address.line1": fields.get("adres"),
        "address.postal_code": fields.get("postcode"),
        "address.city": fields.get("plaats"),
        "address.country": fields.get("landcode"),
    }


def record_of(klant: Mapping[str, Any], mapping: VendorMapping, reference_field: str | None) -> Record:
    """
    One customer as a record; `reference_field` is the extra field that carries our reference.

    `raw` alone holds what is not ours to keep, bank data in an extra field for instance: a PUT sends it back.
    """
    shown = sensitive.clean(dict(klant), replacement="")
    why_not = ""
    if klant.get("type") not in (None, "", "klant"):
        why_not = f"it is of the type {klant['type']}"
    elif klant.get("deactivated_at"):
        why_not = "it is deactivated"
    return Record(
        str(klant["id"]),
        {row.vendor: shown[row.vendor] for row in mapping.rows if row.vendor in shown},
        persons=persons.their_persons(shown),
        reference=reference_in(klant.get(EXTRA_FIELDS), reference_field),
        usable=not why_not,
        why_not=why_not,
        emails=persons.emails_of(shown),
        name=shown.get("naam") or shown.get("displaynaam"),
        raw=klant,
    )


def reference_in(extra_fields: Any, name: str | None) -> str | None:
    """The text of one extra field, None where the answer does not show it (sheet 5.2)."""
    if name is None or not isinstance(extra_fields, list):
        return None
    found = (item.get("value") for item in extra_fields if isinstance(item, Mapping) and item.get("name") == name)
    value = next(found, None)
    return str(value) if value not in (None, "") else None


def extra_field(name: str, reference: str) -> list[dict[str, str]]:
    """The extra field that carries our reference, as a create sends it (sheet 5.2)."""
    return [{"name": name, "type": "text", "value": reference}]
