"""`contactsync status`: everything in figures, and whether somebody is needed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from worker.store import summary

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def test_all_is_well(operator: Command, client: str) -> None:
    ran = operator("status")

    assert ran.status == 0, ran.out
    assert "received 1 = applied 1 + skipped 0 + open 0 + dead 0" in ran.out
    assert "clients   1," in ran.out
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
    assert "1 given up: contactsync retries groups --state dead" in ran.out
    assert re.search(
        r"✗ recras is paused since \d\d:\d\d \(\d+ s\) by command line \(\w+\) \(they move house\), 0 wait:"
        r" contactsync systems resume recras\n",
        ran.out,
    )


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


def broken(hub: Hub, clients: int = 6) -> list[str]:
    """Recras answers with a page of maintenance, until its breaker opens."""
    hub.time = datetime.now(UTC) - timedelta(minutes=4)
    hub.recras.fail("status", status=503, body="<h1>Onderhoud tot 10:00</h1>", times=-1)
    made = [hub.robaws.add_client(name=f"Klant {number}") for number in range(clients)]
    for one in made:
        hub.sync(one)
    return made


def test_a_system_that_is_down_is_one_line_with_since_why_the_next_try_and_how_many_wait(
    operator: Command, hub: Hub
) -> None:
    made = broken(hub)

    ran = operator("status")

    assert ran.status == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("✗ recras")]
    assert re.match(r"✗ recras is down since (\d{4}-\d\d-\d\d )?\d\d:\d\d \(4 min\) \(server_error: ", line)
    assert "503" in line
    assert "Onderhoud tot 10:00" in line
    assert f", {len(made)} wait; nothing to do, unless it lasts" in line
    assert re.search(r"next try (now|in \d+ s),", line)
    assert operator("systems", "list").status == 1


def test_refused_credentials_are_one_line_with_the_vendors_words(operator: Command, hub: Hub) -> None:
    hub.time = datetime.now(UTC) - timedelta(minutes=4)
    hub.recras.fail("status", times=-1, status=401, body="[]")
    hub.sync(hub.robaws.add_client(name="Klant"))

    ran = operator("status")

    assert ran.status == 1
    [line] = [line for line in ran.out.splitlines() if line.startswith("✗ recras")]
    assert "is paused since" in line
    assert "credentials: " in line
    assert "1 waits" in line
    assert line.endswith("contactsync systems resume recras")


def test_what_waits_for_a_system_is_helped_by_a_command_for_the_system(operator: Command, hub: Hub) -> None:
    """A retry of one client cannot help, and a discard would leave all of them out of a system that comes back."""
    hub.recras.fail("status", times=-1, status=401, body="[]")
    client = hub.robaws.add_client(name="Klant")
    hub.sync(client)

    screens = [
        operator("retries", "groups", "--system", "recras").out,
        operator("retries", "show", f"link-{hub.link(client, 'recras')['id']}").out,
    ]

    for shown in screens:
        assert "  contactsync systems list\n  contactsync systems resume recras\n" in shown
        assert "retries retry" not in shown
        assert "retries discard" not in shown


@pytest.mark.parametrize("held", ["paused", "down", "credentials", "throttled"])
def test_a_state_has_one_word_everywhere(operator: Command, hub: Hub, held: str) -> None:
    hub.time = datetime.now(UTC) - timedelta(minutes=4)
    if held == "paused":
        operator("systems", "pause", "recras", "--reason", "they move house")
    elif held == "credentials":
        hub.recras.fail("status", times=-1, status=401, body="[]")
    elif held == "throttled":
        hub.recras.fail("throttle", retry_after=900, times=-1)
    [client, *_] = broken(hub) if held == "down" else [hub.robaws.add_client(name="Klant")]
    hub.sync(client)

    queue = operator("retries", "list", "--query", client, "--system", "recras", "--json").json["items"]
    shown = operator("contacts", "show", client, "--json").json["links"]
    listed = operator("contacts", "list", "--query", client, "--json").json["items"][0]["links"]
    states = operator("status", "--json").json["links"]["recras"]

    link = next(one for one in shown if one["system"] == "recras")
    assert [(one["state"], one["reason"]) for one in queue] == [(link["state"], link["reason"])]
    assert next(one["state"] for one in listed if one["system"] == "recras") == link["state"] == "waiting"
    assert states["waiting"] >= len(queue)
    assert states["due"] == 0
    assert client in {
        one["source_id"] for one in operator("contacts", "list", "--state", "waiting", "--json").json["items"]
    }
    assert operator("contacts", "list", "--state", "due", "--json").json["items"] == []
    if held in ("paused", "credentials"):
        word = "resumed" if held == "paused" else "back"
        assert f"when recras is {word}" in operator("contacts", "show", client).out
        assert f"when recras is {word}" in operator("retries", "list").out


def test_the_oldest_due_does_not_count_the_time_in_which_a_person_was_asked(operator: Command, hub: Hub) -> None:
    hub.time = datetime.now(UTC) - timedelta(hours=5)
    client = hub.robaws.add_client(name="Zonder Adres")
    hub.sync(client)
    [asked] = [system for _, system, state, _ in hub.links() if state == "review"]
    hub.time = datetime.now(UTC) - timedelta(seconds=20)
    hub.simulators[asked].fail("status", status=503, body="", times=-1)
    hub.robaws.change_client(client, email="info@zonder.example")
    hub.sync(client)

    oldest = operator("status", "--json").json["systems"][asked]["oldest_due_seconds"]

    assert oldest < 3_600


@pytest.mark.parametrize(("rejected", "said"), [(1, "1 request was not an event"), (3, "3 requests were not an event")])
def test_what_was_no_event_is_counted_with_the_command_that_shows_it(
    operator: Command, hub: Hub, rejected: int, said: str
) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text("INSERT INTO event_tally (rejected) VALUES (:count)"), {"count": rejected})

    ran = operator("status")

    assert ran.status == 0
    assert f"{said}: contactsync events rejected" in ran.out
