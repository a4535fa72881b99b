"""
The contact of the simulated Rompslomp: its members, what may be written and what is refused.

Rompslomp sheet 6 (the vendor's OpenAPI file) and points 5 to 9 of its section 11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from worker.vendors.rompslomp import simulator_errors as errors
from worker.vendors.simulation import SimRequest

_TWO_LETTERS = re.compile(r"[A-Za-z]{2}")
_ONE_ADDRESS = re.compile(r"[^\s;,@]+@[^\s;,@]+")

BOOLEAN_MEMBERS = ("is_individual", "is_supplier")
TEXT_MEMBERS = (
    "company_name",
    "contact_person_name",
    "contact_person_email_address",
    "address",
    "zipcode",
    "city",
    "government_identification_number",
    "country_code",
    "kvk_number",
    "phone",
    "vat_number",
    "contact_number",
    "free_1",
    "free_2",
    "free_3",
)
# Sheet 4.1: `free_1..3` are not among them, so a reference that is kept there cannot be searched.
SEARCHED_MEMBERS = (
    "company_name",
    "contact_person_name",
    "contact_person_email_address",
    "kvk_number",
    "contact_number",
    "address",
    "phone",
    "vat_number",
    "zipcode",
    "city",
)
# Sheet 6: `id` and `name` are the vendor's own, everything else may be written.
WRITABLE_MEMBERS = BOOLEAN_MEMBERS + TEXT_MEMBERS


class Contact:
    """One stored record; `order` is its fixed place in lists (sheet 11.11)."""

    def __init__(self, *, record_id: int, company_id: int, order: float) -> None:
        self.id = record_id
        self.company_id = company_id
        self.order = order
        self.has_invoices = False
        self.values: dict[str, Any] = {**dict.fromkeys(WRITABLE_MEMBERS), **dict.fromkeys(BOOLEAN_MEMBERS, False)}
        self.searched = ""
        self.shown_as: dict[str, Any] = {}

    def write(self, values: Mapping[str, Any]) -> None:
        """Lay stored values over the present ones."""
        self.values.update(values)
        # Joined once here, so that a search over many contacts stays cheap; no member holds a line break to search.
        self.searched = "\n".join(self.values[member] or "" for member in SEARCHED_MEMBERS).casefold()

    def shown(self) -> dict[str, Any]:
        """All 19 members, null where empty, `name` computed (sheets 6 and 11.8)."""
        named_by = "contact_person_name" if self.values["is_individual"] else "company_name"
        return {
            "id": self.id,
            "is_individual": self.values["is_individual"],
            "is_supplier": self.values["is_supplier"],
            "name": self.values[named_by],
            **{member: self.values[member] for member in TEXT_MEMBERS},
            **self.shown_as,
        }


def is_blank(value: object) -> bool:
    """Null, or text with nothing but blanks in it."""
    return value is None or (isinstance(value, str) and not value.strip())


def stored(members: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of members that were written: empty text is null, an empty switch is off (sheets 6 and 11.8)."""
    return {
        member: bool(value) if member in BOOLEAN_MEMBERS else None if is_blank(value) else value
        for member, value in members.items()
    }


def members_of_body(request: SimRequest) -> dict[str, Any]:
    """
    The members under the root `contact`; refused as in sheet 11.5.

    A body of another content type is not read at all, so its root member is missing (assumed; the page demands
    `application/json`, sheet 4).
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise errors.missing_parameter("contact")
    try:
        body = json.loads(request.body, parse_constant=_refuse_constant)
    except ValueError:
        raise errors.malformed_json() from None
    members = body.get("contact") if isinstance(body, dict) else None
    if not isinstance(members, dict):
        raise errors.missing_parameter("contact")
    check_members(members)
    return members


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, JSON does not know them.
    raise ValueError(name)


def check_members(members: Mapping[str, Any]) -> None:
    """One member that is not writable refuses the whole request, as does a value of the wrong type (sheet 11.5)."""
    unknown = [member for member in members if member not in WRITABLE_MEMBERS]
    if unknown:
        raise errors.unpermitted_parameters(unknown)
    for member, value in members.items():
        # Text of another type than text: the types are documented (sheet 6), the refusal is assumed.
        wanted = bool if member in BOOLEAN_MEMBERS else str
        if value is not None and not isinstance(value, wanted):
            raise errors.invalid_parameter_value(member)


def faults_of(values: Mapping[str, Any], *, number_taken: bool) -> list[str]:
    """Why a whole record is refused, each fault as its part of the sentence (sheet 11.6)."""
    faults = []
    if values.get("is_individual"):
        if is_blank(values.get("contact_person_name")):
            faults.append("Contact person name moet opgegeven zijn")
    elif is_blank(values.get("company_name")):
        faults.append("Company name moet opgegeven zijn")
    country = values.get("country_code")
    if not is_blank(country) and not _TWO_LETTERS.fullmatch(str(country)):
        faults.append("Country code is ongeldig")
    email = values.get("contact_person_email_address")
    if not is_blank(email) and not _ONE_ADDRESS.fullmatch(str(email)):
        # Assumed: the address is what invoices are mailed to.
        faults.append("Contact person email address is ongeldig")
    if number_taken:
        faults.append("Contact number is al in gebruik")
    return faults
