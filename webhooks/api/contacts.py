"""Contacts over the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from webhooks.api.calls import ABOUT_REASONS, PAGING, Asked, Body, Call, Outcome, Parameter, Parts
from worker.flows import differing
from worker.store import agreements, listing_contacts, operating, operating_links
from worker.store.listing import Page
from worker.store.listing_contacts import ContactDetail, ContactView
from worker.store.operating import Acted
from worker.vendors.contract import id_shape

if TYPE_CHECKING:
    from sqlalchemy import Connection


class MaybeReason(Body):
    """An action that may say why."""

    reason: str | None = Field(default=None, max_length=1_000, description=ABOUT_REASONS)


def list_contacts(connection: Connection, asked: Asked) -> Page[ContactView]:
    """A page of contacts."""
    return listing_contacts.page(
        connection,
        asked.paging,
        query=asked.query.get("query"),
        state=asked.query.get("state"),
        names_of_persons=not asked.masked,
    )


def show_contact(connection: Connection, asked: Asked) -> ContactDetail:
    """One contact."""
    found = listing_contacts.one(connection, asked.path["source_id"], asked.now)
    agreed = agreements.of_contact(connection, found.source_id)
    return replace(found, differences=differing.of_contact(asked.parts.settings, agreed))


def sync_contact(connection: Connection, asked: Asked) -> Acted:
    """Fetch and deliver now."""
    return operating.sync(connection, asked.path["source_id"], asked.actor, asked.now, asked.body(MaybeReason).reason)


class Place(Body):
    """Where, and why."""

    system: str = Field(max_length=40)
    reason: str = Field(min_length=1, max_length=1_000, description=ABOUT_REASONS)


class RecordPlace(Place):
    """Which record there."""

    external_id: str = Field(max_length=100)


async def find_record(parts: Parts, _path: Mapping[str, str], given: RecordPlace) -> None:
    """The record that is named must be there."""
    system = operating_links.target(parts.settings, given.system)
    await parts.lookup.record(system, operating_links.checked(system, given.external_id, id_shape(system)))


def exclude_contact(connection: Connection, asked: Asked) -> Acted:
    """Left out of one system."""
    given = asked.body(Place)
    return operating_links.exclude(
        connection, asked.path["source_id"], _target(asked, given), asked.actor, asked.now, given.reason
    )


def include_contact(connection: Connection, asked: Asked) -> Acted:
    """Taken in again."""
    given = asked.body(Place)
    return operating_links.include(
        connection, asked.path["source_id"], _target(asked, given), asked.actor, asked.now, given.reason
    )


def link_contact(connection: Connection, asked: Asked) -> Acted:
    """Which record it is."""
    given = asked.body(RecordPlace)
    system = _target(asked, given)
    return operating_links.link(
        connection,
        asked.path["source_id"],
        system,
        given.external_id,
        asked.actor,
        asked.now,
        given.reason,
        shape=id_shape(system),
    )


def unlink_contact(connection: Connection, asked: Asked) -> Acted:
    """The link taken back."""
    given = asked.body(Place)
    return operating_links.unlink(
        connection, asked.path["source_id"], _target(asked, given), asked.actor, asked.now, given.reason
    )


def _target(asked: Asked, given: Place) -> str:
    """The system; Unfit where contacts do not go."""
    return operating_links.target(asked.parts.settings, given.system)


CALLS = (
    Call(
        "GET",
        "/contacts",
        "viewer",
        "Contacts, searched by id, name, e-mail, phone or VAT number.",
        list_contacts,
        Page[ContactView],
        parameters=(
            Parameter(
                "query",
                "an id at Robaws or of a record in any system, beginnings of words of the name with or without accents,"
                " or an e-mail, phone or VAT number in any writing; viewers find nothing by the last three",
            ),
            Parameter(
                "state", "contacts with a link in this state, or in this state themselves", listing_contacts.STATES
            ),
            *PAGING,
        ),
    ),
    Call(
        "GET",
        "/contacts/{source_id}",
        "viewer",
        "One contact with its links, its fields and its history, newest first.",
        show_contact,
        ContactDetail,
        refusals=(404,),
    ),
    Call(
        "POST",
        "/contacts/{source_id}/sync",
        "operator",
        "Fetch it and deliver it again now, also one that is not known here yet; 404 for what can be no client's id.",
        sync_contact,
        Outcome,
        body=MaybeReason,
        status=202,
        refusals=(404,),
    ),
    Call(
        "POST",
        "/contacts/{source_id}/exclude",
        "operator",
        "Leave it out of one system; its record there stays as it is.",
        exclude_contact,
        Outcome,
        body=Place,
        refusals=(404, 409),
    ),
    Call(
        "POST",
        "/contacts/{source_id}/include",
        "operator",
        "Take it into one system again that it was left out of.",
        include_contact,
        Outcome,
        body=Place,
        refusals=(404, 409),
    ),
    Call(
        "POST",
        "/contacts/{source_id}/link",
        "operator",
        "Say which record it is in one system; the record of a client that is gone or left out is taken over.",
        link_contact,
        Outcome,
        body=RecordPlace,
        refusals=(404, 409),
        before=find_record,
    ),
    Call(
        "POST",
        "/contacts/{source_id}/unlink",
        "operator",
        "Take the link to a record back; it is left out there until it is linked or included.",
        unlink_contact,
        Outcome,
        body=Place,
        refusals=(404, 409),
    ),
)
