"""A Recras client that talks to a simulator over httpx, and the contacts that the tests send."""

from __future__ import annotations

from typing import Any

import httpx

from worker.config import RecrasSettings
from worker.core.contact import Json
from worker.core.contact import build as canonical
from worker.core.persons import plan_persons
from worker.core.planning import Create, Snapshot, plan_create
from worker.vendors.contract import Created, Intent, Record
from worker.vendors.recras.client import RecrasClient, build
from worker.vendors.recras.simulator import RecrasSimulator
from worker.vendors.simulation import transport
from worker.vendors.transport import Session, Unmetered

BASE_URL = "https://recras.test/api2"


def settings_of(simulator: RecrasSimulator, **settings: Any) -> RecrasSettings:
    """The settings that point at a simulator."""
    return RecrasSettings(**{**simulator.settings(BASE_URL), **settings})


def client_of(simulator: RecrasSimulator, **settings: Any) -> RecrasClient:
    """A client as the settings make it."""
    return build(settings_of(simulator, **settings), "BE")


def session_with(simulator: RecrasSimulator, base_url: str = BASE_URL) -> Session:
    """One delivery's way to the simulator, without a budget."""
    http = httpx.Client(transport=transport(("https://recras.test", simulator)), base_url=base_url)
    return Session("recras", http, Unmetered())


def de_linde(**values: Any) -> Json:
    """A Belgian organisation with all that Recras can hold; values by canonical path."""
    return canonical(
        {
            "kind": "organisation",
            "name": "Dakwerken De Linde",
            "vat_number": "BE 0000.000.097",
            "email": "info@delinde.example",
            "phone": "+32 9 000 00 00",
            "website": "delinde.example",
            "address.line1": "Kerkstraat 12",
            "address.postal_code": "9000",
            "address.city": "Gent",
            "address.country": "België",
            "persons": [an(), bo()],
            "references.robaws_id": "1834",
            **values,
        }
    )


def an(**members: Any) -> Json:
    """The main contact person."""
    made = {"key": "7", "main": True, "first_name": "An", "last_name": "Peeters", "email": "an@delinde.example"}
    return {**made, **members}


def bo(**members: Any) -> Json:
    """Another contact person."""
    made = {"key": "8", "main": False, "first_name": "Bo", "last_name": "Claes", "phone": "+32 9 000 00 02"}
    return {**made, **members}


def intent_for(client: RecrasClient, contact: Json, mark: str | None = None) -> Intent:
    """A create as flows decide it."""
    ours = client.mapping.outward(contact)
    plan = plan_create(client.mapping, ours, client.mapping.owners({}))
    assert isinstance(plan, Create)
    persons = tuple({"key": one.key, "main": one.main, "fields": dict(one.fields)} for one in ours.persons)
    return Intent("key-1", client.reference_for(contact), plan.fields, persons, mark)


def make(client: RecrasClient, session: Session, contact: Json) -> Created:
    """Make the contact's record."""
    return client.create(session, intent_for(client, contact), client.mapping.outward(contact))


def change(client: RecrasClient, session: Session, record: Record, before: Json, after: Json) -> Record | None:
    """Update a record that agreed with `before` so that it agrees with `after`, as flows do it after their read."""
    ours, base = client.mapping.outward(after), snapshot_of(client, record, before)
    patch = {path: value for path, value in ours.fields.items() if value != base.ours.get(path)}
    assert client.mapping.persons is not None
    plan = plan_persons(client.mapping.persons, ours.persons, base, record.persons or ())
    return client.update(session, record.external_id, patch, plan, record, "key-2")


def snapshot_of(client: RecrasClient, record: Record, contact: Json) -> Snapshot:
    """What both sides agreed on when `contact` was written to `record`."""
    ours = client.mapping.outward(contact)
    persons = {
        mine.key: {"external_id": theirs.external_id, "ours": dict(mine.fields), "theirs": dict(theirs.fields)}
        for mine in ours.persons
        for theirs in record.persons or ()
        if mine.fields["achternaam"] == theirs.fields["achternaam"]
    }
    main = next((one.key for one in ours.persons if one.main), None)
    return Snapshot(dict(ours.fields), dict(record.fields), persons, main, table=ours.table)
