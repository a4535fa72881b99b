"""`contactsync events`: the inbox told, shown verbatim, replayed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from typing_extensions import override

from tests.cli.conftest import catch_up
from tests.cli.test_contacts import line_with

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def test_events_are_listed_with_what_became_of_them(operator: Command, hub: Hub, client: str) -> None:
    hub.sync(client)

    ran = operator("events", "list")

    assert ran.status == 0
    assert line_with(ran.out, "event-1", "client.updated", client, "Dakwerken De Linde", "applied", "version 1")
    assert line_with(ran.out, "event-2", "client.updated", client, "skipped", "unchanged")


def test_events_are_narrowed_by_state_and_client(operator: Command, hub: Hub, client: str, dead: str) -> None:
    hub.sync(client)

    skipped = operator("events", "list", "--state", "skipped", "--json").json
    of_one = operator("events", "list", "--client", dead, "--json").json

    assert [one["id"] for one in skipped["items"]] == ["event-3"]
    assert [one["source_id"] for one in of_one["items"]] == [dead]


def test_one_event_is_shown_as_it_came(operator: Command, client: str) -> None:
    ran = operator("events", "show", "event-1")
    document = operator("events", "show", "event-1", "--json").json

    assert ran.status == 0
    assert '"id": "event-1"' in ran.out
    assert document["body"] == f'{{"id":"event-1","event":"client.updated","data":{{"id":"{client}"}}}}'


def test_an_event_that_is_not_kept_is_wrong_use(operator: Command) -> None:
    assert operator("events", "show", "nothing-of-the-kind").status == 2


def test_a_replay_fetches_the_client_as_it_is_now(operator: Command, hub: Hub, client: str) -> None:
    hub.robaws.change_client(client, address={"city": "Genk"})

    ran = operator("events", "replay", "event-1", "--json")
    catch_up(hub)

    assert ran.status == 0
    assert [one["id"] for one in ran.json["items"]] == ["event-1"]
    assert [one["city"] for one in hub.rompslomp.state()["records"]] == ["Genk"]


def test_all_since_a_time_are_replayed(operator: Command, hub: Hub, client: str, dead: str) -> None:
    hub.robaws.change_client(client, address={"city": "Genk"})

    ran = operator("events", "replay", "--since", "2026-01-01T00:00", "--reason", "a day of trouble", "--yes")
    catch_up(hub)

    assert ran.status == 0
    assert "replay: 2 events of 2 clients received since 2026-01-01 00:00:00" in ran.err
    assert "2 contacts are fetched and delivered" in ran.out
    assert "Genk" in [one["city"] for one in hub.rompslomp.state()["records"]]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["event-1", "--since", "2026-01-01"],
        ["--since", "yesterday", "--reason", "trouble", "--yes"],
        ["--since", "0001-01-01T00:00+14:00", "--reason", "trouble", "--yes"],
        ["--since", "9999-12-31T23:59-12:00", "--reason", "trouble", "--yes"],
        ["nothing-of-the-kind"],
    ],
)
def test_a_replay_of_nothing_in_particular_is_wrong_use(operator: Command, client: str, arguments: list[str]) -> None:
    assert operator("events", "replay", *arguments).status == 2


def test_many_are_not_replayed_without_a_reason_and_a_confirmed_count(
    operator: Command, hub: Hub, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.robaws.change_client(client, address={"city": "Genk"})
    since = ["events", "replay", "--since", "2026-01-01T00:00"]

    no_reason = operator(*since, "--yes")
    nobody_there = operator(*since, "--reason", "trouble")
    monkeypatch.setattr("sys.stdin", Terminal("2\n"))
    another_count = operator(*since, "--reason", "trouble")
    catch_up(hub)

    assert (no_reason.status, nobody_there.status, another_count.status) == (2, 2, 2)
    assert "want --reason" in no_reason.err
    assert "add --yes" in nobody_there.err
    assert "not confirmed, nothing was done" in another_count.err
    assert "Genk" not in [one["city"] for one in hub.rompslomp.state()["records"]]


class Terminal(io.StringIO):
    """A person at a terminal, who types this."""

    @override
    def isatty(self) -> bool:
        return True


def test_a_viewer_sees_no_name_of_a_private_person(operator: Command, hub: Hub) -> None:
    person = hub.robaws.add_client(name="Jan Janssens", status="particulier")
    hub.settings = hub.settings.model_copy(
        update={"sync": hub.settings.sync.model_copy(update={"private_status": ("particulier",)})}
    )
    hub.restart()
    hub.sync(person)

    shown, masked = operator("events", "list"), operator("events", "list", "--masked")

    assert line_with(shown.out, "event-1", person, "Jan Janssens")
    assert line_with(masked.out, "event-1", person, "•••")
    assert "Janssens" not in masked.out + operator("events", "list", "--masked", "--json").out


# -------------------------------------------------------------------------------------------------------- quarantine
@pytest.fixture
def rejected(hub: Hub) -> None:
    """Two requests that were signed rightly and are not an event; a body holds what would clear the screen."""
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO inbox_reject (source, problem, headers, body) VALUES"
                " ('robaws', '`id` is missing', '{\"content-type\": \"application/json\"}', :first),"
                " ('robaws', 'the body is not JSON: unexpected end of data', '{}', :second)"
            ),
            {"first": b'{"event":"client.updated","data":{"name":"Jan Janssens"}}', "second": b"\x1b[2J\xe2\x80\xae"},
        )


def test_what_was_rejected_is_listed_and_shown(operator: Command, rejected: None) -> None:
    listed, one = operator("events", "rejected"), operator("events", "rejected", "1")
    document = operator("events", "rejected", "--json").json

    assert (listed.status, one.status) == (0, 0)
    assert line_with(listed.out, "1", "57", "`id` is missing")
    assert "answered with 400: `id` is missing" in one.out
    assert "content-type: application/json" in one.out
    assert '"name": "Jan Janssens"' in one.out
    assert [item["id"] for item in document["items"]] == [2, 1]
    assert document["total"] == 2


def test_what_was_rejected_obeys_the_mask_and_not_the_terminal(operator: Command, rejected: None) -> None:
    masked = operator("events", "rejected", "1", "--masked")
    hostile = operator("events", "rejected", "2")

    assert "Janssens" not in masked.out
    assert "•••" in masked.out
    assert "\x1b" not in hostile.out
    assert "\\x1b[2J\\u202e" in hostile.out


def test_the_list_goes_on_and_an_unknown_number_is_wrong_use(operator: Command, rejected: None) -> None:
    first = operator("events", "rejected", "--limit", "1", "--json").json
    second = operator("events", "rejected", "--limit", "1", "--cursor", first["next"], "--json").json

    assert [first["items"][0]["id"], second["items"][0]["id"], second["next"]] == [2, 1, None]
    assert operator("events", "rejected", "99").status == operator("events", "rejected", "x").status == 2
