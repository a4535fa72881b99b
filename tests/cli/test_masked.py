"""`--masked`: what a command shows can be passed on, as it holds no personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.conftest import CLIENT
from worker.core.masks import MASK

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub

PERSONAL = ("info@delinde", "200 00 01", "0000000196", "0000000295", "Kerkstraat", "Gent", "Brugge", "Oostende", "Jan")


def asked_about(hub: Hub) -> None:
    """A question for a person, as city and street differ on the first link."""
    hub.rompslomp.add_record(company_name="Tuinen De Vaart", vat_number="BE0000000394", city="Brugge", zipcode="8000")
    address = {"addressLine1": "Markt 1", "postalCode": "8000", "city": "Oostende", "country": "BE"}
    hub.sync(hub.robaws.add_client(name="Tuinen De Vaart", vatIdNumber="BE0000000394", address=address))


def test_no_list_and_no_detail_shows_a_personal_value(operator: Command, hub: Hub, client: str) -> None:
    asked_about(hub)
    body = '{"error": {"type": "invalid_record", "message": "Jan has this number"}}'
    hub.rompslomp.fail("status", status=422, body=body, method="POST")
    dead = hub.robaws.add_client(**{**CLIENT, "name": "Bakkerij Zonnehof", "vatIdNumber": "BE0000000295"})
    hub.sync(dead)
    line = operator("retries", "list", "--state", "dead", "--json").json["items"][0]["id"]
    review = operator("reviews", "list", "--json").json["items"][0]["id"]
    event = operator("events", "list", "--json").json["items"][0]["id"]
    told = [
        (group, *words)
        for group, detail in (("contacts", client), ("retries", line), ("reviews", review), ("events", event))
        for words in (("list",), ("show", detail))
    ]

    plain = "".join(operator(*words, more).out for words in told for more in ("--json",))
    shown = "".join(operator(*words, "--masked", *more).out for words in told for more in ((), ("--json",)))

    assert [value for value in PERSONAL if value not in plain] == []
    assert [value for value in PERSONAL if value in shown] == []
    assert "Dakwerken De Linde" in shown
    assert MASK in shown
