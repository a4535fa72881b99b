"""What people do in Robaws: clients made and changed, persons added and removed. Plainly made-up firms."""

from __future__ import annotations

import random
from typing import Any, Final

Happening = tuple[float, str, dict[str, Any]]

FIRMS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "Dakwerken De Linde", "email": "info@delinde.example", "tel": "+32 9 000 00 01"},
    {"name": "Bakkerij Zonnebloem", "email": "bestel@zonnebloem.example", "tel": "+32 9 000 00 02"},
    {"name": "Tuincentrum Waterhoek", "email": "hallo@waterhoek.example", "tel": "+32 9 000 00 03"},
    {"name": "Garage Vier Winden", "email": "garage@vierwinden.example", "tel": "+32 9 000 00 04"},
)
CITIES: Final = ("Gent", "Aalst", "Brugge")
STREETS: Final = ("Kerkstraat 12", "Molenweg 7")
PHONES: Final = ("+32 9 000 01 11", "+32 9 000 02 22", None)
SITES: Final = ("https://een.example", "https://twee.example", None)
PERSONS: Final = (
    {"name": "An", "surname": "Peeters", "email": "an@voorbeeld.example"},
    {"name": "Bo", "surname": "Claes", "email": "bo@voorbeeld.example"},
    {"name": "Cis", "surname": "Maes"},
)
FUNCTIONS: Final = ("zaakvoerder", "werfleider", None)


def firm(number: int, *, emails: bool) -> dict[str, Any]:
    """The client as it is first typed in."""
    members = dict(FIRMS[number])
    if not emails:
        members.pop("email")
        members["invoiceEmail"] = f"facturen{number}@voorbeeld.example"
    return {
        **members,
        "address": {
            "addressLine1": STREETS[0],
            "postalCode": f"90{number}0",
            "city": CITIES[0],
            "country": "BE",
        },
    }


def lives(rng: random.Random, clients: int, length: float, *, emails: bool) -> list[Happening]:
    """Each client is made, and changed some times; short sets of values, so that changes are often taken back."""
    told: list[Happening] = []
    for number in range(clients):
        born = rng.uniform(0, length * 0.3)
        told.append((born, "client_added", {"client": number, "members": firm(number, emails=emails)}))
        for _ in range(rng.choice((0, 1, 2, 3, 4))):
            at = rng.uniform(born, length)
            told.append((at, *_change(rng, number)))
            if rng.random() < 0.3:
                told.append((at + rng.uniform(0, 2), *_change(rng, number)))
    return told


def _change(rng: random.Random, number: int) -> tuple[str, dict[str, Any]]:
    choice = rng.random()
    if choice < 0.7:
        return "client_changed", {"client": number, "members": _members(rng)}
    place = rng.randrange(len(PERSONS))
    if choice < 0.85:
        return "person_added", {"client": number, "person": place, "members": dict(PERSONS[place])}
    if choice < 0.93:
        return "person_removed", {"client": number, "person": place}
    members = {"tel": rng.choice(("+32 9 000 03 33", "+32 9 000 04 44")), "function": rng.choice(FUNCTIONS)}
    return "person_changed", {"client": number, "person": place, "members": members}


def _members(rng: random.Random) -> dict[str, Any]:
    choice = rng.random()
    if choice < 0.5:
        return {"address": {"city": rng.choice(CITIES)}}
    if choice < 0.65:
        return {"address": {"addressLine1": rng.choice(STREETS)}}
    if choice < 0.85:
        return {"tel": rng.choice(PHONES)}
    return {"website": rng.choice(SITES)}
