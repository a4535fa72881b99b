"""A client that nobody else knows yet: it is made everywhere, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

CLIENT = {
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "tel": "+32 9 000 00 00",
    "vatIdNumber": "BE0000000097",
    "address": {"addressLine1": "Kerkstraat 12", "postalCode": "9000", "city": "Gent", "country": "BE"},
}


def test_a_new_client_is_made_in_every_system(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)

    hub.sync(client)

    assert hub.links() == [
        (client, "recras", "synced", None),
        (client, "rompslomp", "synced", None),
        (client, "workspace", "synced", None),
    ]
    assert [r["company_name"] for r in hub.rompslomp.state()["records"]] == ["Dakwerken De Linde"]
    assert [r["naam"] for r in hub.recras.state()["records"]] == ["Dakwerken De Linde"]
    assert [r["name"] for r in hub.workspace.state()["records"]] == ["Dakwerken De Linde"]
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}
