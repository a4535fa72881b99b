"""A client that a person asks for by its id, before any event has named it: one contact, one fetch, no stray row."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import CLIENT, OPERATOR, act, actions, ask
from worker.store import inbox, listing_contacts, listing_retries, operating, summary
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import NotFound

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

NOBODY = "999999"


def fetches(hub: Hub, source_id: str) -> int:
    """How often Robaws was asked for this client."""
    return sum(call == f"GET /api/v2/clients/{source_id}" for call in hub.calls("robaws"))


def count(hub: Hub, table: str) -> int:
    """The rows of a table."""
    with hub.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_client_that_was_there_before_comes_over_when_it_is_asked_for(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)

    acted = act(hub, operating.sync, client, reason="the first one")
    hub.settle()

    assert acted.message == "it is not known here yet: it is fetched and delivered now"
    assert hub.links() == [(client, system, "synced", None) for system in ("recras", "rompslomp", "workspace")]
    assert fetches(hub, client) == 1
    assert actions(hub) == [("sync", f"contact-{client}", "the first one")]


def test_it_is_counted_as_a_contact_and_not_as_an_event(hub: Hub) -> None:
    act(hub, operating.sync, hub.robaws.add_client(**CLIENT))
    hub.settle()

    with hub.engine.connect() as connection:
        found = summary.read(connection, hub.settings, hub.time)

    assert (found.events.received, found.conservation, found.contacts.total) == (0, 0, 1)


def test_asking_twice_before_it_is_fetched_fetches_it_once(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)

    first, second = act(hub, operating.sync, client), act(hub, operating.sync, client)
    hub.settle()

    assert (first.message.split(":")[0], second.message) == (
        "it is not known here yet",
        "it is fetched and delivered now",
    )
    assert (fetches(hub, client), count(hub, "contact"), len(hub.rompslomp.state()["records"])) == (1, 1, 1)


def test_a_webhook_for_it_at_the_same_moment_makes_no_second_contact_and_no_second_fetch(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.event(client)
    act(hub, operating.sync, client)

    hub.settle()

    assert (fetches(hub, client), count(hub, "contact"), len(hub.rompslomp.state()["records"])) == (1, 1, 1)
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def test_two_people_and_the_intake_at_the_same_moment_make_one_contact(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.event(client)
    together = threading.Barrier(3)

    def sync() -> None:
        with hub.engine.begin() as connection:
            together.wait()
            operating.sync(connection, client, OPERATOR, hub.time)

    def take() -> None:
        with hub.engine.begin() as connection:
            together.wait()
            inbox.intake(connection, hub.time)

    threads = [threading.Thread(target=one) for one in (sync, sync, take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub.settle()

    assert (fetches(hub, client), count(hub, "contact"), len(hub.rompslomp.state()["records"])) == (1, 1, 1)


def test_an_id_that_robaws_does_not_have_ends_and_is_owed_nothing(hub: Hub) -> None:
    act(hub, operating.sync, NOBODY)
    hub.settle_all()

    found = ask(hub, listing_contacts.one, NOBODY)

    assert (found.fetch.state, found.version, found.links) == ("idle", 0, [])
    assert found.gone_at is not None
    assert ask(hub, listing_retries.count, RetryFilter()) == 0
    assert hub.equation() == {"received": 0, "applied": 0, "skipped": 0, "open": 0, "dead": 0}


def test_one_that_is_asked_for_again_when_it_is_there_comes_over(hub: Hub) -> None:
    act(hub, operating.sync, NOBODY)
    hub.settle_all()
    client = hub.robaws.add_client(**CLIENT)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE contact SET source_id = :id"), {"id": client})

    act(hub, operating.sync, client)
    hub.settle()

    assert {state for _, _, state, _ in hub.links()} == {"synced"}


@pytest.mark.parametrize("source_id", ["abc", "", "-5", "1.5", "0012", "²", "1" * 19, "1 OR 1=1", "12\x00"])
def test_what_can_be_no_id_is_refused_and_nothing_is_made(hub: Hub, source_id: str) -> None:
    with pytest.raises(NotFound, match="is not the id of a client in Robaws"):
        act(hub, operating.sync, source_id)

    assert (count(hub, "contact"), actions(hub)) == (0, [])


def test_a_system_that_a_person_took_the_client_out_of_is_named(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET state = 'excluded', reason = 'unlinked' WHERE system = 'recras'"))

    acted = act(hub, operating.sync, client)

    assert "it stays left out of recras" in acted.message


def test_while_robaws_is_paused_it_says_so(hub: Hub) -> None:
    act(hub, operating.pause, "robaws", reason="moving house")

    acted: Any = act(hub, operating.sync, hub.robaws.add_client(**CLIENT))

    assert "is fetched and delivered when robaws may be called again" in acted.message
