"""A person retypes a Robaws client in a target's screens, as everybody did before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.vendors.simulation import Simulator


def retype(simulator: Simulator, system: str, client: Mapping[str, Any], *, exact: bool) -> str:
    """Make the record; not exact: without the e-mail, and in another town. Returns its id."""
    address = client.get("address") or {}
    email = (client.get("email") or client.get("invoiceEmail")) if exact else None
    city = address.get("city") if exact else "Lier"
    postcode = address.get("postalCode") if exact else "2500"
    made: dict[str, dict[str, Any]] = {
        "rompslomp": {
            "company_name": client["name"],
            "contact_person_email_address": email,
            "city": city,
            "zipcode": postcode,
        },
        "recras": {
            "naam": client["name"],
            "plaats": city,
            "postcode": postcode,
            "contactpersonen": [{"achternaam": client["name"], "email1": email}],
        },
        "workspace": {"name": client["name"], "email": email, "location_city": city, "location_postal": postcode},
    }
    add: Any = simulator
    return str(add.add_record(**made[system]))
