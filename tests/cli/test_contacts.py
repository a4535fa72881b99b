"""`contactsync contacts`: found, shown with its whole way, and synchronised now."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import catch_up
from worker.config.sections import FilterSettings

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


def test_a_value_of_theirs_that_stands_is_listed_and_not_called_sent(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(name="Drukkerij Maas", email="info@maas.example", website="https://maas.example")
    hub.sync(client)
    hub.configure(rompslomp={"fields": {"email": "fill"}})
    record = hub.link(client, "rompslomp")["external_id"]
    hub.rompslomp.edit_record(record, {"contact_person_email_address": "facturen@maas.example"})
    hub.robaws.change_client(client, email="kantoor@maas.example")
    hub.sync(client)

    ran = operator("contacts", "show", client)
    document = operator("contacts", "show", client, "--json").json

    assert line_with(ran.out, "rompslomp", "contact_person_email_address", "theirs kept", "facturen@maas", "not sent")
    [difference] = document["differences"]
    assert (difference["kind"], difference["ours"], difference["theirs"]) == (
        "theirs",
        "kantoor@maas.example",
        "facturen@maas.example",
    )


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


def test_a_client_that_is_not_known_yet_is_brought_in(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(name="Dakwerken De Linde", email="info@delinde.example")

    with at_work(hub):
        ran = operator("contacts", "sync", client, "--wait")

    assert ran.status == 0
    assert f"Dakwerken De Linde  (client {client} in Robaws)\nversion 1," in ran.out
    assert [line_with(ran.out, system, "synced") for system in ("rompslomp", "recras", "workspace")]


def test_without_waiting_it_says_that_the_client_is_new_here(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(name="Dakwerken De Linde", email="info@delinde.example")

    first, again = operator("contacts", "sync", client), operator("contacts", "sync", client)

    assert (first.status, first.out) == (0, f"{client}: it is not known here yet: it is fetched and delivered now\n")
    assert (again.status, again.out) == (0, f"{client}: it is fetched and delivered now\n")


def test_a_client_that_robaws_does_not_have_ends_with_a_sentence(operator: Command, hub: Hub) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("worker.flows.fetch.LOOK_AGAIN_SECONDS", (0.05,))
        with at_work(hub):
            ran = operator("contacts", "sync", "999999", "--wait")

    shown = operator("contacts", "show", "999999")
    assert (ran.status, ran.out) == (2, "")
    assert "Robaws has no client 999999: nothing was written anywhere" in ran.err
    assert "Robaws had no client of this id when it was asked" in shown.out
    assert operator("retries", "list").out == "nothing waits\n"


def test_what_can_be_no_id_is_wrong_use(operator: Command) -> None:
    ran = operator("contacts", "sync", "De Linde")

    assert ran.status == 2
    assert "'De Linde' is not the id of a client in Robaws: an id there is a whole number, such as 4711" in ran.err


def test_a_client_that_the_filter_leaves_out_says_so(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(name="Dakwerken De Linde", email="info@delinde.example")
    hub.settings = hub.settings.model_copy(
        update={"sync": hub.settings.sync.model_copy(update={"filter": FilterSettings(status=("klant",))})}
    )
    hub.restart()

    with at_work(hub):
        ran = operator("contacts", "sync", client, "--wait")

    assert ran.status == 0
    assert "left out by sync.filter in the settings" in ran.out
    assert hub.links() == []


def test_a_client_is_found_by_what_stands_on_a_colleagues_screen(operator: Command, hub: Hub, client: str) -> None:
    record = str(hub.link(client, "rompslomp")["external_id"])

    for query in (record, "INFO@delinde.example", "09/200.00.01", "BE 0000.000.196", "LINDE"):
        assert line_with(operator("contacts", "list", "--query", query).out, client, "Dakwerken De Linde")


def test_a_masked_list_finds_nobody_by_what_it_hides(operator: Command, client: str) -> None:
    by_email = operator("contacts", "list", "--query", "info@delinde.example", "--masked")
    by_name = operator("contacts", "list", "--query", "linde", "--masked")

    assert (by_email.status, by_email.out) == (0, "no clients\n")
    assert line_with(by_name.out, client)
