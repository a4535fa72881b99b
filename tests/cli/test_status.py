"""`contactsync status`: everything in figures, and whether somebody is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from worker.store import summary

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def test_all_is_well(operator: Command, client: str) -> None:
    ran = operator("status")

    assert ran.status == 0, ran.out
    assert "received 1 = applied 1 + skipped 0 + open 0 + dead 0" in ran.out
    assert "contacts  1," in ran.out
    assert "✗" not in ran.out


def test_the_json_is_the_summary_of_the_api(operator: Command, hub: Hub, client: str) -> None:
    ran = operator("status", "--json")

    with hub.engine.connect() as connection:
        found = summary.read(connection, hub.settings, datetime.now(UTC)).to_json()
    shown = ran.json
    assert shown["webhooks"].pop("last_event_seconds") <= found["webhooks"].pop("last_event_seconds")
    assert shown == found


def test_what_needs_a_person_is_said_with_the_command_that_shows_it(operator: Command, hub: Hub, dead: str) -> None:
    operator("systems", "pause", "recras", "--reason", "they move house")

    ran = operator("status")

    assert ran.status == 1
    assert "1 given up: contactsync retries list --state dead" in ran.out
    assert "recras is paused (they move house): contactsync systems resume recras" in ran.out


def test_a_question_needs_a_person(operator: Command, hub: Hub) -> None:
    hub.sync(hub.robaws.add_client(name="Zonder Adres"))

    ran = operator("status")

    assert ran.status == 1
    assert "contactsync reviews list" in ran.out


def test_an_event_that_is_not_accounted_for_needs_a_person(operator: Command, hub: Hub, client: str) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text("INSERT INTO event_tally (received) VALUES (1)"))

    ran = operator("status")

    assert ran.status == 1
    assert "1 events are not accounted for" in ran.out


def test_before_the_first_client_it_is_said_how_clients_come(operator: Command, hub: Hub) -> None:
    ran = operator("status")

    assert ran.status == 0
    assert "a client comes over when it is saved in Robaws, or with contactsync contacts sync ID" in ran.out


def test_afterwards_it_is_not(operator: Command, client: str) -> None:
    assert "comes over" not in operator("status").out
