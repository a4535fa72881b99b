"""`contactsync contacts`: found, shown with its whole way, and synchronised now."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.cli.conftest import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def line_with(text: str, *words: str) -> str:
    """The first line that holds all these words."""
    found = [line for line in text.splitlines() if all(word in line for word in words)]
    assert found, f"no line with {words} in:\n{text}"
    return found[0]


def test_the_whole_way_is_shown(operator: Command, hub: Hub, client: str) -> None:
    hub.robaws.change_client(client, address={"city": "Genk"})
    hub.sync(client)

    ran = operator("contacts", "show", client)

    assert ran.status == 0
    assert ran.out.startswith(f"Dakwerken De Linde  (client {client} in Robaws)\nversion 2,")
    assert line_with(ran.out, "rompslomp", "synced", hub.link(client, "rompslomp")["external_id"])
    assert line_with(ran.out, "webhook", "client.updated: applied, version 1")
    assert line_with(ran.out, "rompslomp", "create", "POST", "201", "company_name", "vat_number")
    assert line_with(ran.out, "robaws", "read", "new: address.city")
    assert line_with(ran.out, "rompslomp", "update", "PATCH", "city:", "Genk (Robaws owns this field)")


def test_what_a_system_cannot_hold_is_listed(operator: Command, client: str) -> None:
    ran = operator("contacts", "show", client)

    assert line_with(ran.out, "recras", "vat_number", "has no place there")


def test_what_a_system_did_not_accept_is_listed(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(name="Drukkerij Maas", email="info@maas.example", website="https://maas.example")
    hub.sync(client)
    hub.configure(rompslomp={"fields": {"email": "fill"}})
    record = hub.link(client, "rompslomp")["external_id"]
    hub.rompslomp.edit_record(record, {"contact_person_email_address": "facturen@maas.example"})
    hub.robaws.change_client(client, email="kantoor@maas.example")
    hub.sync(client)

    ran = operator("contacts", "show", client)
    document = operator("contacts", "show", client, "--json").json

    assert line_with(ran.out, "rompslomp", "contact_person_email_address", "kept otherwise there", "facturen@maas")
    assert document["not_accepted"]["rompslomp"] == {
        "contact_person_email_address": {"ours": "kantoor@maas.example", "theirs": "facturen@maas.example"}
    }


def test_a_field_that_waits_for_a_person_is_shown_with_both_values(operator: Command, hub: Hub) -> None:
    hub.rompslomp.add_record(company_name="Tuinen De Vaart", vat_number="BE0000000394", city="Brugge", zipcode="8000")
    client = hub.robaws.add_client(
        name="Tuinen De Vaart",
        vatIdNumber="BE0000000394",
        address={"addressLine1": "Markt 1", "postalCode": "8000", "city": "Oostende", "country": "BE"},
    )
    hub.sync(client)

    ran = operator("contacts", "show", client)

    assert line_with(ran.out, "rompslomp", "address", "waits for a person", "Oostende", "Brugge")


def test_the_document_has_the_shape_of_the_api(operator: Command, hub: Hub, client: str) -> None:
    document = operator("contacts", "show", client, "--json").json

    assert document["source_id"] == client
    assert {"id", "system", "external_id", "state", "wanted_version", "synced_version", "attempts"} <= set(
        document["links"][0]
    )
    assert [entry["at"] for entry in document["history"]] == sorted(
        (entry["at"] for entry in document["history"]), reverse=True
    )
    assert document["fetched_at"].endswith("Z")


def test_a_client_that_nobody_knows_is_wrong_use(operator: Command) -> None:
    ran = operator("contacts", "show", "999999")

    assert ran.status == 2
    assert "no client '999999' is known here" in ran.err


def test_clients_are_found_by_words_and_by_state(operator: Command, client: str, dead: str) -> None:
    by_words = operator("contacts", "list", "--query", "lin dak", "--json").json
    by_state = operator("contacts", "list", "--state", "dead", "--json").json
    everyone = operator("contacts", "list")

    assert [one["source_id"] for one in by_words["items"]] == [client]
    assert [one["source_id"] for one in by_state["items"]] == [dead]
    assert line_with(everyone.out, "Bakkerij Zonnehof", "dead", "synced")


def test_a_long_name_is_cut_in_the_table_and_whole_in_the_document(operator: Command, hub: Hub) -> None:
    name = "Dakwerken " + "De Linde en Zonen " * 16
    hub.sync(hub.robaws.add_client(name=name.strip(), email="info@delinde.example"))

    listed = operator("contacts", "list").out
    document = operator("contacts", "list", "--json").json

    assert "De Linde en Z… " in listed
    assert max(map(len, listed.splitlines())) < 160
    assert document["items"][0]["name"] == name.strip()


def test_a_long_list_comes_in_pages(operator: Command, client: str, dead: str) -> None:
    first = operator("contacts", "list", "--limit", "1", "--json").json

    second = operator("contacts", "list", "--limit", "1", "--cursor", first["next"], "--json").json

    assert [one["source_id"] for one in (*first["items"], *second["items"])] == [client, dead]
    assert second["next"] is None
    assert f"--cursor {first['next']}" in operator("contacts", "list", "--limit", "1").out


def test_a_state_that_does_not_exist_is_wrong_use(operator: Command, client: str) -> None:
    ran = operator("contacts", "list", "--state", "lost")

    assert ran.status == 2
    assert "state is one of" in ran.err


def test_a_sync_puts_right_what_somebody_changed_in_a_field_of_ours(operator: Command, hub: Hub, client: str) -> None:
    record = hub.link(client, "rompslomp")["external_id"]
    hub.rompslomp.edit_record(record, {"city": "Elders"})

    ran = operator("contacts", "sync", client, "--reason", "the bookkeeper asked")
    catch_up(hub)

    assert ran.status == 0
    assert [one["city"] for one in hub.rompslomp.state()["records"]] == ["Gent"]
    assert line_with(operator("contacts", "show", client).out, "command line", "sync: the bookkeeper asked")


@contextmanager
def at_work(hub: Hub) -> Iterator[None]:
    """A worker, for as long as the command waits for one."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            hub.time = datetime.now(UTC)
            hub.step()
            over.wait(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def test_a_sync_is_waited_for(operator: Command, hub: Hub, client: str) -> None:
    hub.robaws.change_client(client, address={"city": "Genk"})

    with at_work(hub):
        ran = operator("contacts", "sync", client, "--wait")

    assert ran.status == 0
    assert line_with(ran.out, "rompslomp", "synced")
    assert [one["city"] for one in hub.rompslomp.state()["records"]] == ["Genk"]


def test_a_sync_after_which_a_system_does_not_agree_needs_a_person(operator: Command, hub: Hub, dead: str) -> None:
    hub.rompslomp.fail("status", status=422, body='{"error": {"type": "invalid_record"}}', method="POST", times=-1)

    with at_work(hub):
        ran = operator("contacts", "sync", dead, "--wait")

    assert ran.status == 1
    assert line_with(ran.out, "rompslomp", "dead")
