"""What people do in the screens of the simulated Recras, without its API: edit, add, unlink, deactivate."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from typing_extensions import override

from worker.vendors.recras.simulator_klanten import Klanten
from worker.vendors.recras.simulator_records import (
    HIDDEN_TEXT_MEMBERS,
    PERSON_MEMBERS,
    TEXT_MEMBERS,
    Contact,
    ContactType,
    Person,
    Records,
)
from worker.vendors.recras.simulator_rules import Company, Rules, Switches
from worker.vendors.recras.simulator_webhooks import Webhook, Webhooks
from worker.vendors.simulation import Simulator

_EDITABLE = {*TEXT_MEMBERS, *HIDDEN_TEXT_MEMBERS, "bedrijf_id", "extra_fields", "status", "deactivated_at"}


class Tenant(Simulator):
    """
    One tenant's records and what its own staff can do with them.

    Nothing is validated beyond the names of members, so that records can be made that the API would refuse. Ids are
    text here. Every change tells the registered webhooks; `take_webhooks` gives what is to be delivered.
    """

    def __init__(
        self,
        *,
        companies: Sequence[Company],
        switches: Switches,
        seed: int | None,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        super().__init__(clock=clock, random=random)
        self.switches = switches
        self.companies = {company.id: company for company in companies}
        self.records = Records(Random(seed))  # noqa: S311 - gaps between ids, nothing is kept secret by them
        self.rules = Rules(switches, self.companies, lambda person_id: person_id in self.records.persons)
        self.webhooks = Webhooks()
        self.klanten = Klanten(self.records, self.rules, self.webhooks, self.now)

    def now(self) -> str:
        """The time as the vendor writes it."""
        return datetime.datetime.fromtimestamp(int(self.clock()), datetime.UTC).isoformat()

    @override
    def state(self) -> dict[str, Any]:
        """
        `records`: contacts of all types, whole; `persons`: each with the ids of its contacts; `webhooks`: registered.
        """
        with self.lock:
            persons = [
                {**person.shown(), "klanten": sorted(person.holders)} for person in self.records.persons.values()
            ]
            return {
                "records": [self.records.shown_whole(contact) for contact in self.records.contacts.values()],
                "persons": persons,
                "webhooks": list(self.webhooks.registered.values()),
            }

    def take_webhooks(self) -> list[Webhook]:
        """The webhooks that are due, oldest first; each is given once."""
        with self.lock:
            return self.webhooks.take()

    def letterhead(self, record_id: str) -> list[str]:
        """
        To whom an invoice goes, line by line: what `factuur_adressering` holds and nothing else, where it holds
        something, else the customer's name and address (sheet 15). KeyError: no such contact.
        """
        with self.lock:
            contact = self._contact(record_id)
            values = contact.values
            if values["factuur_adressering"]:
                return str(values["factuur_adressering"]).splitlines()
            place = " ".join(part for part in (values["postcode"], values["plaats"]) if part)
            return [line for line in (self.records.display_name(contact), values["adres"], place) if line]

    def add_record(
        self,
        *,
        type: ContactType = "klant",  # noqa: A002 - the vendor's own name of the member
        contactpersonen: Sequence[Mapping[str, Any]] = (),
        **members: Any,
    ) -> str:
        """A contact made in the screens; the first of its persons is the main one unless one says `hoofdcontact`."""
        with self.lock:
            _check(members, _EDITABLE)
            company = members.pop("bedrijf_id", self.rules.default_company())
            contact = self.records.add_contact(type, {**members, "bedrijf_id": company})
            marked = any(person.get("hoofdcontact") for person in contactpersonen)
            for place, person in enumerate(contactpersonen):
                main = bool(person.get("hoofdcontact")) if marked else place == 0
                self._link_new(contact, {**person, "hoofdcontact": main})
            self.webhooks.contact_changed(self.records, contact, "postInsert")
            return str(contact.id)

    @override
    def edit_record(self, record_id: str, members: Mapping[str, Any]) -> None:
        """A person changes members of a contact, its persons aside. KeyError: no such contact."""
        with self.lock:
            _check(members, _EDITABLE)
            contact = self._contact(record_id)
            self.records.write(contact, members)
            self.webhooks.contact_changed(self.records, contact, "postUpdate")

    def delete_record(self, record_id: str) -> None:
        """A contact is removed altogether; its persons stay. KeyError: no such contact."""
        with self.lock:
            contact = self._contact(record_id)
            self.webhooks.contact_changed(self.records, contact, "postDelete")
            self.records.remove(contact)

    def deactivate(self, record_id: str) -> None:
        """A contact goes from the lists, and is still found by its id (sheet 12.13)."""
        with self.lock:
            self.edit_record(record_id, {"status": "passief", "deactivated_at": self.now()})

    def add_person(self, klant_id: str, **members: Any) -> str:
        """A person is added to a contact, as its main one where it says `hoofdcontact` or is the first."""
        with self.lock:
            return str(self._link_new(self._contact(klant_id), members).id)

    def edit_person(self, person_id: str, members: Mapping[str, Any]) -> None:
        """Members of a person are changed. KeyError: no such person."""
        with self.lock:
            _check(members, {*PERSON_MEMBERS})
            self.klanten.change_person(self.records.persons[int(person_id)], members)

    def remove_person(self, klant_id: str, person_id: str) -> None:
        """A person is unlinked from a contact; the first of those left becomes the main one where it was."""
        with self.lock:
            contact = self._contact(klant_id)
            links = {other: main for other, main in contact.links.items() if other != int(person_id)}
            if links and not any(links.values()):
                links[next(iter(links))] = True
            self.records.link(contact, links)
            self.webhooks.contact_changed(self.records, contact, "postUpdate")

    def _contact(self, record_id: str) -> Contact:
        return self.records.contacts[int(record_id)]

    def _link_new(self, contact: Contact, members: Mapping[str, Any]) -> Person:
        values = {member: value for member, value in members.items() if member != "hoofdcontact"}
        _check(values, {*PERSON_MEMBERS})
        person = self.klanten.add_person(values)
        main = bool(members.get("hoofdcontact")) or not contact.links
        others = {other: was_main and not main for other, was_main in contact.links.items()}
        self.records.link(contact, {**others, person.id: main})
        return person


def _check(members: Mapping[str, Any], known: set[str]) -> None:
    unknown = [member for member in members if member not in known]
    if unknown:
        raise ValueError(f"Recras has no member {', '.join(unknown)} here")
