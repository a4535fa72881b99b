"""Retry, discard, sync, replay: what becomes of the rows, the events and the vendors' records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import CLIENT, VAT, act, actions, ask
from worker.store import listing_retries, operating
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import Conflict, NotFound, Unfit

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

REFUSAL = '{"error": {"message": "Contact is invalid: not nice.", "type": "client.parameters.validation"}}'


def refused_by_rompslomp(hub: Hub) -> str:
    """A client that Rompslomp refuses once; the id of its line in the queue."""
    client = hub.robaws.add_client(**CLIENT)
    hub.rompslomp.fail("status", status=422, body=REFUSAL, method="POST")
    hub.sync(client)
    assert hub.link(client, "rompslomp")["state"] == "dead"
    return f"link-{hub.link(client, 'rompslomp')['id']}"


def not_fetched(hub: Hub) -> tuple[str, str]:
    """A client whose fetch gave up: its id, and the id of its line."""
    client = hub.robaws.add_client(**CLIENT)
    hub.robaws.fail("status", status=400, times=1)
    hub.event(client)
    hub.settle_all()
    row = hub.contact(client)
    assert row["fetch_state"] == "dead"
    return client, f"fetch-{row['id']}"


def event_states(hub: Hub) -> list[tuple[str, str | None]]:
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT state, reason FROM inbox_event ORDER BY id"))
        return [(row.state, row.reason) for row in rows]


def queue(hub: Hub) -> list[Any]:
    page = ask(hub, listing_retries.page, RetryFilter(), Paging())
    return [(line.id, line.system, line.state) for line in page.items]


def test_a_dead_link_that_is_retried_is_delivered(hub: Hub) -> None:
    line = refused_by_rompslomp(hub)

    acted = act(hub, operating.retry, line)
    hub.settle()

    assert (acted.id, acted.outcome) == (line, "retried")
    assert acted.owed.links == ((int(line.removeprefix("link-")), "rompslomp"),)
    assert len(hub.rompslomp.state()["records"]) == 1
    assert queue(hub) == []
    assert actions(hub) == [("retry", line, None)]


def test_a_bare_number_is_a_link(hub: Hub) -> None:
    line = refused_by_rompslomp(hub)

    acted = act(hub, operating.retry, line.removeprefix("link-"))

    assert acted.id == line


def test_a_retried_link_has_all_its_attempts_before_it(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.recras.fail("status", status=500, times=-1)
    hub.sync(client)
    hub.later(60)
    hub.settle()
    link = hub.link(client, "recras")
    assert link["attempts"] > 1

    act(hub, operating.retry, f"link-{link['id']}", reason="Recras is back")

    after = hub.link(client, "recras")
    assert (after["state"], after["attempts"], after["next_attempt_at"]) == ("due", 0, hub.time)
    assert after["since"] == link["since"]
    assert actions(hub) == [("retry", f"link-{link['id']}", "Recras is back")]


def test_a_retry_forgets_an_id_that_can_be_none_and_finds_the_record_again(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT, vatIdNumber=VAT)
    hub.sync(client)
    made = hub.link(client, "rompslomp")["external_id"]
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET external_id = 'abc' WHERE system = 'rompslomp'"))
    hub.robaws.change_client(client, email="post@delinde.example")
    hub.sync(client)
    link = hub.link(client, "rompslomp")
    assert (link["state"], link["reason"]) == ("dead", "bad_id")

    act(hub, operating.retry, f"link-{link['id']}")
    hub.settle()

    link = hub.link(client, "rompslomp")
    assert link["external_id"] == made
    assert [one["path"] for one in hub.questions(client, "rompslomp")] == ["contact_person_email_address"]
    assert len(hub.rompslomp.state()["records"]) == 1


def test_an_unknown_outcome_that_is_retried_is_looked_for_and_not_sent_again(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.rompslomp.fail("drop_after", method="POST")
    hub.sync(client)
    link = hub.link(client, "rompslomp")
    assert (link["state"], link["reason"]) == ("unknown", "outcome_unknown")

    act(hub, operating.retry, f"link-{link['id']}")
    state = hub.link(client, "rompslomp")["state"]
    hub.settle()

    assert state == "unknown"
    assert hub.link(client, "rompslomp")["state"] == "synced"
    assert len(hub.rompslomp.state()["records"]) == 1
    assert len([call for call in hub.calls("rompslomp") if call.startswith("POST")]) == 1


def test_what_does_not_wait_cannot_be_retried_or_discarded(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    link = f"link-{hub.link(client, 'recras')['id']}"
    fetch = f"fetch-{hub.contact(client)['id']}"

    for line in (link, fetch):
        with pytest.raises(Conflict, match=r"synced|idle"):
            act(hub, operating.retry, line)
        with pytest.raises(Conflict, match=r"synced|idle"):
            act(hub, operating.discard, line, reason="no")

    assert actions(hub) == []


@pytest.mark.parametrize(
    "line", ["link-999999", "fetch-999999", "999999", "link-", "-5", "robaws-5", "link-x", "link-" + "9" * 40, ""]
)
def test_an_id_that_names_nothing_is_not_found(hub: Hub, line: str) -> None:
    with pytest.raises(NotFound):
        act(hub, operating.retry, line)


def test_a_dead_fetch_that_is_retried_is_made_and_its_event_applied(hub: Hub) -> None:
    client, line = not_fetched(hub)
    assert event_states(hub) == [("dead", "rejected")]

    act(hub, operating.retry, line)
    states = event_states(hub)
    hub.settle()

    assert states == [("taken", None)]
    assert event_states(hub) == [("applied", None)]
    assert hub.link(client, "rompslomp")["state"] == "synced"
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def test_a_discarded_fetch_is_owed_no_more_and_its_events_are_skipped(hub: Hub) -> None:
    client, line = not_fetched(hub)

    act(hub, operating.discard, line, reason="a test client")
    hub.settle_all()

    row = hub.contact(client)
    assert (row["fetch_state"], row["fetch_done"]) == ("idle", row["fetch_wanted"])
    assert event_states(hub) == [("skipped", "discarded")]
    assert hub.equation() == {"received": 1, "applied": 0, "skipped": 1, "open": 0, "dead": 0}
    assert queue(hub) == []


def test_a_waiting_fetch_is_discarded_with_the_events_that_it_would_have_covered(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.robaws.fail("status", status=500)
    hub.sync(client)
    line = f"fetch-{hub.contact(client)['id']}"
    assert queue(hub) == [(line, "robaws", "waiting")]

    act(hub, operating.discard, line, reason="a test client")

    assert event_states(hub) == [("skipped", "discarded")]
    assert hub.equation() == {"received": 1, "applied": 0, "skipped": 1, "open": 0, "dead": 0}


def test_an_event_after_a_discarded_fetch_is_followed_as_ever(hub: Hub) -> None:
    client, line = not_fetched(hub)
    act(hub, operating.discard, line, reason="a test client")

    hub.sync(client)

    assert hub.link(client, "rompslomp")["state"] == "synced"


def test_a_discarded_link_is_excluded_and_a_sync_brings_it_back(hub: Hub) -> None:
    line = refused_by_rompslomp(hub)
    client = _only_client(hub)

    act(hub, operating.discard, line, reason="sold")
    discarded = hub.link(client, "rompslomp")
    hub.settle_all()
    act(hub, operating.sync, client)
    hub.settle()

    assert (discarded["state"], discarded["reason"], discarded["message"]) == ("excluded", "discarded", "sold")
    assert hub.link(client, "rompslomp")["state"] == "synced"
    assert actions(hub) == [("discard", line, "sold"), ("sync", f"contact-{client}", None)]


def _only_client(hub: Hub) -> str:
    with hub.engine.connect() as connection:
        return str(connection.execute(text("SELECT source_id FROM contact")).scalar_one())


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_a_discard_wants_a_reason(hub: Hub, reason: str | None) -> None:
    line = refused_by_rompslomp(hub)

    with pytest.raises(Unfit, match="reason"):
        act(hub, operating.discard, line, reason=reason)

    assert queue(hub) == [(line, "rompslomp", "dead")]


def test_a_sync_delivers_again_although_nothing_changed(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    record = hub.recras.state()["records"][0]
    hub.recras.edit_record(str(record["id"]), {"naam": "changed by a person"})

    act(hub, operating.sync, client)
    hub.settle()

    assert hub.recras.state()["records"][0]["naam"] == "Dakwerken De Linde"


def test_what_can_be_no_clients_id_is_not_synced(hub: Hub) -> None:
    for source_id in ("", "x\x00y", "9" * 300):
        with pytest.raises(NotFound):
            act(hub, operating.sync, source_id)


def test_an_event_is_replayed_by_fetching_its_client_as_it_is_now(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.event(client, event_id="e-1")
    hub.settle()
    hub.robaws.edit_record(client, {"name": "Dakwerken De Eik"})

    act(hub, operating.replay, "e-1")
    hub.settle()

    assert [record["naam"] for record in hub.recras.state()["records"]] == ["Dakwerken De Eik"]
    assert event_states(hub) == [("applied", None)]
    assert hub.equation() == {"received": 1, "applied": 1, "skipped": 0, "open": 0, "dead": 0}


def replay_all(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        since = connection.execute(text("SELECT min(received_at) FROM inbox_event")).scalar_one()
        operating.replay_since(connection, since, operating.Actor("admin", "admin"), hub.time, "after the outage")
    hub.settle()


@pytest.mark.parametrize("changes", [False, True])
def test_a_replay_puts_nothing_back_and_brings_nobody_back(hub: Hub, changes: bool) -> None:
    hub.recras.fail("status", status=406, method="POST", times=-1, body="{}")
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    books = str(hub.link(client, "rompslomp")["external_id"])
    hub.rompslomp.edit_record(books, {"city": "Brugge"})
    act(hub, operating.discard, f"link-{hub.link(client, 'recras')['id']}", reason="no guest of ours")
    hub.recras.clear_faults()
    if changes:
        hub.robaws.edit_record(client, {"email": "nieuw@delinde.example"})

    replay_all(hub)

    assert hub.link(client, "recras")["state"] == "excluded"
    assert hub.recras.state()["records"] == []
    [record] = hub.rompslomp.state()["records"]
    assert record["city"] == "Brugge"
    assert record["contact_person_email_address"] == ("nieuw@delinde.example" if changes else CLIENT["email"])


def test_a_replay_tries_again_what_did_not_arrive(hub: Hub) -> None:
    hub.recras.fail("status", status=406, method="POST", times=-1, body="{}")
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    dead = hub.link(client, "recras")["state"]
    hub.recras.clear_faults()

    replay_all(hub)

    assert (dead, hub.link(client, "recras")["state"]) == ("dead", "synced")
    assert len(hub.recras.state()["records"]) == 1


def test_an_event_about_something_else_has_nothing_to_replay(hub: Hub) -> None:
    hub.event("77", kind="offer.created", event_id="e-1")
    hub.settle()

    with pytest.raises(Conflict, match="not about a client"):
        act(hub, operating.replay, "e-1")
    with pytest.raises(NotFound):
        act(hub, operating.replay, "e-2")


def test_all_events_since_a_time_are_replayed_one_fetch_a_client(hub: Hub) -> None:
    clients = [hub.robaws.add_client(name=f"Client {number}") for number in range(3)]
    for client in (*clients, *clients):
        hub.event(client)
    hub.settle()
    hub.forget_calls()

    with hub.engine.begin() as connection:
        since = connection.execute(text("SELECT min(received_at) FROM inbox_event")).scalar_one()
    with hub.engine.begin() as connection:
        operating.replay_since(connection, since, operating.Actor("admin", "admin"), hub.time, "after the outage")
    hub.settle()

    assert len([call for call in hub.calls("robaws") if call.startswith("GET")]) == 3


def test_a_pause_wants_a_reason_and_holds_the_system_until_it_is_resumed(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    with pytest.raises(Unfit, match="reason"):
        act(hub, operating.pause, "recras", reason=" ")
    act(hub, operating.pause, "recras", reason="they are moving")
    hub.restart()

    hub.sync(client)
    paused = hub.link(client, "recras")["state"]
    act(hub, operating.resume, "recras")
    hub.restart()
    hub.settle()

    assert paused == "due"
    assert hub.link(client, "recras")["state"] == "synced"
    assert actions(hub) == [("pause", "system-recras", "they are moving"), ("resume", "system-recras", None)]


def test_a_resume_makes_due_what_waited_for_the_system_and_not_what_waits_for_its_data(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.recras.fail("status", status=503, times=-1)
    hub.sync(client)
    waiting = hub.link(client, "recras")
    hub.recras.clear_faults()

    acted = act(hub, operating.resume, "recras")
    hub.restart()
    hub.settle()

    assert (waiting["state"], waiting["reason"]) == ("waiting", "server_error")
    assert acted.message.startswith("1 ")
    assert hub.link(client, "recras")["state"] == "synced"


def test_a_system_that_there_is_not_is_neither_paused_nor_resumed(hub: Hub) -> None:
    with pytest.raises(NotFound, match="there are robaws"):
        act(hub, operating.pause, "exact", reason="no")
    with pytest.raises(NotFound, match="there are robaws"):
        act(hub, operating.resume, "exact")
