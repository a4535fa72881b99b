"""The inbox over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webhooks.api.calls import PAGING, Asked, Call, Outcome, Parameter
from webhooks.api.contacts import MaybeReason
from worker.store import listing_events, listing_rejected, operating
from worker.store.listing import Page
from worker.store.listing_events import STATES, EventDetail, EventView
from worker.store.listing_rejected import RejectedDetail, RejectedView
from worker.store.operating import Acted

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_events(connection: Connection, asked: Asked) -> Page[EventView]:
    """Events, the newest first."""
    return listing_events.page(
        connection, asked.paging, state=asked.query.get("state"), source_id=asked.query.get("source_id")
    )


def show_event(connection: Connection, asked: Asked) -> EventDetail:
    """One event."""
    return listing_events.one(connection, asked.path["event_id"])


def list_rejected(connection: Connection, asked: Asked) -> Page[RejectedView]:
    """Requests that were signed rightly and are not an event, the newest first."""
    return listing_rejected.page(connection, asked.paging)


def show_rejected(connection: Connection, asked: Asked) -> RejectedDetail:
    """One of them."""
    return listing_rejected.one(connection, asked.path["number"])


def replay(connection: Connection, asked: Asked) -> Acted:
    """Its contact is owed a fetch."""
    return operating.replay(connection, asked.path["event_id"], asked.actor, asked.now, asked.body(MaybeReason).reason)


CALLS = (
    Call(
        "GET",
        "/events",
        "viewer",
        "Webhook events, the newest first.",
        list_events,
        Page[EventView],
        parameters=(
            Parameter("state", "in this state", STATES),
            Parameter("source_id", "about this record"),
            *PAGING,
        ),
    ),
    # Before the call of one event, which takes any id.
    Call(
        "GET",
        "/events/rejected",
        "viewer",
        "Requests that were signed rightly and are not an event, the newest first.",
        list_rejected,
        Page[RejectedView],
        parameters=PAGING,
    ),
    Call(
        "GET",
        "/events/rejected/{number}",
        "viewer",
        "One of them as it came, without bank data; a viewer sees its shape.",
        show_rejected,
        RejectedDetail,
        refusals=(404,),
    ),
    # An event's id is the vendor's text and may hold a slash.
    Call(
        "POST",
        "/events/{event_id:path}/replay",
        "operator",
        "Fetch and deliver its contact once more.",
        replay,
        Outcome,
        body=MaybeReason,
        status=202,
        refusals=(404, 409),
    ),
    Call(
        "GET",
        "/events/{event_id:path}",
        "viewer",
        "One event as it came; a viewer sees its shape.",
        show_event,
        EventDetail,
        refusals=(404,),
    ),
)
