"""
What the simulated Recras refuses: the members of a customer and of a contact person (Recras sheets 5 and 12.4).

Pure: a body in, faults out. All faults of one body are found, not only the first.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from worker.vendors.recras.simulator_errors import INVALID, REQUIRED, UNKNOWN, Fault, around
from worker.vendors.recras.simulator_records import HIDDEN_TEXT_MEMBERS, PERSON_MEMBERS, TEXT_MEMBERS

_ABSOLUTE = re.compile(r"https?://[^\s/]+(/\S*)?\Z", re.IGNORECASE)
GENDERS = ("man", "vrouw", "onbekend")
READ_ONLY_MEMBERS = ("id", "type", "displaynaam")


@dataclass
class Company:
    """A company of the tenant, with the kinds of customer that are defined there."""

    id: int
    kinds: tuple[str, ...] = ()
    default: bool = False


@dataclass
class Switches:
    """What the sheet leaves open, under the names of Recras sheet 12; may be changed at any time."""

    accept_landcode_btw: bool
    person_members_with_id: Literal["ignore", "apply", "refuse"]
    strict_soort_klant: bool
    dedupe: bool | Literal["name"]
    dedupe_effect: Literal["none", "merge"]
    order: Literal["shuffled", "id", "newest"]
    id_gt_exclusive: bool
    column_filters: bool
    page_size: int | None
    show_extra_fields: bool
    show_landcode_btw: bool
    put_requires_all: bool
    put_replaces: bool
    strict_website: bool
    delete_orphans: bool
    ignore_readonly: bool
    flat_errors: bool


@dataclass
class Rules:
    """The rules of one tenant."""

    switches: Switches
    companies: dict[int, Company]
    person_exists: Callable[[int], bool]

    def default_company(self) -> int:
        """Where a customer goes that names no company."""
        return next((c.id for c in self.companies.values() if c.default), next(iter(self.companies)))

    def text_members(self) -> tuple[str, ...]:
        """The customer's members that hold text and may be written."""
        return TEXT_MEMBERS + (HIDDEN_TEXT_MEMBERS if self.switches.accept_landcode_btw else ())

    def klant_faults(self, body: Mapping[str, Any], *, persons_required: bool, company_id: int | None) -> list[Fault]:
        """Why a customer is refused; `company_id` is the one it belongs to so far."""
        known = {*self.text_members(), "bedrijf_id", "contactpersonen", "extra_fields"}
        faults = [Fault(member, UNKNOWN) for member in body if member not in known]
        faults += _text_faults(body, self.text_members())
        faults += self._company_faults(body, company_id)
        website = body.get("website")
        if self.switches.strict_website and isinstance(website, str) and website and not _ABSOLUTE.match(website):
            faults.append(Fault("website", INVALID))  # sheet 15: "Absolute URL"; that another is refused is assumed
        if "contactpersonen" in body or persons_required:
            faults += self._list_of_persons_faults(body.get("contactpersonen"))
        if "extra_fields" in body:
            faults += _extra_fields_faults(body["extra_fields"])
        return faults

    def _company_faults(self, body: Mapping[str, Any], company_id: int | None) -> list[Fault]:
        wanted = body.get("bedrijf_id", company_id)
        wanted = self.default_company() if wanted is None else wanted
        company = self.companies.get(wanted) if is_whole_number(wanted) else None
        if company is None:
            return [Fault("bedrijf_id", INVALID)]
        kind = body.get("soort_klant")
        if self.switches.strict_soort_klant and kind and isinstance(kind, str) and kind not in company.kinds:
            return [Fault("soort_klant", INVALID)]
        return []

    def _list_of_persons_faults(self, persons: object) -> list[Fault]:
        if not isinstance(persons, list) or not persons:
            return [Fault("contactpersonen", REQUIRED)]
        inner = [fault for person in persons for fault in self._linked_person_faults(person)]
        mains = [person for person in persons if isinstance(person, dict) and person.get("hoofdcontact") is True]
        if len(mains) != 1:
            inner.append(Fault("contactpersonen.hoofdcontact", "Exactly one main contact is required."))
        ids = [person["id"] for person in persons if isinstance(person, dict) and is_whole_number(person.get("id"))]
        if len(ids) != len(set(ids)):
            inner.append(Fault("contactpersonen.id", "The same person twice."))  # assumed
        return [around("contactpersonen", inner)] if inner else []

    def _linked_person_faults(self, person: object) -> list[Fault]:
        if not isinstance(person, dict):
            return [Fault("contactpersonen", INVALID)]
        prefix = "contactpersonen."
        faults = []
        if "hoofdcontact" not in person:
            faults.append(Fault(f"{prefix}hoofdcontact", REQUIRED))
        elif not isinstance(person["hoofdcontact"], bool):
            faults.append(Fault(f"{prefix}hoofdcontact", INVALID))
        members = {member: value for member, value in person.items() if member not in {"id", "hoofdcontact"}}
        if "id" not in person:
            return faults + self.person_faults(members, prefix)
        if not is_whole_number(person["id"]) or not self.person_exists(person["id"]):
            faults.append(Fault(f"{prefix}id", INVALID))
        match self.switches.person_members_with_id:
            case "refuse":
                return faults + [Fault(f"{prefix}{member}", UNKNOWN) for member in members]
            case "apply":
                return faults + self.person_faults(members, prefix)
            case "ignore":
                return faults + _unknown_faults(members, prefix)

    def person_faults(self, members: Mapping[str, Any], prefix: str = "") -> list[Fault]:
        """Why a contact person is refused, its place in a customer aside."""
        faults = _unknown_faults(members, prefix)
        faults += _text_faults(members, PERSON_MEMBERS, prefix)
        gender = members.get("geslacht")
        if isinstance(gender, str) and gender not in GENDERS:
            faults.append(Fault(f"{prefix}geslacht", INVALID))
        return faults


def is_whole_number(value: object) -> TypeGuard[int]:
    """Tell whether JSON held a whole number; to Python `true` is one as well."""
    return isinstance(value, int) and not isinstance(value, bool)


def _unknown_faults(members: Mapping[str, Any], prefix: str) -> list[Fault]:
    return [Fault(f"{prefix}{member}", UNKNOWN) for member in members if member not in PERSON_MEMBERS]


def _text_faults(body: Mapping[str, Any], members: Iterable[str], prefix: str = "") -> list[Fault]:
    # Sheet 6 says "invalid member" without naming types: text or null, as the page's parameter list has it.
    wrong = [member for member in members if not isinstance(body.get(member), str | None)]
    return [Fault(f"{prefix}{member}", INVALID) for member in wrong]


def _extra_fields_faults(items: object) -> list[Fault]:
    if not isinstance(items, list):
        return [Fault("extra_fields", INVALID)]
    inner = [fault for item in items for fault in _extra_field_faults(item)]
    return [around("extra_fields", inner)] if inner else []


def _extra_field_faults(item: object) -> list[Fault]:
    if not isinstance(item, dict):
        return [Fault("extra_fields", INVALID)]
    faults = [Fault(f"extra_fields.{m}", UNKNOWN) for m in item if m not in {"name", "type", "value"}]
    faults += [Fault(f"extra_fields.{m}", REQUIRED) for m in ("name", "type", "value") if m not in item]
    if not isinstance(item.get("name", ""), str):
        faults.append(Fault("extra_fields.name", INVALID))
    if "type" in item and item["type"] not in _FITS:
        faults.append(Fault("extra_fields.type", INVALID))
    elif "type" in item and "value" in item and not _FITS[item["type"]](item["value"]):
        faults.append(Fault("extra_fields.value", INVALID))
    return faults


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


# Sheet 5.2: the five types, and what a value of each must be.
_FITS: dict[str, Callable[[object], bool]] = {
    "text": _is_text,
    "number": is_whole_number,
    "date": _is_date,
    "singlechoice": _is_text,
    "multiplechoice": _is_list_of_text,
}
