"""A Workspace client that talks to a simulator over httpx, and the contacts that the tests send."""

from __future__ import annotations

from typing import Any

import httpx

from worker.config import WorkspaceSettings
from worker.core.contact import Json
from worker.core.contact import build as canonical
from worker.core.planning import Create, plan_create
from worker.vendors.contract import Created, Intent
from worker.vendors.simulation import transport
from worker.vendors.transport import Session, Unmetered
from worker.vendors.workspace.client import WorkspaceClient, build
from worker.vendors.workspace.simulator import WorkspaceSimulator

BASE_URL = "https://workspace.test/api/v1"


def settings_of(simulator: WorkspaceSimulator, **settings: Any) -> WorkspaceSettings:
    """The settings that point at a simulator."""
    return WorkspaceSettings(**{**simulator.settings(BASE_URL), **settings})


def client_of(simulator: WorkspaceSimulator, **settings: Any) -> WorkspaceClient:
    """A client as the settings make it."""
    return build(settings_of(simulator, **settings), "BE")


def session_with(simulator: WorkspaceSimulator) -> Session:
    """One delivery's way to the simulator, without a budget."""
    http = httpx.Client(transport=transport(("https://workspace.test", simulator)), base_url=BASE_URL)
    return Session("workspace", http, Unmetered())


def de_linde(**values: Any) -> Json:
    """A Belgian organisation with all that Workspace can hold; values by canonical path."""
    return canonical(
        {
            "kind": "organisation",
            "name": "Dakwerken De Linde",
            "vat_number": "BE 0000.000.097",
            "email": "facturen@delinde.example",
            "phone": "+32 9 000 00 00",
            "website": "https://delinde.example",
            "address.line1": "Kerkstraat 12",
            "address.postal_code": "9000",
            "address.city": "Gent",
            "address.country": "België",
            "references.robaws_id": "1834",
            **values,
        }
    )


def intent_for(client: WorkspaceClient, contact: Json) -> Intent:
    """A create as flows decide it."""
    ours = client.mapping.outward(contact)
    plan = plan_create(client.mapping, ours, client.mapping.owners({}))
    assert isinstance(plan, Create)
    return Intent("key-1", client.reference_for(contact), plan.fields)


def make(client: WorkspaceClient, session: Session, contact: Json) -> Created:
    """Make the contact's record."""
    return client.create(session, intent_for(client, contact), client.mapping.outward(contact))
