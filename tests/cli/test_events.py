"""`contactsync events`: the inbox told, shown verbatim, replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import catch_up
from tests.cli.test_contacts import line_with

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub


def test_events_are_listed_with_what_became_of_them(operator: Command, hub: Hub, client: str) -> None:
    hub.sync(client)

    ran = operator("events", "list")

    assert ran.status == 0
    assert line_with(ran.out, "event-1", "client.updated", client, "applied", "version 1")
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

    ran = operator("events", "replay", "--since", "2026-01-01T00:00", "--reason", "a day of trouble")
    catch_up(hub)

    assert ran.status == 0
    assert "2 contacts are fetched and delivered" in ran.out
    assert "Genk" in [one["city"] for one in hub.rompslomp.state()["records"]]


@pytest.mark.parametrize(
    "arguments", [[], ["event-1", "--since", "2026-01-01"], ["--since", "yesterday"], ["nothing-of-the-kind"]]
)
def test_a_replay_of_nothing_in_particular_is_wrong_use(operator: Command, client: str, arguments: list[str]) -> None:
    assert operator("events", "replay", *arguments).status == 2
