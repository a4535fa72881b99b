"""`contactsync contacts exclude | include | link | unlink`: said, done, and refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import catch_up
from worker.cli import taking_part

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub

WHERE = ("--system", "rompslomp", "--reason", "asked the bookkeeper")


@pytest.fixture(autouse=True)
def vendors(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are looked up at the hub's own vendors."""
    monkeypatch.setattr(taking_part, "make_runtime", lambda _settings, _engine: hub.runtime)


def state(hub: Hub, client: str) -> tuple[str, str | None]:
    link = hub.link(client, "rompslomp")
    return link["state"], link["reason"]


def test_a_client_is_left_out_and_taken_in_again(operator: Command, hub: Hub, client: str) -> None:
    out = operator("contacts", "exclude", client, *WHERE)
    left_out = state(hub, client)
    again = operator("contacts", "exclude", client, *WHERE)
    back = operator("contacts", "include", client, *WHERE, "--json")
    catch_up(hub)

    assert (out.status, again.status, back.status) == (0, 1, 0)
    assert left_out == ("excluded", "excluded_by_person")
    assert "already" in again.err
    assert back.json["items"][0]["outcome"] == "included"
    assert state(hub, client) == ("synced", None)


def test_a_link_is_taken_back_and_made_to_another_record(operator: Command, hub: Hub, client: str) -> None:
    other = hub.rompslomp.add_record(company_name="Dakwerken De Linde en Zonen")

    unlinked = operator("contacts", "unlink", client, *WHERE)
    linked = operator("contacts", "link", client, *WHERE, "--external-id", str(other))
    catch_up(hub)

    assert (unlinked.status, linked.status) == (0, 0)
    assert "no longer linked" in unlinked.out
    assert hub.link(client, "rompslomp")["external_id"] == str(other)


def test_a_record_that_does_not_exist_or_cannot_be_looked_up_is_not_linked(
    operator: Command, hub: Hub, client: str
) -> None:
    before = hub.link(client, "rompslomp")["external_id"]

    missing = operator("contacts", "link", client, *WHERE, "--external-id", "123456789")
    hub.rompslomp.fail("status", times=1, status=503)
    away = operator("contacts", "link", client, *WHERE, "--external-id", "123456789")
    odd = operator("contacts", "link", client, *WHERE, "--external-id", "a/b")

    assert (missing.status, away.status, odd.status) == (2, 3, 2)
    assert "no record 123456789" in missing.err
    assert "nothing was changed" in away.err
    assert "whole number" in odd.err
    assert hub.link(client, "rompslomp")["external_id"] == before


def test_a_system_that_clients_do_not_go_to_is_wrong_use(operator: Command, client: str) -> None:
    ran = operator("contacts", "exclude", client, "--system", "routix", "--reason", "x")

    assert ran.status == 2
    assert "rompslomp" in ran.err


def test_a_record_that_a_question_does_not_show_is_looked_up_before_it_is_linked(operator: Command, hub: Hub) -> None:
    for _ in range(2):
        hub.rompslomp.add_record(company_name="Garage Zuiderhof", zipcode="3000", address="Markt 1")
    client = hub.robaws.add_client(
        name="Garage Zuiderhof",
        email="info@zuiderhof.example",
        address={"addressLine1": "Markt 1", "postalCode": "3000", "city": "Leuven", "country": "BE"},
    )
    hub.sync(client)
    [question] = hub.questions(client, "rompslomp")

    refused = operator("reviews", "resolve", str(question["id"]), "--choose", "link:123456789")

    assert refused.status == 2
    assert "no record 123456789" in refused.err
    assert len(hub.questions(client, "rompslomp")) == 1
