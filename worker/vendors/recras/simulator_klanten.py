"""
Writing customers and their persons in the simulated Recras (Recras sheets 5 and 12.4 to 12.9).

The bodies that come in here have passed the rules; what changes is told to the webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.vendors.recras.simulator_records import (
    HIDDEN_TEXT_MEMBERS,
    PERSON_MEMBERS,
    TEXT_MEMBERS,
    Contact,
    Person,
    Records,
)
from worker.vendors.recras.simulator_rules import Rules
from worker.vendors.recras.simulator_webhooks import Change, Webhooks


@dataclass
class Klanten:
    """Create, match and change, over the records of one tenant. `now` gives the time as text."""

    records: Records
    rules: Rules
    webhooks: Webhooks
    now: Callable[[], str]

    def create(self, body: Mapping[str, Any]) -> Contact:
        """A new customer with its persons."""
        company = body.get("bedrijf_id") or self.rules.default_company()
        contact = self.records.add_contact("klant", {**self._members(body), "bedrijf_id": company})
        self._link(contact, body["contactpersonen"])
        self._tell(contact, "postInsert")
        return contact

    def matching(self, body: Mapping[str, Any]) -> Contact | None:
        """
        The customer that Recras takes for the one in the body: same name, same address of the main person.

        With *dedupe* `name` the name alone, as nobody has written down what it goes by.
        """
        if self.rules.switches.dedupe == "name":
            return next(iter(self.records.named(body.get("naam"))), None)
        main = next(person for person in body["contactpersonen"] if person["hoofdcontact"])
        email = _email_key(self.records.persons[main["id"]].values if "id" in main else main)
        if not email:
            return None
        for contact in self.records.named(body.get("naam")):
            if email in {_email_key(self.records.persons[person_id].values) for person_id in contact.links}:
                return contact
        return None

    def merge(self, contact: Contact, body: Mapping[str, Any]) -> None:
        """What *dedupe_effect* `merge` does: empty members are filled, the persons are added."""
        given = self._members(body)
        self.records.write(contact, {m: v for m, v in given.items() if contact.values[m] in (None, "", [])})
        added = self._persons(body["contactpersonen"])
        has_main = any(contact.links.values())
        new = {person_id: main and not has_main for person_id, main in added.items() if person_id not in contact.links}
        self.records.link(contact, {**contact.links, **new})
        self._tell(contact, "postUpdate")

    def change(self, contact: Contact, body: Mapping[str, Any]) -> None:
        """
        Members that were sent are replaced, the others stay, unless *put_replaces* says that the whole record is; a
        list of persons is the exact list (sheets 5.3 and 12.9).
        """
        members = self._members(body)
        if self.rules.switches.put_replaces:
            members = {**dict.fromkeys((*TEXT_MEMBERS, *HIDDEN_TEXT_MEMBERS)), "extra_fields": [], **members}
        if "bedrijf_id" in body:
            members["bedrijf_id"] = body["bedrijf_id"] or self.rules.default_company()
        self.records.write(contact, members)
        if "contactpersonen" in body:
            self._link(contact, body["contactpersonen"])
        self._tell(contact, "postUpdate")

    def add_person(self, members: Mapping[str, Any]) -> Person:
        """A new person, linked to nobody."""
        person = self.records.add_person(_person_values(members), self.now())
        self.webhooks.person_changed(person, "postInsert")
        return person

    def change_person(self, person: Person, members: Mapping[str, Any]) -> None:
        """Members of a person that were sent are replaced."""
        person.values.update(_person_values(members))
        person.updated_at = self.now()
        self.webhooks.person_changed(person, "postUpdate")

    def _members(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {m: body[m] for m in (*self.rules.text_members(), "extra_fields") if m in body}

    def _tell(self, contact: Contact, change: Change) -> None:
        self.webhooks.contact_changed(self.records, contact, change)

    def _link(self, contact: Contact, persons: list[dict[str, Any]]) -> None:
        left = self.records.link(contact, self._persons(persons))
        if self.rules.switches.delete_orphans:
            for person in left:
                del self.records.persons[person.id]
                self.webhooks.person_changed(person, "postDelete")

    def _persons(self, persons: list[dict[str, Any]]) -> dict[int, bool]:
        """The links that a list of persons asks for; those without an id are made."""
        links: dict[int, bool] = {}
        for given in persons:
            members = {member: value for member, value in given.items() if member in PERSON_MEMBERS}
            if "id" not in given:
                person = self.add_person(members)
            else:
                person = self.records.persons[given["id"]]
                # Sheet 5.1: whether members beside an id change that person is unknown, so it is a switch.
                if members and self.rules.switches.person_members_with_id == "apply":
                    self.change_person(person, members)
            links[person.id] = given["hoofdcontact"]
        return links


def _person_values(members: Mapping[str, Any]) -> dict[str, Any]:
    # Assumed: no gender is the third of the three.
    values = dict(members)
    if "geslacht" in values:
        values["geslacht"] = values["geslacht"] or "onbekend"
    return values


def _email_key(values: Mapping[str, Any]) -> str:
    return str(values.get("email1") or "").strip().casefold()
