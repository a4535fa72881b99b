"""
Whether every system agrees, judged by what the simulated vendors hold and by nothing that the product believes.

The few fields that are compared are written down here once more, away from the product's own tables, so that a
mistake there does not excuse itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from worker.sandbox.server import SandboxServer

Record = Mapping[str, Any]

# What stands where: a field of ours -> the member of each system's record.
PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "rompslomp": {
        "name": "company_name",
        "street": "address",
        "postcode": "zipcode",
        "city": "city",
        "phone": "phone",
        "email": "contact_person_email_address",
        "vat": "vat_number",
    },
    "recras": {"name": "naam", "street": "adres", "postcode": "postcode", "city": "plaats"},
    "workspace": {
        "name": "name",
        "street": "location_address",
        "postcode": "location_postal",
        "city": "location_city",
        "phone": "phone",
        "email": "email",
        "vat": "btw",
    },
}
BINS: Final = ("trashed", "deactivated_at")
IDENTITY: Final[Mapping[str, str]] = {"rompslomp": "company_name", "recras": "naam", "workspace": "name"}


def plain(value: Any) -> str:
    """Letters and digits only: how a system writes a phone or a postcode is its own affair."""
    return "".join(sign for sign in str(value or "").casefold() if sign.isalnum())


def client_in_robaws(sandbox: SandboxServer, client_id: str) -> dict[str, str]:
    """What a client is, in the terms of PLACES."""
    client = sandbox.world.robaws.client(client_id)
    address = client.get("address") or {}
    return {
        "name": client["name"],
        "street": address.get("addressLine1") or "",
        "postcode": address.get("postalCode") or "",
        "city": address.get("city") or "",
        "phone": client.get("tel") or "",
        "email": client.get("email") or "",
        "vat": client.get("vatIdNumber") or "",
    }


def records(sandbox: SandboxServer, system: str) -> dict[str, Record]:
    """Every record that a system holds, by its id there; those in the bin are none."""
    held = sandbox.simulators[system].state()["records"]
    return {str(record["id"]): record for record in held if not any(record.get(bin_) for bin_ in BINS)}


def find(sandbox: SandboxServer, system: str, name: str) -> list[Record]:
    """The records of a system that carry a name."""
    return [one for one in records(sandbox, system).values() if plain(one[IDENTITY[system]]) == plain(name)]


def persons(sandbox: SandboxServer, recras_id: str) -> dict[str, Record]:
    """The contact persons of a Recras customer, by name."""
    held = sandbox.simulators["recras"].state()["persons"]
    mine = [person for person in held if int(recras_id) in person["klanten"]]
    return {" ".join(filter(None, (person["voornaam"], person["achternaam"]))): person for person in mine}


def differences(sandbox: SandboxServer, client_id: str, kept: Mapping[str, tuple[str, ...]] | None = None) -> list[str]:
    """
    Where the systems differ from Robaws about one client, in sentences; none where all agree.

    `kept` are fields, by system, that a person changed there on purpose and that are theirs.
    """
    wanted = client_in_robaws(sandbox, client_id)
    found: list[str] = []
    for system, places in PLACES.items():
        there = find(sandbox, system, wanted["name"])
        if len(there) != 1:
            found.append(f"{system} holds {len(there)} records of {wanted['name']}, not 1")
            continue
        held = there[0]
        for field, member in places.items():
            if field in (kept or {}).get(system, ()):
                continue
            if plain(held.get(member)) != plain(wanted[field]):
                found.append(f"{system}: {field} of {wanted['name']} is {held.get(member)!r}, not {wanted[field]!r}")
        if system == "recras":
            found += _missing_persons(sandbox, client_id, str(held["id"]))
    return found


def _missing_persons(sandbox: SandboxServer, client_id: str, recras_id: str) -> list[str]:
    client = sandbox.world.robaws.client(client_id)
    there = {plain(name) for name in persons(sandbox, recras_id)}
    names = [" ".join(filter(None, (one.get("name"), one.get("surname")))) for one in client.get("contacts") or ()]
    return [f"recras: {client['name']} has no contact person {name}" for name in names if plain(name) not in there]


def doubles(sandbox: SandboxServer) -> dict[str, int]:
    """How many records too many each system holds: more than one of a name."""
    found: dict[str, int] = {}
    for system, member in IDENTITY.items():
        names = Counter(plain(record[member]) for record in records(sandbox, system).values())
        found[system] = sum(count - 1 for count in names.values())
    return found
