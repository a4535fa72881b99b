"""Lists for people: what they show, how they are paged, and what they refuse."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.store.people import CLIENT, act, ask
from worker.store import listing_contacts, listing_events, listing_retries, operating
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter
from worker.store.refusals import NotFound, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.hub import Hub


def everything(hub: Hub, query: Callable[..., Any], /, *arguments: Any, limit: int = 2, **more: Any) -> list[Any]:
    """All items, page by page."""
    items: list[Any] = []
    cursor = None
    while True:
        page = ask(hub, query, *arguments, Paging(limit, cursor), **more)
        items += page.items
        cursor = page.next
        if cursor is None:
            assert page.total == len(items)
            return items


def add_contacts(hub: Hub, *names: str) -> None:
    with hub.engine.begin() as connection:
        for number, name in enumerate(names, 1):
            connection.execute(
                text("INSERT INTO contact (source, source_id, name, version) VALUES ('robaws', :id, :name, 1)"),
                {"id": f"{1000 + number}", "name": name},
            )


def add_link(hub: Hub, source_id: str, system: str, state: str, reason: str | None = None) -> None:
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO link (contact_id, system, state, reason, next_attempt_at) "
                "SELECT id, :system, :state, :reason, :at FROM contact WHERE source_id = :id"
            ),
            {
                "id": source_id,
                "system": system,
                "state": state,
                "reason": reason,
                "at": hub.time if state in ("due", "waiting", "unknown", "working") else None,
            },
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("1002", ["Tuinen Van Laar"]),
        ("bak", ["Bouwbedrijf Bakker BV", "Bakkerij O'Neill & Zoon"]),
        ("BAKKER", ["Bouwbedrijf Bakker BV", "Bakkerij O'Neill & Zoon"]),
        ("laar tuin", ["Tuinen Van Laar"]),
        ("o'neill", ["Bakkerij O'Neill & Zoon"]),
        ("neill:* | !x", []),
        ("&", []),
        ("'", []),
        ("\\", []),
        ("akker", []),
    ],
)
def test_contacts_are_found_by_their_id_or_the_beginnings_of_words(hub: Hub, query: str, found: list[str]) -> None:
    add_contacts(hub, "Bouwbedrijf Bakker BV", "Tuinen Van Laar", "Bakkerij O'Neill & Zoon")

    page = ask(hub, listing_contacts.page, Paging(), query=query)

    assert [contact.name for contact in page.items] == found
    assert page.total == len(found)


def test_contacts_come_in_pages_that_neither_repeat_nor_leave_out(hub: Hub) -> None:
    add_contacts(hub, *(f"Client {number}" for number in range(7)))

    names = [contact.name for contact in everything(hub, listing_contacts.page)]

    assert names == [f"Client {number}" for number in range(7)]


def test_a_page_is_not_shifted_by_rows_that_come_and_go(hub: Hub) -> None:
    add_contacts(hub, *(f"Client {number}" for number in range(4)))
    first = ask(hub, listing_contacts.page, Paging(limit=2))

    with hub.engine.begin() as connection:
        connection.execute(text("DELETE FROM contact WHERE source_id = '1001'"))
    second = ask(hub, listing_contacts.page, Paging(limit=2, cursor=first.next))

    assert [contact.name for contact in second.items] == ["Client 2", "Client 3"]
    assert second.total == 3


def test_contacts_are_found_by_the_state_of_a_link(hub: Hub) -> None:
    add_contacts(hub, "A", "B")
    add_link(hub, "1001", "recras", "dead")
    add_link(hub, "1002", "recras", "synced")

    dead = ask(hub, listing_contacts.page, Paging(), state="dead")
    synced = ask(hub, listing_contacts.page, Paging(), state="synced")

    assert [contact.name for contact in dead.items] == ["A"]
    assert [contact.name for contact in synced.items] == ["B"]
    with pytest.raises(Unfit, match="state is one of"):
        ask(hub, listing_contacts.page, Paging(), state="broken")


def test_one_contact_tells_its_whole_way(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.event(client, event_id="e-1")
    hub.settle()
    act(hub, operating.sync, client, reason="to be sure")

    found = ask(hub, listing_contacts.one, client)

    assert (found.name, found.version, found.fetch.state) == (CLIENT["name"], 1, "due")
    assert [(link.system, link.state) for link in found.links] == [
        ("recras", "synced"),
        ("rompslomp", "synced"),
        ("workspace", "synced"),
    ]
    assert found.fields["address"]["city"] == "Gent"
    kinds = [entry.kind for entry in found.history]
    assert set(kinds) == {"event", "request", "action"}
    assert [entry.at for entry in found.history] == sorted((entry.at for entry in found.history), reverse=True)
    event = next(entry for entry in found.history if entry.kind == "event")
    assert (event.event_id, event.state, event.contact_version) == ("e-1", "applied", 1)
    systems = {entry.system for entry in found.history if entry.kind == "request"}
    assert systems == {"robaws", "rompslomp", "recras", "workspace"}


def test_a_contact_that_nobody_heard_of_is_not_found(hub: Hub) -> None:
    for source_id in ("4711", "x\x00", "", "../1", "9" * 500):
        with pytest.raises(NotFound):
            ask(hub, listing_contacts.one, source_id)


def test_the_queue_holds_fetches_and_links_that_need_something(hub: Hub) -> None:
    add_contacts(hub, "A", "B")
    for system, state in (("recras", "dead"), ("rompslomp", "due"), ("workspace", "review")):
        add_link(hub, "1001", system, state, "rejected")
    add_link(hub, "1002", "recras", "waiting", "rate_limited")
    add_link(hub, "1002", "workspace", "synced")
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE contact SET fetch_state = 'dead', fetch_reason = 'server_error' WHERE source_id = '1002'")
        )

    lines = everything(hub, listing_retries.page, RetryFilter(), limit=1)

    assert [(line.contact.name, line.system, line.state, line.reason) for line in lines] == [
        ("B", "robaws", "dead", "server_error"),
        ("A", "recras", "dead", "rejected"),
        ("B", "recras", "waiting", "rate_limited"),
        ("A", "workspace", "review", "rejected"),
    ]
    assert lines[0].id.startswith("fetch-")
    assert lines[1].id.startswith("link-")


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (RetryFilter(state="dead"), 2),
        (RetryFilter(state="waiting"), 1),
        (RetryFilter(system="recras"), 2),
        (RetryFilter(system="robaws"), 1),
        (RetryFilter(reason="rejected"), 1),
        (RetryFilter(query="a"), 1),
        (RetryFilter(query="1002"), 2),
        (RetryFilter(state="dead", system="recras", reason="rejected", query="a"), 1),
        (RetryFilter(state="dead", query="nobody"), 0),
    ],
)
def test_the_queue_is_filtered_and_counted_alike(hub: Hub, wanted: RetryFilter, count: int) -> None:
    add_contacts(hub, "A", "B")
    add_link(hub, "1001", "recras", "dead", "rejected")
    add_link(hub, "1002", "recras", "waiting", "rate_limited")
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE contact SET fetch_state = 'dead', fetch_reason = 'server_error' WHERE source_id = '1002'")
        )

    lines = everything(hub, listing_retries.page, wanted)

    assert len(lines) == count
    assert ask(hub, listing_retries.count, wanted) == count
    assert ask(hub, listing_retries.ids, wanted) == [line.id for line in lines]


def test_one_line_of_the_queue_shows_its_requests(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.recras.fail("status", status=500, times=-1, body="<h1>broken</h1>")
    hub.sync(client)
    link = hub.link(client, "recras")

    line = ask(hub, listing_retries.one, f"link-{link['id']}")

    assert (line.contact.source_id, line.state, line.system) == (client, "waiting", "recras")
    assert {request.system for request in line.requests} == {"recras"}
    assert line.requests[0].status == 500
    assert "broken" in (line.requests[0].answer or "")


def test_events_come_newest_first_and_are_open_until_they_end(hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT)
    hub.event(client, event_id="e-1")
    hub.settle()
    hub.event("88", kind="offer.created", event_id="e-2")
    hub.settle()
    hub.event(client, event_id="e-3")

    found = everything(hub, listing_events.page, limit=1)

    assert [(event.id, event.state, event.reason) for event in found] == [
        ("e-3", "open", None),
        ("e-2", "skipped", "not_a_client_event"),
        ("e-1", "applied", None),
    ]
    assert [event.id for event in everything(hub, listing_events.page, state="open")] == ["e-3"]
    assert [event.id for event in everything(hub, listing_events.page, source_id=client)] == ["e-3", "e-1"]
    assert everything(hub, listing_events.page, source_id="4711") == []


def test_an_event_is_shown_as_it_came(hub: Hub) -> None:
    hub.event("1", event_id="e-1")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE inbox_event SET body = :b"), {"b": b"\xff\xfe{}"})

    event = ask(hub, listing_events.one, "e-1")

    assert event.encoding == "base64"
    assert base64.b64decode(event.body) == b"\xff\xfe{}"
    for event_id in ("e-2", "", "e\x00", "e" * 201):
        with pytest.raises(NotFound):
            ask(hub, listing_events.one, event_id)


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!", "W10", base64.urlsafe_b64encode(b'["a"]').decode(), base64.urlsafe_b64encode(b"[1e99]").decode()],
)
def test_a_cursor_that_was_not_given_out_is_refused(hub: Hub, cursor: str) -> None:
    with pytest.raises(Unfit, match="cursor"):
        ask(hub, listing_contacts.page, Paging(cursor=cursor))
    with pytest.raises(Unfit, match="cursor"):
        ask(hub, listing_events.page, Paging(cursor=cursor))
    with pytest.raises(Unfit, match="cursor"):
        ask(hub, listing_retries.page, RetryFilter(), Paging(cursor=cursor))


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_one_to_two_hundred_lines(hub: Hub, limit: int) -> None:
    with pytest.raises(Unfit, match="limit"):
        ask(hub, listing_contacts.page, Paging(limit=limit))


@pytest.mark.parametrize("text_", ["a\x00b", "x" * 201, "\ud800"])
def test_a_text_that_no_row_can_hold_is_refused(hub: Hub, text_: str) -> None:
    with pytest.raises(Unfit):
        ask(hub, listing_contacts.page, Paging(), query=text_)
    with pytest.raises(Unfit):
        ask(hub, listing_retries.page, RetryFilter(reason=text_), Paging())
