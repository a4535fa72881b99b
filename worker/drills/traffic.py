"""
People at work: clients are made and changed in the simulated Robaws at a steady rate, in a thread.

Each change writes its number into the client's street, so that what a vendor holds says which change has arrived there.
"""

from __future__ import annotations

import random
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from worker.drills.vendors import Vendors

STREET: Final = "Proefstraat"
NEW_SHARE: Final = 0.06
"""So much of what happens is a new client, the rest changes; the first ones are all new."""
FIRST_CLIENTS: Final = 10
AGAIN_SHARE: Final = 0.4
"""So often the same client is saved once more at once, as people do."""
_TOWNS: Final = (("9000", "Gent"), ("3600", "Genk"), ("2000", "Antwerpen"), ("8000", "Brugge"), ("3000", "Leuven"))
_NUMBER: Final = re.compile(r"(\d+)\s*$")


@dataclass(frozen=True)
class Change:
    """One change that Robaws has made: to which client, the how-manieth of that client, and when (monotonic)."""

    name: str
    number: int
    at: float


@dataclass
class Client:
    """One client of the drill."""

    id: str
    name: str
    number: int


@dataclass
class Traffic:
    """
    `run` in a thread, `end` from outside. What Robaws has made stands in `changes`; each is one event.

    `failed` counts calls that the sandbox did not take; they are no events.
    """

    vendors: Vendors
    rate: float
    chance: random.Random
    clients: list[Client] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    failed: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on, until `end`."""
        self._thread = threading.Thread(target=self.run, name="traffic", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more; returns when the last call is answered."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def run(self) -> None:
        """One event after the other, each at its time; a call that took long is caught up with."""
        begun = time.monotonic()
        made = 0
        last: Client | None = None
        while not self._over.wait(max(0.0, begun + made / self.rate - time.monotonic())):
            made += 1
            try:
                if len(self.clients) < FIRST_CLIENTS or self.chance.random() < NEW_SHARE:
                    last = self._make()
                else:
                    again = last is not None and self.chance.random() < AGAIN_SHARE
                    last = self._change(last if last is not None and again else self.chance.choice(self.clients))
            except httpx.HTTPError:
                self.failed += 1

    def _make(self) -> Client:
        number = len(self.clients) + self.failed + 1
        members = made_up(self.chance, number)
        client = Client(self.vendors.add_client(members), str(members["name"]), 1)
        self.clients.append(client)
        self.changes.append(Change(client.name, 1, time.monotonic()))
        return client

    def _change(self, client: Client) -> Client:
        number = client.number + 1
        self.vendors.change_client(client.id, {"address": {"addressLine1": f"{STREET} {number}"}})
        client.number = number
        self.changes.append(Change(client.name, number, time.monotonic()))
        return client


def number_in(street: str) -> int:
    """Which change a record holds; 0 where its street tells of none."""
    found = _NUMBER.search(street) if street.startswith(STREET) else None
    return int(found.group(1)) if found else 0


def made_up(chance: random.Random, number: int) -> dict[str, Any]:
    """
    A client of whom nothing resembles another: the product asks a person before it makes what may be there already.

    The VAT number has right check digits over zeros and the address ends in `.example`: nobody's.
    """
    base = chance.randrange(10**6, 10**7)
    postcode, city = chance.choice(_TOWNS)
    name = f"{_word(chance).title()} {_word(chance).title()}{number}"
    return {
        "name": name,
        "email": f"info@{name.lower().replace(' ', '-')}.example",
        "tel": f"+32 9 {chance.randrange(200, 400)} {chance.randrange(100):02d} {chance.randrange(100):02d}",
        "vatIdNumber": f"BE{base:08d}{97 - base % 97:02d}",
        "address": {"addressLine1": f"{STREET} 1", "postalCode": postcode, "city": city, "country": "BE"},
    }


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(4))
