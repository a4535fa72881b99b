"""Made-up clients for a sandbox: Dutch and Belgian, companies, schools and private persons, the same in every run."""

from __future__ import annotations

import random
from typing import Any

from worker.vendors.robaws.simulator import RobawsSimulator

_TRADES = ("Dakwerken", "Bouwgroep", "Transport", "Tuinen", "Drukkerij", "Bakkerij", "Installatie", "Schilders")
_NAMES = ("De Linde", "Maas", "De Vaart", "Ter Heide", "Het Veld", "Van Eik", "De Brug", "Zonnehof", "Waterkant")
_FIRST = ("An", "Piet", "Sofie", "Jan", "Emma", "Tom", "Lotte", "Bram")
_LAST = ("Peeters", "Jansen", "Claes", "de Vries", "Maes", "van Dijk", "Willems", "Bakker")
_STREETS = ("Kerkstraat", "Havenweg", "Dorpsplein", "Molenlaan", "Stationsstraat")
_TOWNS = {
    "BE": (("9000", "Gent"), ("3600", "Genk"), ("2000", "Antwerpen"), ("8000", "Brugge")),
    "NL": (("3011 AA", "Rotterdam"), ("1012 AB", "Amsterdam"), ("5611 AC", "Eindhoven"), ("6811 AD", "Arnhem")),
}


def seed(robaws: RobawsSimulator, count: int) -> list[str]:
    """Create clients as a person would, so that registered endpoints hear of them; returns their ids."""
    return [robaws.add_client(**made_up_client(number)) for number in range(1, count + 1)]


def made_up_client(number: int) -> dict[str, Any]:
    """
    Client `number` in Robaws's members.

    VAT numbers have valid check digits over bases that begin with zeros; phone numbers are of zeros as well; e-mail
    addresses end in `.example` (RFC 2606). None of them is anybody's.
    """
    source = random.Random(number)  # noqa: S311 - the same client for the same number, nothing secret
    country = source.choice(("BE", "BE", "BE", "NL", "NL"))
    postal_code, city = source.choice(_TOWNS[country])
    private = source.random() < 0.2
    surname = source.choice(_LAST)
    name = f"{source.choice(_FIRST)} {surname}" if private else f"{source.choice(_TRADES)} {source.choice(_NAMES)}"
    host = f"klant{number:05d}.example"
    client: dict[str, Any] = {
        "name": name if private else f"{name} {number}",
        "email": f"info@{host}",
        "tel": _phone(country, number),
        "address": {
            "addressLine1": f"{source.choice(_STREETS)} {source.randint(1, 200)}",
            "postalCode": postal_code,
            "city": city,
            "country": country,
        },
        "language": "nl",
        "currency": "EUR",
        "status": source.choice(("klant", "prospect")),
        "extraFields": {"Klanttype": {"stringValue": "Particulier" if private else "Aannemer"}},
    }
    if not private:
        client |= {
            "vatIdNumber": belgian_vat(number) if country == "BE" else dutch_vat(number),
            "invoiceEmail": f"facturen@{host}",
            "website": f"https://{host}",
            "contacts": [_person(source, host, place) for place in range(source.randint(0, 3))],
        }
    return client


def belgian_address(line: str, postal_code: str, city: str, **more: str) -> dict[str, str]:
    """An address in Robaws's members."""
    return {"addressLine1": line, **more, "postalCode": postal_code, "city": city, "country": "BE"}


def person(name: str, surname: str, function: str, email: str, **more: Any) -> dict[str, Any]:
    """A contact person in Robaws's members."""
    return {"name": name, "surname": surname, "function": function, "email": email, **more}


def belgian_vat(number: int) -> str:
    """`BE`, eight digits and 97 minus their remainder by 97, as python-stdnum's `be.vat` checks it."""
    base = number % 10**7
    return f"BE{base:08d}{97 - base % 97:02d}"


def dutch_vat(number: int) -> str:
    """`NL`, nine digits that pass the eleven test, and `B01`, as python-stdnum's `nl.btw` checks it."""
    base = number % 10**7
    while True:
        digits = f"{base:08d}"
        weighted = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), digits, strict=True))
        # A remainder of ten has no digit: the next base has one.
        if weighted % 11 < 10:
            return f"NL{digits}{weighted % 11}B01"
        base += 10**7


def _phone(country: str, number: int) -> str:
    tail = f"{number % 10_000:04d}"
    return f"+32 9 200 {tail[:2]} {tail[2:]}" if country == "BE" else f"+31 20 200 {tail}"


def _person(source: random.Random, host: str, place: int) -> dict[str, Any]:
    first, last = source.choice(_FIRST), source.choice(_LAST)
    return {
        "name": first,
        "surname": last,
        "function": source.choice(("Zaakvoerder", "Boekhouding", "Werfleider")),
        "email": f"{first.lower()}.{last.lower().replace(' ', '')}{place}@{host}",
        **({"isPrimary": True} if place == 0 else {}),
    }
