"""What happens to a client of the simulated Robaws: written by the API or by a person, and told by webhook."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from worker.vendors.robaws.simulator_records import Client, Person, Records, write_event_data
from worker.vendors.robaws.simulator_rules import (
    ExtraField,
    Refusal,
    Switches,
    check_required,
    clean_client,
    clean_person,
)
from worker.vendors.simulation import merge


class Clients:
    """
    The clients of one tenant, with both ways of writing them.

    The API's ways (`post`, `patch`, `put`, …) drop in silence what Robaws drops and raise `Refusal`; the ways of a
    person (`add`, `change`, …) raise ValueError where a member or a choice does not exist, so that a test with a
    slip of the pen fails instead of proving nothing.
    """

    def __init__(
        self,
        switches: Switches,
        fields: tuple[ExtraField, ...],
        clock: Callable[[], float],
        announce: Callable[[str, Mapping[str, Any]], object],
    ) -> None:
        self._switches = switches
        self._fields = fields
        self._clock = clock
        self._announce = announce
        self._records = Records()
        self._client_ids = itertools.count(1001)
        self._logic_ids = itertools.count(20001)
        self._person_ids = itertools.count(5001)

    def all(self, moment: float = math.inf) -> list[Client]:
        """Every client by ascending id, as it is or as of a moment."""
        return self._records.all_as_of(moment)

    def find(self, client_id: str, moment: float = math.inf) -> Client:
        """One client, as it is or as of a moment; 404 where there is none (10)."""
        client = self._records.as_of(client_id, moment)
        if client is None:
            raise Refusal(404, "Client not found")
        return client

    def require(self, client_id: str) -> Client:
        """One client as it is; KeyError where there is none."""
        return self._records.clients[client_id]

    # ---------------------------------------------------------------------------------------------- through the API

    def post(self, body: dict[str, Any]) -> Client:
        """8: create; every other rule is `clean_client`'s."""
        return self._created(self._merged({}, body, None), ())

    def patch(self, client_id: str, body: dict[str, Any]) -> Client:
        """6: a merge patch, RFC 7396."""
        client = self.find(client_id)
        return self._written(client, self._merged(client.members, body, client_id))

    def put(self, client_id: str, body: dict[str, Any]) -> Client:
        """6: the payload replaces the whole entity, so what it does not name is cleared (trap 13)."""
        client = self.find(client_id)
        return self._written(client, self._merged({}, body, client_id))

    def post_person(self, client_id: str, body: dict[str, Any]) -> Person:
        """8: a contact person under its client."""
        client = self.find(client_id)
        person = self._person(clean_person(body, self._switches))
        self._persons_changed(client, (*client.persons, person))
        return person

    def patch_person(self, client_id: str, person_id: str, body: dict[str, Any]) -> Person:
        """8: a merge patch on a contact person of that client; 404 under another client."""
        client = self.find(client_id)
        old = next((person for person in client.persons if person.id == person_id), None)
        if old is None:
            raise Refusal(404, "Contact not found")
        new = replace(old, members=merge(old.members, clean_person(body, self._switches)))
        self._persons_changed(client, tuple(new if person.id == person_id else person for person in client.persons))
        return new

    # ------------------------------------------------------------------------------------------------- as a person

    def add(self, members: dict[str, Any]) -> Client:
        """A new client, with `contacts` as a list of persons."""
        own = {name: value for name, value in members.items() if name != "contacts"}
        persons = tuple(self._person(self._strict_person(person)) for person in members.get("contacts", ()))
        merged = merge({}, self._strict(own, None))
        check_required(merged, self._switches)
        return self._created(merged, persons)

    def change(self, client_id: str, members: dict[str, Any]) -> Client:
        """Members laid over a client."""
        client = self.require(client_id)
        merged = merge(client.members, self._strict(members, client_id))
        check_required(merged, self._switches)
        return self._written(client, merged)

    def set_extra_field(self, client_id: str, name: str, value: Any) -> Client:
        """One extra field filled, or emptied by None."""
        known = next((candidate for candidate in self._fields if candidate.name == name), None)
        if known is None:
            raise ValueError(f"no extra field {name!r}")
        entry = None if value is None else {known.value_member: value}
        return self.change(client_id, {"extraFields": {name: entry}})

    def add_person(self, client_id: str, members: dict[str, Any]) -> Person:
        """A new contact person of that client."""
        client = self.require(client_id)
        person = self._person(self._strict_person(members))
        self._persons_changed(client, (*client.persons, person))
        return person

    def change_person(self, person_id: str, members: dict[str, Any]) -> Person:
        """Members laid over a contact person, whoever its client is."""
        client, old = self._owner_of(person_id)
        new = replace(old, members=merge(old.members, self._strict_person(members)))
        self._persons_changed(client, tuple(new if person.id == person_id else person for person in client.persons))
        return new

    def remove_person(self, person_id: str) -> None:
        """The contact person is gone."""
        client, _ = self._owner_of(person_id)
        self._persons_changed(client, tuple(person for person in client.persons if person.id != person_id))

    def delete(self, client_id: str) -> None:
        """The client is gone with its contact persons; nothing is announced (3.5)."""
        self.require(client_id)
        self._records.drop(client_id, self._clock(), self._switches.replica_lag_seconds)

    def archive(self, client_id: str) -> None:
        """The client leaves the lists; nothing is announced (3.5 has no such event)."""
        self._store(replace(self.require(client_id), archived=True))

    # --------------------------------------------------------------------------------------------------------- help

    def _merged(self, base: Mapping[str, Any], body: dict[str, Any], client_id: str | None) -> dict[str, Any]:
        try:
            merged: dict[str, Any] = merge(base, clean_client(body, self._switches, self._fields, client_id))
            check_required(merged, self._switches)
        except Refusal as refusal:
            if refusal.status == 400:
                raise Refusal(self._switches.refused_values_status, refusal.message) from None
            raise
        return merged

    def _strict(self, members: dict[str, Any], client_id: str | None) -> dict[str, Any]:
        cleaned: dict[str, Any] = clean_client(members, self._switches, self._fields, client_id)
        plain = {name: value for name, value in members.items() if name != "extraFields"}
        extra = members.get("extraFields") or {}
        # A person always gets an extra field emptied, whichever way the API wants it asked.
        emptied = {name: None for name, entry in extra.items() if entry is None and self._knows(name)}
        if emptied:
            cleaned["extraFields"] = {**(cleaned.get("extraFields") or {}), **emptied}
        unknown = (plain.keys() - cleaned.keys()) | (extra.keys() - (cleaned.get("extraFields") or {}).keys())
        for name in ("address", "invoiceAddress"):
            unknown |= (plain.get(name) or {}).keys() - (cleaned.get(name) or {}).keys()
        if unknown:
            raise ValueError(f"a client of Robaws has no such member or choice: {', '.join(sorted(unknown))}")
        return cleaned

    def _strict_person(self, members: dict[str, Any]) -> dict[str, Any]:
        cleaned = clean_person(members, self._switches)
        unknown = members.keys() - cleaned.keys()
        if unknown:
            raise ValueError(f"a contact person of Robaws has no such member: {', '.join(sorted(unknown))}")
        return cleaned

    def _knows(self, name: str) -> bool:
        return any(known.name == name for known in self._fields)

    def _person(self, members: dict[str, Any]) -> Person:
        return Person(str(next(self._person_ids)), merge({}, members))

    def _owner_of(self, person_id: str) -> tuple[Client, Person]:
        for client in self._records.clients.values():
            for person in client.persons:
                if person.id == person_id:
                    return client, person
        raise KeyError(person_id)

    def _created(self, members: dict[str, Any], persons: tuple[Person, ...]) -> Client:
        now = self._now_ms()
        logic_id = str(next(self._logic_ids))
        client = Client(str(next(self._client_ids)), logic_id, members, now, now, persons)
        self._store(client)
        self._announce("client.created", write_event_data(client, self._fields))
        return client

    def _written(self, client: Client, members: dict[str, Any]) -> Client:
        """Store new members, and announce them as far as the switches say (3.5: writes through the API as well)."""
        changed = {name for name in client.members.keys() | members.keys() if _differ(client, members, name)}
        if changed == {"extraFields"}:
            fires = self._switches.extra_field_change_fires
        else:
            fires = bool(changed) or self._switches.unchanged_write_fires
        moved = self._now_ms() if changed or fires else client.updated_ms
        return self._stored(replace(client, members=members, updated_ms=moved), fires=fires)

    def _persons_changed(self, client: Client, persons: tuple[Person, ...]) -> None:
        moved = self._now_ms() if self._switches.person_change_moves_updated_at else client.updated_ms
        new = replace(client, persons=persons, updated_ms=moved)
        self._stored(new, fires=self._switches.person_change_fires)

    def _stored(self, client: Client, *, fires: bool) -> Client:
        self._store(client)
        if fires:
            self._announce("client.updated", write_event_data(client, self._fields))
        return client

    def _store(self, client: Client) -> None:
        self._records.put(client, self._clock(), self._switches.replica_lag_seconds)

    def _now_ms(self) -> int:
        return round(self._clock() * 1000)


def _differ(client: Client, members: Mapping[str, Any], name: str) -> bool:
    old, new = client.members.get(name), members.get(name)
    # True == 1 in Python, and an emptied object of extra fields is the same as none.
    return repr(old or None) != repr(new or None)
