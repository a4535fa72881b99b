"""
What the simulated Robaws accepts: its members, its extra fields, and the switches for what nobody knows.

Every rule names its section of the Robaws sheet. Where the sheet says "unknown" or "assumed" there is a switch,
so that a test can show that the product lives with either answer.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import phonenumbers

from worker.vendors.simulation import merge

# 9: the members of a client that can be written and hold text. Ids of other records are text as well (trap 17).
TEXT_MEMBERS = frozenset(
    {"name", "email", "invoiceEmail", "tel", "gsm", "website", "vatIdNumber", "language", "currency", "status"}
)
ID_MEMBERS = frozenset({"paymentConditionId", "vatTariffId", "generalLedgerAccountId"})
DATE_MEMBERS = frozenset({"clientSince"})
ADDRESS_MEMBERS = frozenset({"address", "invoiceAddress"})
ADDRESS_TEXTS = ("addressLine1", "addressLine2", "postalCode", "city", "country")
ADDRESS_NUMBERS = ("latitude", "longitude")
# 6: "PUT requires stripping read-only members"; 9: `logicId`, the two times and `_metadata` are read-only.
READ_ONLY_MEMBERS = frozenset({"_metadata", "logicId", "createdAt", "updatedAt"})
# 9.1. `firstName` is not among them: it is ignored when sent.
PERSON_TEXTS = frozenset({"name", "surname", "title", "function", "email", "tel", "gsm"})
PERSON_FLAGS = frozenset({"isPrimary", "receivesQuotes", "receivesInvoices"})

FieldType = Literal["TEXT", "LINK", "SELECT", "DATE", "DECIMAL", "INTEGER", "CHECKBOX"]

# 9.2: the kind of a field decides which member carries its value.
VALUE_MEMBERS: dict[FieldType, str] = {
    "TEXT": "stringValue",
    "LINK": "stringValue",
    "SELECT": "stringValue",
    "DATE": "dateValue",
    "DECIMAL": "decimalValue",
    "INTEGER": "integerValue",
    "CHECKBOX": "booleanValue",
}


@dataclass(frozen=True)
class ExtraField:
    """A field that this tenant defined for its clients; the API can fill it, never create it (9.2)."""

    name: str
    guid: str
    type: FieldType = "TEXT"
    choices: tuple[str, ...] = ()
    group: str | None = None

    @property
    def value_member(self) -> str:
        """The member of an extra field's object that holds this field's value."""
        return VALUE_MEMBERS[self.type]


DEFAULT_EXTRA_FIELDS = (
    ExtraField("Klanttype", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D21", "SELECT", ("Aannemer", "Particulier", "School")),
    ExtraField("Nieuwsbrief", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D22", "CHECKBOX"),
    ExtraField("Startdatum", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D23", "DATE"),
    ExtraField("Kortingspercentage", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D24", "DECIMAL"),
    ExtraField("Aantal vestigingen", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D25", "INTEGER"),
    ExtraField("Rompslomp-id", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D31", "TEXT", group="Koppelingen"),
    ExtraField("Recras-id", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D32", "TEXT", group="Koppelingen"),
    ExtraField("Workspace-id", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D33", "TEXT", group="Koppelingen"),
    ExtraField("Routix-id", "6B0B2B52-0D0E-4C55-9B0C-3A5C0F9C1D34", "TEXT", group="Koppelingen"),
)


@dataclass
class Switches:
    """All that the sheet leaves open or that differs by tenant; each default is the sheet's own guess."""

    # 4: limits; None is no limit. The 2022 text speaks of a burst of 20, the newer one of none.
    rate_per_second: float | None = 15.0
    burst: int = 15
    daily_requests: int | None = 10_000
    retry_after_seconds: float | None = None  # 4: never mentioned
    # 2 and 15: "429s are monitored", and who runs into too many is blocked; how many in how long is assumed.
    block_after_throttles: int | None = 200
    block_window_seconds: float = 60.0
    replica_lag_seconds: float = 0.0  # 4: "eventually consistent"
    # 2: authentication and rights.
    blocked: bool = False
    tenant: str | None = None
    tenant_required: bool = False
    user_is_admin: bool = True
    forbidden_modules: frozenset[str] = frozenset()
    # 5: idempotency.
    idempotency_headers: tuple[str, ...] = ("idempotency-key", "x-robaws-idempotency-key")
    idempotency_conflicts: bool = True
    idempotency_busy_seconds: float = 0.0
    idempotency_lifetime_seconds: float = 86_400.0
    # 6 and 8: answers to writes.
    created_status: Literal[200, 201] = 201
    patch_answers_entity: bool = True
    read_only_status: Literal[415, 422] = 422
    refused_values_status: Literal[400, 422, 500] = 400  # 10, trap 23: a 500 may be the payload's fault
    required_members: tuple[str, ...] = ("name",)
    # 7: lists.
    updated_from_refused_on: frozenset[str] = frozenset({"contacts"})
    sort_refused_on: frozenset[str] = frozenset()
    client_filters: frozenset[str] = frozenset({"name", "logicId"})
    comma_includes: bool = True
    lists_abbreviated: bool = False
    # 9: what the tenant does with values.
    phones_normalised: bool = False
    checkbox_as_number: bool = False
    extra_field_names_with_underscores: bool = False
    extra_field_emptied_by: Literal["null", "value_null", "both"] = "both"
    person_flags_kept: bool = True
    vies: dict[str, dict[str, Any]] = field(default_factory=dict)
    # 3: webhooks.
    person_change_fires: bool = False
    extra_field_change_fires: bool = False
    unchanged_write_fires: bool = True
    person_change_moves_updated_at: bool = True
    endpoint_warmup_seconds: float = 0.0
    suspend_after_failures: int | None = None
    retries_signed_anew: bool = False


@dataclass(eq=False)
class Refusal(Exception):
    """A request that Robaws answers with an error."""

    status: int
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def clean_client(body: Any, switches: Switches, fields: tuple[ExtraField, ...], own_id: str | None) -> dict[str, Any]:
    """
    What Robaws makes of a client that it is sent: refused, or a merge patch of the members it knows.

    Unknown members, unknown extra fields and unknown choices vanish without a word (9.2; trap 16).
    """
    members = _object(body, "body")
    for name in sorted(READ_ONLY_MEMBERS & members.keys()):
        raise Refusal(switches.read_only_status, f"{name}: is read-only")
    if str(members.get("id", own_id)) != str(own_id):
        raise Refusal(switches.read_only_status, "id: is read-only")
    kept: dict[str, Any] = {}
    for name, value in members.items():
        if name in TEXT_MEMBERS:
            kept[name] = _text(value, name)
        elif name in ID_MEMBERS:
            kept[name] = _id(value, name)
        elif name in DATE_MEMBERS:
            kept[name] = _date(value, name)
        elif name in ADDRESS_MEMBERS:
            kept[name] = _address(value, name)
        elif name == "extraFields":
            kept[name] = _extra_fields(value, switches, fields)
    # 9: "if the API checks VIES as well, a write can come back changed".
    kept = merge(kept, switches.vies.get(kept.get("vatIdNumber") or "", {}))
    return _normalised(kept, switches)


def check_required(members: Mapping[str, Any], switches: Switches) -> None:
    """9: `name` is required; which others are depends on the tenant's settings."""
    for name in switches.required_members:
        value = members.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise Refusal(400, f"{name}: must not be blank")


def clean_person(body: Any, switches: Switches) -> dict[str, Any]:
    """What Robaws makes of a contact person that it is sent (9.1): `name` is the first name, others vanish."""
    kept: dict[str, Any] = {}
    for name, value in _object(body, "body").items():
        if name in PERSON_TEXTS:
            kept[name] = _text(value, name)
        elif name in PERSON_FLAGS and switches.person_flags_kept:
            if value is not None and not isinstance(value, bool):
                raise Refusal(400, f"{name}: must be true or false")
            kept[name] = value
    return _normalised(kept, switches)


def _normalised(members: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """With the switch on, telephone numbers come back written in another way than they were sent."""
    if not switches.phones_normalised:
        return members
    return {name: _phone(value) if name in {"tel", "gsm"} else value for name, value in members.items()}


def _phone(text: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text or "", "BE")
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(400, f"{name}: must be an object")
    return value


def _text(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Refusal(400, f"{name}: must be text")
    return value


def _id(value: Any, name: str) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is not None and not (isinstance(text, str) and text.isascii() and text.isdigit()):
        raise Refusal(400, f"{name}: must be an id")
    return text


def _date(value: Any, name: str) -> str | None:
    try:
        return None if value is None else datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Refusal(400, f"{name}: must be a date (yyyy-mm-dd)") from None


def _address(value: Any, name: str) -> dict[str, Any] | None:
    if value is None:
        return None
    # 6: an array gives 400.
    members = _object(value, name)
    kept: dict[str, Any] = {key: _text(members[key], f"{name}.{key}") for key in ADDRESS_TEXTS if key in members}
    for key in ADDRESS_NUMBERS:
        if key in members:
            kept[key] = _number(members[key], f"{name}.{key}")
    return kept


def _number(value: Any, name: str) -> int | float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refusal(400, f"{name}: must be a number")
    return value


def _extra_fields(value: Any, switches: Switches, fields: tuple[ExtraField, ...]) -> dict[str, Any] | None:
    if value is None:
        return None
    kept: dict[str, Any] = {}
    for name, entry in _object(value, "extraFields").items():
        known = _field_named(name, switches, fields)
        if known is None:
            continue
        if entry is None:
            # 6, 13: how an extra field is emptied is not known, so each way can be switched off.
            if switches.extra_field_emptied_by in {"null", "both"}:
                kept[known.name] = None
            continue
        members = _object(entry, f"extraFields.{name}")
        if known.value_member not in members:
            continue
        content = members[known.value_member]
        if content is None:
            if switches.extra_field_emptied_by in {"value_null", "both"}:
                kept[known.name] = None
            continue
        _check_extra_value(known, content)
        if known.type != "SELECT" or content in known.choices:
            kept[known.name] = {known.value_member: content}
    return kept


def _field_named(name: str, switches: Switches, fields: tuple[ExtraField, ...]) -> ExtraField | None:
    for known in fields:
        # 9.2: "names may differ in blank versus underscore between places".
        underscored = switches.extra_field_names_with_underscores and name == known.name.replace(" ", "_")
        if name == known.name or underscored:
            return known
    return None


def _check_extra_value(known: ExtraField, value: Any) -> None:
    label = f"extraFields.{known.name}.{known.value_member}"
    match known.type:
        case "CHECKBOX":
            if not isinstance(value, bool):
                raise Refusal(400, f"{label}: must be true or false")
        case "DATE":
            _date(value, label)
        case "INTEGER":
            if isinstance(value, bool) or not isinstance(value, int):
                raise Refusal(400, f"{label}: must be a whole number")
        case "DECIMAL":
            _number(value, label)
        case _:
            _text(value, label)
