"""A Rompslomp client that talks to a simulator over httpx, and the contacts that the tests send."""

from __future__ import annotations

from typing import Any

import httpx

from worker.config import RompslompSettings
from worker.core.contact import Json
from worker.core.contact import build as canonical
from worker.core.planning import Create, plan_create
from worker.vendors.contract import Created, Intent
from worker.vendors.rompslomp.client import RompslompClient, build
from worker.vendors.rompslomp.simulator import RompslompSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Session, Unmetered

BASE_URL = "https://rompslomp.test/api/v1"


def client_of(simulator: RompslompSimulator, **settings: Any) -> RompslompClient:
    """A client as the settings make it."""
    return build(RompslompSettings(**{**simulator.settings(BASE_URL), **settings}), "BE")


def session_with(simulator: RompslompSimulator) -> Session:
    """One delivery's way to the simulator, without a budget."""
    http = httpx.Client(transport=transport(("https://rompslomp.test", simulator)), base_url=BASE_URL)
    return Session("rompslomp", http, Unmetered())


def de_linde(**values: Any) -> Json:
    """A Belgian organisation with all that Rompslomp can hold; values by canonical path."""
    return canonical(
        {
            "kind": "organisation",
            "name": "Dakwerken De Linde",
            "vat_number": "BE 0000.000.097",
            "email": "info@delinde.example",
            "invoice_email": "facturen@delinde.example",
            "phone": "+32 9 000 00 00",
            "address.line1": "Kerkstraat 12",
            "address.postal_code": "9000",
            "address.city": "Gent",
            "address.country": "België",
            "persons": [{"id": "7", "first_name": "An", "last_name": "Peeters", "main": True}],
            "references.robaws_id": "1834",
            **values,
        }
    )


def intent_for(client: RompslompClient, contact: Json) -> Intent:
    """A create as flows decide it."""
    ours = client.mapping.outward(contact)
    plan = plan_create(client.mapping, ours, client.mapping.owners({}))
    assert isinstance(plan, Create)
    return Intent("key-1", client.reference_for(contact), plan.fields)


def make(client: RompslompClient, session: Session, contact: Json) -> Created:
    """Make the contact's record."""
    return client.create(session, intent_for(client, contact), client.mapping.outward(contact))
