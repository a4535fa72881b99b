"""The retry queue over the API, one line or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from webhooks.api.calls import ABOUT_REASONS, PAGING, Asked, Body, Call, Outcome, Parameter
from webhooks.api.contacts import MaybeReason
from worker.store import listing_groups, listing_retries, operating, operating_bulk
from worker.store.listing import Page
from worker.store.listing_groups import RetryGroup
from worker.store.listing_retries import STATES, Retry, RetryDetail, RetryFilter
from worker.store.operating import Acted
from worker.store.operating_bulk import Bulk

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Reason(Body):
    """An action that says why; a blank reason is refused as well."""

    reason: str | None = Field(default=None, max_length=1_000, description=ABOUT_REASONS)


class Filter(Body):
    """Which lines, by the names of `GET /retries`."""

    state: str | None = None
    system: str | None = None
    reason: str | None = None
    query: str | None = None
    fingerprint: str | None = None


class NewBulk(Body):
    """A bulk action. `expect`: the count that was shown; another one by now is answered with 409."""

    action: Literal["retry", "discard"]
    filter: Filter
    reason: str | None = Field(default=None, max_length=1_000, description=ABOUT_REASONS)
    expect: int = Field(ge=0)


def _filter(asked: Asked) -> RetryFilter:
    return RetryFilter(
        **{name: asked.query.get(name) for name in ("state", "system", "reason", "query", "fingerprint")}
    )


def list_retries(connection: Connection, asked: Asked) -> Page[Retry]:
    """A page of the queue."""
    return listing_retries.page(connection, _filter(asked), asked.paging, asked.now, names_of_persons=not asked.masked)


def list_groups(connection: Connection, asked: Asked) -> Page[RetryGroup]:
    """The causes."""
    return listing_groups.page(connection, _filter(asked), asked.paging, asked.now, names_of_persons=not asked.masked)


def show_retry(connection: Connection, asked: Asked) -> RetryDetail:
    """One line with its requests."""
    return listing_retries.one(connection, asked.path["retry_id"], asked.now)


def retry(connection: Connection, asked: Asked) -> Acted:
    """Due now."""
    return operating.retry(connection, asked.path["retry_id"], asked.actor, asked.now, asked.body(MaybeReason).reason)


def discard(connection: Connection, asked: Asked) -> Acted:
    """Out of the queue."""
    return operating.discard(connection, asked.path["retry_id"], asked.actor, asked.now, asked.body(Reason).reason)


def make_bulk(connection: Connection, asked: Asked) -> Bulk:
    """Many at once, in the background."""
    wanted = asked.body(NewBulk)
    return operating_bulk.make(
        connection,
        wanted.action,
        RetryFilter(**wanted.filter.model_dump()),
        asked.actor,
        asked.now,
        reason=wanted.reason,
        approval_above=asked.parts.settings.ops.approval_above,
        expect=wanted.expect,
    )


def show_bulk(connection: Connection, asked: Asked) -> Bulk:
    """How far it is."""
    return operating_bulk.one(connection, asked.path["bulk_id"])


FILTERS = (
    Parameter("state", "in this state", STATES),
    Parameter("system", "owed to this system; `robaws` for fetches"),
    Parameter("reason", "waiting for this reason (the stable word)"),
    Parameter("query", "of contacts that this finds, as in the list of contacts, or with this in the message"),
    Parameter("fingerprint", "of this cause, as `GET /retries/groups` gives it"),
)

CALLS = (
    Call(
        "GET",
        "/retries",
        "viewer",
        "What is dead, unknown, waits or is in review, in this order; what is owed for longest first.",
        list_retries,
        Page[Retry],
        parameters=(*FILTERS, *PAGING),
    ),
    Call(
        "GET",
        "/retries/groups",
        "viewer",
        "The queue by cause, the largest first: how many, since when, and what to do.",
        list_groups,
        Page[RetryGroup],
        parameters=(*FILTERS, *PAGING),
    ),
    Call(
        "GET",
        "/retries/{retry_id}",
        "viewer",
        "One line with its requests, newest first, also after it left the queue; a viewer sees their shape.",
        show_retry,
        RetryDetail,
        refusals=(404,),
    ),
    Call(
        "POST",
        "/retries/{retry_id}/retry",
        "operator",
        "Make it due now, with all its attempts before it.",
        retry,
        Outcome,
        body=MaybeReason,
        status=202,
        refusals=(404, 409),
    ),
    Call(
        "POST",
        "/retries/{retry_id}/discard",
        "operator",
        "Take it out of the queue for good; wants a reason.",
        discard,
        Outcome,
        body=Reason,
        refusals=(404, 409),
    ),
    Call(
        "POST",
        "/bulk",
        "operator",
        "Retry or discard many, in the background; an empty filter is refused.",
        make_bulk,
        Bulk,
        body=NewBulk,
        status=202,
        refusals=(409,),
    ),
    Call(
        "GET",
        "/bulk/{bulk_id}",
        "viewer",
        "How far a bulk action is, with the result of each item.",
        show_bulk,
        Bulk,
        refusals=(404,),
    ),
)
