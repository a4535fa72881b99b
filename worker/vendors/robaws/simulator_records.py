"""The simulated tenant's clients and contact persons: kept, remembered for the replica, and written out as JSON."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.vendors.robaws.simulator_rules import (
    ADDRESS_MEMBERS,
    ADDRESS_NUMBERS,
    ADDRESS_TEXTS,
    DATE_MEMBERS,
    ID_MEMBERS,
    PERSON_TEXTS,
    TEXT_MEMBERS,
    ExtraField,
    Switches,
)


@dataclass(frozen=True)
class Person:
    """One contact person; `members` as written, nulls left out."""

    id: str
    members: Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """One client. Never changed in place, so that an older version stays what it was for the replica."""

    id: str
    logic_id: str
    members: Mapping[str, Any]
    created_ms: int
    updated_ms: int
    persons: tuple[Person, ...] = ()
    archived: bool = False


@dataclass
class Records:
    """All clients as they are, and as they were for as long as the replica lags."""

    clients: dict[str, Client] = field(default_factory=dict)
    _past: dict[str, list[tuple[float, Client | None]]] = field(default_factory=dict)

    def put(self, client: Client, now: float, lag: float) -> None:
        """Store the client's new version."""
        self._remember(client.id, client, now, lag)
        self.clients[client.id] = client

    def drop(self, client_id: str, now: float, lag: float) -> None:
        """Delete the client."""
        self._remember(client_id, None, now, lag)
        self.clients.pop(client_id, None)

    def as_of(self, client_id: str, moment: float) -> Client | None:
        """The client as it stood at `moment`, as far back as the lag at the time of each change."""
        past = self._past.get(client_id)
        if past is None:
            return self.clients.get(client_id)
        return [client for at, client in past if at <= moment][-1]

    def all_as_of(self, moment: float) -> list[Client]:
        """Every client as it stood at `moment`, by ascending id (sheet 7: the default order as seen)."""
        ids = sorted(self.clients.keys() | self._past.keys(), key=int)
        return [client for client in (self.as_of(client_id, moment) for client_id in ids) if client is not None]

    def _remember(self, client_id: str, client: Client | None, now: float, lag: float) -> None:
        if lag <= 0:
            self._past.pop(client_id, None)
            return
        past = self._past.setdefault(client_id, [(-math.inf, self.clients.get(client_id))])
        past.append((now, client))
        while len(past) > 1 and past[1][0] <= now - lag:
            del past[0]


def timestamp(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds and `Z` (sheet 7 and 12)."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Partial:
    """Members that the next `times` answers leave out (`times` < 0: until it is cleared)."""

    members: tuple[str, ...]
    times: int = 1


def without(value: Any, members: tuple[str, ...]) -> Any:
    """A JSON value without these members, by dotted path; a path goes through every item of a list."""
    if isinstance(value, list):
        return [without(item, members) for item in value]
    if not isinstance(value, dict):
        return value
    inner = [path.partition(".") for path in members]
    return {
        name: without(held, tuple(rest for first, _, rest in inner if first == name and rest))
        for name, held in value.items()
        if name not in members
    }


def write_client(
    client: Client, switches: Switches, fields: tuple[ExtraField, ...], *, contacts: bool = False
) -> dict[str, Any]:
    """The client as the API answers it (sheet 12.3): every member present, extra fields by name."""
    written = _members(client)
    if contacts:
        written["contacts"] = [write_person(person) for person in client.persons]
    held = client.members.get("extraFields") or {}
    written["extraFields"] = {
        _answer_name(known, switches): {"type": known.type, "group": known.group, **_value(held[known.name], switches)}
        for known in fields
        if known.name in held
    }
    return {**written, **_times(client)}


def write_event_data(client: Client, fields: tuple[ExtraField, ...]) -> dict[str, Any]:
    """The client as a webhook carries it (sheet 3.2 and 12.2): no persons, extra fields by GUID, value only."""
    held = client.members.get("extraFields") or {}
    by_guid = {known.guid: held[known.name] for known in fields if known.name in held}
    return {**_members(client), "extraFields": by_guid, **_times(client)}


def write_person(person: Person) -> dict[str, Any]:
    """A contact person as the API answers it (sheet 9.1 and 12.3)."""
    texts = ("title", "name", "surname", "function", "email", "tel", "gsm")
    assert set(texts) == PERSON_TEXTS  # noqa: S101 - the order is for readers, the set is the rule
    flags = {name: value for name, value in person.members.items() if name not in PERSON_TEXTS}
    return {"id": person.id, **{name: person.members.get(name) for name in texts}, **flags}


def _members(client: Client) -> dict[str, Any]:
    written: dict[str, Any] = {"id": client.id, "logicId": client.logic_id}
    for name in sorted(TEXT_MEMBERS | ID_MEMBERS | DATE_MEMBERS):
        written[name] = client.members.get(name)
    for name in sorted(ADDRESS_MEMBERS):
        written[name] = _address(client.members.get(name))
    return written


def _address(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if held is None:
        return None
    texts = {name: held.get(name) for name in ADDRESS_TEXTS}
    return {**texts, **{name: held.get(name, 0) for name in ADDRESS_NUMBERS}}


def _times(client: Client) -> dict[str, Any]:
    # 9: `_metadata` is internal and read-only; its content is not known.
    return {
        "createdAt": timestamp(client.created_ms),
        "updatedAt": timestamp(client.updated_ms),
        "_metadata": {"entityType": "client"},
    }


def _answer_name(known: ExtraField, switches: Switches) -> str:
    return known.name.replace(" ", "_") if switches.extra_field_names_with_underscores else known.name


def _value(held: Mapping[str, Any], switches: Switches) -> dict[str, Any]:
    if switches.checkbox_as_number and "booleanValue" in held:
        # 9.2: one tenant answered checkboxes as `numberValue` 1 or 0.
        return {"numberValue": int(held["booleanValue"])}
    return dict(held)
