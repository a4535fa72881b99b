"""The retry queue by cause, and its order: what needs a person first, what has been owed for longest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from tests.store.people import act, ask
from tests.store.test_listing import add_contacts, add_link, everything
from worker.core.masks import for_viewer
from worker.core.what_to_do import BY_REASON
from worker.store import listing_groups, listing_retries, operating, operating_bulk
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import Unfit

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub
    from worker.store.listing_groups import RetryGroup

REFUSED = '{"error": {"type": "validation", "message": "Contact is invalid: Vat number \'%s\' is ongeldig."}}'


def groups(hub: Hub, **wanted: str) -> list[RetryGroup]:
    found: list[RetryGroup] = ask(hub, listing_groups.page, RetryFilter(**wanted), Paging(), hub.time).items
    return found


@pytest.fixture
def monday(hub: Hub) -> list[str]:
    """Recras has been down for a while with four clients; of them Rompslomp refuses two for the same cause."""
    clients = [hub.robaws.add_client(**client(number)) for number in range(1, 5)]
    hub.recras.fail("status", status=503, body="<p>Onderhoud tot 10:00</p>", times=-1)
    for number, one in enumerate(clients):
        if number < 2:
            hub.rompslomp.fail("status", status=422, body=REFUSED % f"BE{number}", method="POST")
        hub.sync(one)
        hub.later(1)
    return clients


def test_an_outage_and_a_refusal_are_two_causes(hub: Hub, monday: list[str]) -> None:
    found = groups(hub)

    assert sum(one.count for one in found) == 6
    refused = next(one for one in found if one.system == "rompslomp")
    assert (refused.operation, refused.status, refused.reason) == ("create", 422, "validation")
    assert (refused.count, refused.contacts) == (2, 2)
    assert refused.states == {"dead": 2, "unknown": 0, "waiting": 0, "review": 0}
    assert "is ongeldig" in (refused.message or "")
    assert refused.first_seen is not None
    assert refused.last_seen is not None
    assert refused.first_seen < refused.last_seen
    assert BY_REASON["validation"].you in refused.what_to_do
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)


def test_a_cause_filters_the_list_the_count_and_bulk_actions(hub: Hub, monday: list[str]) -> None:
    for one in groups(hub):
        wanted = RetryFilter(fingerprint=one.fingerprint)

        lines = ask(hub, listing_retries.page, wanted, Paging(), hub.time).items

        assert len(lines) == one.count == ask(hub, listing_retries.count, wanted, hub.time)
        assert {line.fingerprint for line in lines} == {one.fingerprint}
        assert ask(hub, listing_retries.ids, wanted, hub.time) == [line.id for line in lines]
    refused = next(one.fingerprint for one in groups(hub) if one.system == "rompslomp")
    bulk = act(hub, operating_bulk_make, "retry", RetryFilter(fingerprint=refused))
    assert bulk.total == 2


def operating_bulk_make(connection: Any, action: str, wanted: RetryFilter, actor: Any, now: Any) -> Any:
    return operating_bulk.make(connection, action, wanted, actor, now, reason="fixed", approval_above=100)


def test_what_waits_behind_a_system_is_one_cause(hub: Hub) -> None:
    act(hub, operating.pause, "recras", reason="they move")
    hub.restart()
    for number in (1, 2, 3):
        hub.sync(hub.robaws.add_client(**client(number)))

    found = groups(hub)

    assert [(one.system, one.reason, one.message, one.count) for one in found] == [("recras", "paused", "they move", 3)]
    assert found[0].waits_for_system
    assert len(ask(hub, listing_retries.page, RetryFilter(fingerprint=found[0].fingerprint), Paging()).items) == 3


def test_an_outage_is_one_cause_with_all_that_waits_for_its_end(hub: Hub) -> None:
    hub.recras.fail("status", status=503, body="<p>Onderhoud tot 10:00</p>", times=-1)
    for number in range(1, 9):
        hub.sync(hub.robaws.add_client(**client(number)))
    assert {state for _, system, state, _ in hub.links() if system == "recras"} == {"waiting", "due"}

    [found] = groups(hub)

    assert (found.system, found.reason, found.count, found.states["waiting"]) == ("recras", "server_error", 8, 8)
    assert "Onderhoud tot 10:00" in (found.message or "")
    assert found.waits_for_system
    assert ask(hub, listing_retries.count, RetryFilter(fingerprint=found.fingerprint), hub.time) == 8


def test_a_question_has_a_cause_with_its_field(hub: Hub) -> None:
    add_contacts(hub, "A", "B", "C")
    for source_id, field in (("1001", "phone"), ("1002", "phone"), ("1003", "email")):
        add_link(hub, source_id, "recras", "review", "field_conflict")
        with hub.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE link SET parked = jsonb_build_object(CAST(:f AS text), '{}'::jsonb), message = :m FROM"
                    " contact AS c WHERE c.id = contact_id AND c.source_id = :id"
                ),
                {"f": field, "m": f"{field} {source_id}", "id": source_id},
            )

    assert [(one.field, one.count) for one in groups(hub)] == [("phone", 2), ("email", 1)]
    assert ask(hub, listing_groups.page, RetryFilter(), Paging(), hub.time, questions=False).items == []


def test_causes_come_in_pages(hub: Hub, monday: list[str]) -> None:
    assert [one.fingerprint for one in everything(hub, listing_groups.page, RetryFilter(), limit=1)] == [
        one.fingerprint for one in groups(hub)
    ]


def test_a_viewer_sees_the_causes_without_what_the_vendor_said(hub: Hub, monday: list[str]) -> None:
    seen = [for_viewer(one) for one in groups(hub)]

    assert {one.message for one in seen} == {"•••"}
    assert all("•••" not in f"{one.fingerprint} {one.system} {one.reason} {one.what_to_do}" for one in seen)


def test_the_list_begins_with_what_needs_a_person_and_with_the_oldest(hub: Hub) -> None:
    add_contacts(hub, *(f"Client {number}" for number in range(1, 9)))
    states = ("waiting", "dead", "review", "dead", "waiting", "unknown", "dead", "waiting")
    for number, state in enumerate(states, 1):
        add_link(hub, f"{1000 + number}", "recras", state, "server_error")
        with hub.engine.begin() as connection:
            connection.execute(
                text("UPDATE link SET since = :since FROM contact AS c WHERE c.id = contact_id AND c.source_id = :id"),
                {"since": hub.time - timedelta(minutes=number % 4), "id": f"{1000 + number}"},
            )
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE link SET since = NULL WHERE id = (SELECT max(id) FROM link)"))

    lines = everything(hub, listing_retries.page, RetryFilter(), limit=1)

    assert [(line.contact.source_id, line.state) for line in lines] == [
        ("1007", "dead"),
        ("1002", "dead"),
        ("1004", "dead"),
        ("1006", "unknown"),
        ("1008", "waiting"),
        ("1001", "waiting"),
        ("1005", "waiting"),
        ("1003", "review"),
    ]
    assert ask(hub, listing_retries.ids, RetryFilter()) == [line.id for line in lines]


def test_a_line_is_found_by_what_the_vendor_said(hub: Hub, monday: list[str]) -> None:
    found = ask(hub, listing_retries.page, RetryFilter(query="vat number"), Paging(), hub.time)
    hidden = ask(hub, listing_retries.page, RetryFilter(query="vat number"), Paging(), hub.time, names_of_persons=False)

    assert {line.system for line in found.items} == {"rompslomp"}
    assert len(found.items) == 2
    assert hidden.items == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"reason": "foo"}, "reason is one of"),
        ({"reason": "validatoin"}, "did you mean validation?"),
        ({"state": "daed"}, "did you mean dead?"),
        ({"system": "rompslom"}, "did you mean rompslomp?"),
    ],
)
def test_an_unknown_word_in_a_filter_is_refused_with_those_that_exist(
    hub: Hub, wanted: dict[str, str], said: str
) -> None:
    for query in (listing_retries.page, listing_groups.page):
        with pytest.raises(Unfit) as refused:
            ask(hub, query, RetryFilter(**wanted), Paging())
        assert said in refused.value.message


def test_a_vendors_own_word_is_no_slip(hub: Hub) -> None:
    add_contacts(hub, "A")
    add_link(hub, "1001", "rompslomp", "dead", "a_new_word_of_theirs")

    assert len(ask(hub, listing_retries.page, RetryFilter(reason="a_new_word_of_theirs"), Paging()).items) == 1
