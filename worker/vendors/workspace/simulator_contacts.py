"""
The contact of the simulated Workspace: its members, and why one is refused (Workspace sheet 5, 11.7 and 11.8).

The table of members is that of https://apidocs.workspace.nl/contacts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# Sheet 5, in the order of the page's example.
MEMBERS = (
    "id",
    "client_reference",
    "client_code",
    "group",
    "type",
    "name",
    "location_address",
    "location_postal",
    "location_city",
    "location_country",
    "location_long",
    "location_lat",
    "invoice_address",
    "invoice_postal",
    "invoice_city",
    "invoice_country",
    "invoice_long",
    "invoice_lat",
    "phone",
    "fax",
    "website",
    "btw",
    "kvk",
    "email",
    "bank_name",
    "bank_nr",
    "created",
    "modified",
    "trashed",
    "payment_term",
)
# "Aanpasbaar: Nee".
READ_ONLY = frozenset(
    {
        "id",
        "client_reference",
        "group",
        "type",
        "location_long",
        "location_lat",
        "invoice_long",
        "invoice_lat",
        "created",
        "modified",
        "trashed",
    }
)
EDITABLE = frozenset(MEMBERS) - READ_ONLY
# These three cannot be changed, yet are taken when a contact is made.
CREATABLE = EDITABLE | {"client_reference", "group", "type"}
# "Vereist bij aanmaken".
REQUIRED = (
    "client_reference",
    "group",
    "name",
    "location_address",
    "location_city",
    "invoice_address",
    "invoice_postal",
    "invoice_city",
    "phone",
    "email",
    "payment_term",
)
TYPES = ("1", "2")
_WHOLE_NUMBER = re.compile(r"\d+", re.ASCII)


@dataclass
class Contact:
    """One stored record: text or null in every member but `trashed` (sheet 11.10)."""

    values: dict[str, Any]
    sub_contacts: list[Any] = field(default_factory=list)

    @property
    def trashed(self) -> bool:
        """Whether it is in the bin."""
        return bool(self.values["trashed"])

    def shown(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """As in an answer, with its containment; `more` are members that the page does not know."""
        return {"Contact": {**self.values, **more}, "SubContact": list(self.sub_contacts)}


def create_faults(members: Mapping[str, str], groups: Collection[str], *, empty_ok: bool) -> list[str]:
    """Why a new contact is refused; the vendor tells its caller none of this (sheet 11.11)."""
    faults = [f"{member}: missing" for member in REQUIRED if member not in members]
    faults += _value_faults(members, empty_ok=empty_ok)
    if "group" in members and members["group"] not in groups:
        faults.append("group: not known")
    if "type" in members and members["type"] not in TYPES:
        faults.append("type: neither 1 nor 2")
    return faults


def change_faults(members: Mapping[str, str], *, empty_ok: bool, refuse_readonly: bool) -> list[str]:
    """Why a change is refused; only members that were sent count (sheet 11.8)."""
    sent = {member: value for member, value in members.items() if member in EDITABLE}
    faults = _value_faults(sent, empty_ok=empty_ok)
    if refuse_readonly:
        faults += [f"{member}: read only" for member in members if member in READ_ONLY]
    return faults


def _value_faults(members: Mapping[str, str], *, empty_ok: bool) -> list[str]:
    blank = [] if empty_ok else [m for m in REQUIRED if m in members and not members[m].strip()]
    faults = [f"{member}: blank" for member in blank]
    term = members.get("payment_term")
    if term is not None and "payment_term" not in blank and not _WHOLE_NUMBER.fullmatch(term):
        faults.append("payment_term: not a whole number")
    return faults
