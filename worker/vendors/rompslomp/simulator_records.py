"""What the simulated Rompslomp holds: ids, places in lists and customer numbers (sheets 11.7, 11.8, 11.11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

from worker.vendors.rompslomp.simulator_contacts import Contact


class Records:
    """All contacts of all administrations. Values come in as they are to be stored; nothing is validated here."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._contacts: dict[int, Contact] = {}
        self._by_company: dict[int, dict[int, Contact]] = {}
        self._numbers: Counter[tuple[int, str]] = Counter()
        self._next_number: Counter[int] = Counter()
        self._last_place = 0.0

    def all(self) -> list[Contact]:
        """Every contact, oldest first."""
        return list(self._contacts.values())

    def of(self, company_id: int) -> dict[int, Contact]:
        """The contacts of one administration by id, oldest first."""
        return self._by_company.setdefault(company_id, {})

    def get(self, record_id: int) -> Contact:
        """One contact; KeyError where it does not exist."""
        return self._contacts[record_id]

    def add(self, company_id: int, values: Mapping[str, Any]) -> Contact:
        """A new contact; without a number it draws the next one."""
        contact = Contact(record_id=self._new_id(), company_id=company_id, order=self._place())
        number = values.get("contact_number") or self.new_number(company_id)
        self._contacts[contact.id] = self.of(company_id)[contact.id] = contact
        self.write(contact, {**values, "contact_number": number})
        return contact

    def write(self, contact: Contact, values: Mapping[str, Any]) -> None:
        """Lay values over those of a contact."""
        self._count_number(contact, -1)
        contact.write(values)
        self._count_number(contact, +1)

    def remove(self, contact: Contact) -> None:
        """The contact is gone, and its number is free again."""
        self._count_number(contact, -1)
        del self._contacts[contact.id], self._by_company[contact.company_id][contact.id]
        self._last_place = max((other.order for other in self._contacts.values()), default=0.0)

    def number_taken(self, company_id: int, number: str | None, *, by_other_than: Contact | None) -> bool:
        """Tell whether another contact of the administration has this number."""
        if not number:
            return False
        own = by_other_than is not None and by_other_than.values["contact_number"] == number
        return self._numbers[company_id, number] > int(own)

    def new_number(self, company_id: int) -> str:
        """K00001, K00002 and so on, leaving out those in use (sheet 11.7)."""
        while True:
            self._next_number[company_id] += 1
            number = f"K{self._next_number[company_id]:05d}"
            if not self._numbers[company_id, number]:
                return number

    def _count_number(self, contact: Contact, by: int) -> None:
        number = contact.values["contact_number"]
        if number:
            self._numbers[contact.company_id, number] += by

    def _new_id(self) -> int:
        # Sheet 11.8: ten digits at random, so that no order by age can be read into them.
        while (number := self._random.randrange(10**9, 10**10)) in self._contacts:
            pass
        return number

    def _place(self) -> float:
        # Sheet 11.11: anywhere before the last one, so that the newest is never at the end of a list.
        place = self._random.random() * (self._last_place or 1.0)
        self._last_place = max(self._last_place, place)
        return place
