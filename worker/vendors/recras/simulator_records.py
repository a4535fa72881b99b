"""
What the simulated Recras holds: contacts of all types and persons, with the links between them.

Recras sheet 5 (https://demo.recras.nl/docs/api/endpoints/klanten.html) and points 3, 6, 8, 10 and 11 of section 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

ContactType = Literal["klant", "leverancier", "overig", "personeel"]

TEXT_MEMBERS = (
    "naam",
    "adres",
    "postcode",
    "plaats",
    "provinciecode",
    "website",
    "soort_klant",
    "afdeling",
    "factuur_adressering",
)
# Sheet 5: held, and shown in /contacten and in webhooks, but not in the documented list of a create.
HIDDEN_TEXT_MEMBERS = ("landcode", "btw_nummer")
# Sheet 12.6: what an answer under /klanten shows, in this order, with `id`, `type` and `displaynaam` before it.
SHOWN_MEMBERS = (*TEXT_MEMBERS[:6], "bedrijf_id", *TEXT_MEMBERS[6:])
PERSON_MEMBERS = (
    "voornaam",
    "achternaam",
    "geslacht",
    "aanhef",
    "adres",
    "postcode",
    "plaats",
    "telefoon1",
    "telefoon2",
    "email1",
    "email2",
)


@dataclass
class Person:
    """One contact person; linked to any number of contacts."""

    id: int
    created_at: str
    updated_at: str
    values: dict[str, Any] = field(default_factory=lambda: {**dict.fromkeys(PERSON_MEMBERS), "geslacht": "onbekend"})
    holders: set[int] = field(default_factory=set)

    def shown(self) -> dict[str, Any]:
        """The twelve members that belong to the person alone."""
        return {"id": self.id, **self.values}


@dataclass
class Contact:
    """One contact; `links` holds its persons' ids, each with whether it is the main one."""

    id: int
    type: ContactType
    order: float
    values: dict[str, Any]
    links: dict[int, bool] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether lists show it."""
        return self.values["deactivated_at"] is None


class Records:
    """All contacts and persons. Values come in as they are to be stored; nothing is validated here."""

    def __init__(self, random: Random) -> None:
        self._random = random
        # Members that a newer release shows beside those of the page, of customers and of persons.
        self.extra_members: dict[str, Any] = {}
        # Whether an answer tells that a customer was deactivated, as webhooks do (sheet 5); not known of the others.
        self.shows_deactivated = False
        self.contacts: dict[int, Contact] = {}
        self.persons: dict[int, Person] = {}
        self._by_name: dict[str, set[int]] = {}
        # Sheet 12.3: one sequence for the contacts of all types, another for persons.
        self._last_contact_id = 0
        self._last_person_id = 0
        self._last_place = 0.0

    def add_contact(self, kind: ContactType, values: Mapping[str, Any]) -> Contact:
        """A new contact under the next id, with a gap before it as bookings and the like leave them."""
        self._last_contact_id += self._random.randint(1, 3)
        empty = dict.fromkeys((*TEXT_MEMBERS, *HIDDEN_TEXT_MEMBERS, "bedrijf_id", "deactivated_at"))
        contact = Contact(self._last_contact_id, kind, self._place(), {**empty, "extra_fields": [], "status": "actief"})
        self.contacts[contact.id] = contact
        self._by_name.setdefault(name_key(None), set()).add(contact.id)
        self.write(contact, values)
        return contact

    def write(self, contact: Contact, values: Mapping[str, Any]) -> None:
        """Lay values over those of a contact."""
        self._by_name[name_key(contact.values["naam"])].discard(contact.id)
        contact.values.update(values)
        self._by_name.setdefault(name_key(contact.values["naam"]), set()).add(contact.id)

    def remove(self, contact: Contact) -> None:
        """The contact is gone; its persons stay."""
        self.link(contact, {})
        self._by_name[name_key(contact.values["naam"])].discard(contact.id)
        del self.contacts[contact.id]
        self._last_place = max((other.order for other in self.contacts.values()), default=0.0)

    def add_person(self, values: Mapping[str, Any], now: str) -> Person:
        """A new person, linked to nobody yet."""
        self._last_person_id += 1
        person = Person(self._last_person_id, created_at=now, updated_at=now)
        person.values.update(values)
        self.persons[person.id] = person
        return person

    def link(self, contact: Contact, links: Mapping[int, bool]) -> list[Person]:
        """Make the persons of a contact exactly these; gives those that are now linked to nobody."""
        for person_id in contact.links:
            self.persons[person_id].holders.discard(contact.id)
        for person_id in links:
            self.persons[person_id].holders.add(contact.id)
        left = [self.persons[person_id] for person_id in contact.links if not self.persons[person_id].holders]
        contact.links = dict(links)
        return left

    def named(self, name: str | None) -> list[Contact]:
        """The klanten of this name, blanks at the ends and case aside, lowest id first (sheet 12.5)."""
        found = (self.contacts[contact_id] for contact_id in sorted(self._by_name.get(name_key(name), ())))
        return [contact for contact in found if contact.type == "klant"]

    def persons_of(self, contact: Contact) -> list[dict[str, Any]]:
        """The 13 members of each person of a contact, the main one first (sheet 12.8)."""
        ordered = sorted(contact.links.items(), key=lambda link: not link[1])
        return [
            {**self.persons[person_id].shown(), "hoofdcontact": main, **self.extra_members}
            for person_id, main in ordered
        ]

    def display_name(self, contact: Contact) -> str:
        """The name, or else that of the main person (sheet 12.10)."""
        if contact.values["naam"]:
            return str(contact.values["naam"])
        main = next((self.persons[person_id] for person_id, is_main in contact.links.items() if is_main), None)
        parts = (main.values["voornaam"], main.values["achternaam"]) if main else ()
        return " ".join(part for part in parts if part)

    def shown(self, contact: Contact) -> dict[str, Any]:
        """The 13 members of an answer under /klanten (sheet 12.6)."""
        named = {"id": contact.id, "type": contact.type, "displaynaam": self.display_name(contact)}
        held = {member: contact.values[member] for member in SHOWN_MEMBERS}
        gone = {"deactivated_at": contact.values["deactivated_at"]} if self.shows_deactivated else {}
        return {**named, **held, **gone, **self.extra_members}

    def shown_whole(self, contact: Contact) -> dict[str, Any]:
        """Everything that is held of a contact, for tests and for the sandbox's pages."""
        hidden = (*HIDDEN_TEXT_MEMBERS, "status", "deactivated_at", "extra_fields")
        held = {member: contact.values[member] for member in hidden}
        return {**self.shown(contact), **held, "contactpersonen": self.persons_of(contact)}

    def shown_as_contact(self, contact: Contact, href: str) -> dict[str, Any]:
        """An answer under /contacten (sheet 12.11)."""
        return {
            **self.shown(contact),
            **{member: contact.values[member] for member in (*HIDDEN_TEXT_MEMBERS, "status")},
            "mag_type_wijzigen": contact.type != "personeel",
            "contactpersonen": [{**person, "nieuwsbrief_ids": []} for person in self.persons_of(contact)],
            "_links": {"self": {"href": href}},
        }

    def _place(self) -> float:
        # Sheet 12.7: never behind the first one, so that a list is not in the order of its ids.
        place = self._random.random() * (self._last_place or 1.0)
        self._last_place = max(self._last_place, place)
        return place


def name_key(name: str | None) -> str:
    """What two names have in common that Recras takes for the same."""
    return str(name or "").strip().casefold()
