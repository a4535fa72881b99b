"""The one Recras customer of a story, and what was asked of Recras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.flows.stories import client

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

AN = {"name": "An", "surname": "Peeters", "email": "an@delinde.example", "isPrimary": True}
BO = {"name": "Bo", "surname": "Claes", "email": "bo@delinde.example", "tel": "+32 9 000 00 02"}


def alone(hub: Hub) -> None:
    """Leave Recras alone beside Robaws."""
    hub.configure(rompslomp={"enabled": False}, workspace={"enabled": False})


def klant(hub: Hub) -> dict[str, Any]:
    """The one customer that there is."""
    [record] = hub.recras.state()["records"]
    return dict(record)


def names(hub: Hub) -> list[str]:
    """The contact persons of the one customer, the main one first."""
    return [f"{one['voornaam'] or ''} {one['achternaam']}".strip() for one in klant(hub)["contactpersonen"]]


def add_cas(hub: Hub, record_id: str) -> str:
    """A person whom only Recras knows, added there by hand."""
    return hub.recras.add_person(record_id, voornaam="Cas", achternaam="Devos", email1="cas@else.example")


def synced_client(hub: Hub, **members: Any) -> str:
    """A client that is in Recras, with calls counted from here on."""
    source_id = hub.robaws.add_client(**client(**members))
    hub.sync(source_id)
    assert hub.link(source_id, "recras")["state"] == "synced"
    hub.forget_calls()
    return source_id


def recras_calls(hub: Hub) -> list[str]:
    """What Recras was asked, without the prefix and ids."""
    parts = (call.split("/") for call in hub.calls("recras"))
    return [f"{method.strip()} {rest[1]}" for method, *rest in parts]
