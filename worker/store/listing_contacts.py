"""Contacts for people: searched, listed, and one with its links, its fields and its whole way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.core.identity import WHOLE_NUMBER
from worker.core.masks import ClientFields, ClientName, FieldName, Id, Word
from worker.store import reviews
from worker.store.listing import COUNT_CAP, Page, Paging, matches, plain, words
from worker.store.listing_history import DifferenceView, HistoryEntry, history
from worker.store.refusals import NotFound, Unfit
from worker.store.states import LINK_STATES

SOURCE: Final = "robaws"
STATES: Final = (*LINK_STATES, "fetch_due", "fetch_dead", "gone")

_COLUMNS: Final = """
    c.id, c.source_id, c.name, c.version, c.fetched_at, c.changed_at, c.gone_at, c.taking_part, c.fetch_state,
    c.fetch_attempts, c.fetch_next_attempt_at, c.fetch_since, c.fetch_reason, c.fetch_message, c.canonical
"""


@dataclass(frozen=True)
class LinkView:
    """
    One contact in one system. `unheld` are fields that the system has no place for, `parked` those in review, and
    `reviews` the ids of the questions that are open about it.
    """

    id: Id
    system: Word
    external_id: Id | None
    state: Word
    wanted_version: int
    synced_version: int
    attempts: int
    next_attempt_at: datetime | None
    reason: Word | None
    message: str | None
    since: datetime | None
    synced_at: datetime | None
    unheld: list[FieldName]
    parked: list[FieldName]
    reviews: list[Id]


@dataclass(frozen=True)
class FetchView:
    """The fetch that a contact is owed, if any."""

    id: Id
    state: Word
    attempts: int
    next_attempt_at: datetime | None
    since: datetime | None
    reason: Word | None
    message: str | None


@dataclass(frozen=True)
class ContactView:
    """
    One contact with its links. `version` is 0 until it was fetched; `gone_at` when the source no longer had it.

    `kind` is `organisation` or `person`, None where it was never fetched.
    """

    source_id: Id
    name: ClientName | None
    kind: Word | None
    version: int
    fetched_at: datetime | None
    changed_at: datetime | None
    gone_at: datetime | None
    taking_part: bool
    fetch: FetchView
    links: list[LinkView]


@dataclass(frozen=True)
class ContactDetail(ContactView):
    """
    One contact with its canonical fields and its history, newest first (the newest hundred of each kind).

    `differences` are those between what a system should hold and what it held when it was last looked at
    (`flows.differing`).
    """

    fields: ClientFields | None
    history: list[HistoryEntry]
    differences: list[DifferenceView] = field(default_factory=list)


def page(
    connection: Connection,
    paging: Paging,
    *,
    query: str | None = None,
    state: str | None = None,
    names_of_persons: bool = True,
) -> Page[ContactView]:
    """
    Contacts by an id, the name (beginnings of words), an e-mail, phone or VAT number, in the order in which they became
    known.

    `state`: with a link in that state, or `fetch_due`, `fetch_dead`, `gone`. Without `names_of_persons` only
    organisations are found by their name, and nobody by an e-mail or a number.
    """
    after = paging.after(1)
    if after is not None and type(after[0]) is not int:
        raise Unfit("cursor is none that was given out here")
    query = plain(query, "query")
    conditions, values = _conditions(connection, query, state, names_of_persons=names_of_persons)
    total = _count(connection, conditions, values)
    # What a word finds may be one row or nearly all, and the planner cannot tell. Few are best found by the index and
    # sorted; of many, the next fifty are best met by going through them in order.
    order = "c.id + 0" if query and total <= COUNT_CAP else "c.id"
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM contact AS c WHERE c.id > :after {conditions} ORDER BY {order} LIMIT :limit"),
        {**values, "after": after[0] if after else 0, "limit": paging.limit + 1},
    ).all()
    links = _links(connection, [row.id for row in rows[: paging.limit]])
    found = [_view(row, links.get(row.id, [])) for row in rows]
    return paging.page(found, [[row.id] for row in rows], total, capped=bool(conditions))


def one(connection: Connection, source_id: str) -> ContactDetail:
    """One contact, by the id that it has at the source; NotFound where none was ever heard of."""
    found = contact_id(connection, source_id)
    row = connection.execute(text(f"SELECT {_COLUMNS} FROM contact AS c WHERE c.id = :id"), {"id": found}).one()
    links = _links(connection, [row.id]).get(row.id, [])
    view = _view(row, links)
    systems = {link.id: link.system for link in links}
    entries = history(connection, row.id, row.source_id, systems, SOURCE)
    return ContactDetail(**vars(view), fields=row.canonical, history=entries)


def contact_id(connection: Connection, source_id: str) -> int:
    """The row's id of a contact, by the id that it has at the source; NotFound where none was ever heard of."""
    found: int | None = None
    if source_id.isascii() and source_id.isdigit():
        found = connection.execute(
            text("SELECT id FROM contact WHERE source = :source AND source_id = :id"),
            {"source": SOURCE, "id": source_id},
        ).scalar_one_or_none()
    if found is None:
        how = f": it comes over when it is saved in Robaws, or with contactsync contacts sync {source_id}"
        fits = WHOLE_NUMBER.fits(source_id)
        raise NotFound(f"no client {source_id[:40]!r} is known here{how if fits else ''}")
    return found


def _conditions(
    connection: Connection, query: str | None, state: str | None, *, names_of_persons: bool
) -> tuple[str, dict[str, Any]]:
    conditions = ""
    values: dict[str, Any] = {}
    if query:
        conditions += f" AND {matches(names_of_persons=names_of_persons)}"
        values |= words(connection, query, names_of_persons=names_of_persons)
    if state:
        if state not in STATES:
            raise Unfit(f"state is one of {', '.join(STATES)}")
        if state == "fetch_due":
            conditions += " AND c.fetch_state IN ('due', 'working', 'waiting')"
        elif state == "fetch_dead":
            conditions += " AND c.fetch_state = 'dead'"
        elif state == "gone":
            conditions += " AND c.gone_at IS NOT NULL"
        else:
            # Written out for the planner: the partial indexes on the rarer states are usable only for a constant.
            conditions += f" AND c.id IN (SELECT contact_id FROM link WHERE state = '{state}')"
    return conditions, values


def _count(connection: Connection, conditions: str, values: dict[str, Any]) -> int:
    """How many: all of them from the tally, those that a condition leaves up to one more than the cap."""
    if not conditions:
        all_of_them = text("SELECT COALESCE(sum(rows), 0) FROM row_tally WHERE counted = 'contact'")
        return int(connection.execute(all_of_them).scalar_one())
    some = text(f"SELECT count(*) FROM (SELECT FROM contact AS c WHERE true {conditions} LIMIT :most) AS t")
    return int(connection.execute(some, {**values, "most": COUNT_CAP + 1}).scalar_one())


def _links(connection: Connection, contact_ids: list[int]) -> dict[int, list[LinkView]]:
    statement = text(
        "SELECT contact_id, id, system, external_id, state, wanted_version, synced_version, attempts, next_attempt_at,"
        " reason, message, since, synced_at, unheld, parked FROM link"
        " WHERE contact_id = ANY(CAST(:ids AS bigint[])) ORDER BY contact_id, system"
    )
    found: dict[int, list[LinkView]] = {}
    rows = connection.execute(statement, {"ids": contact_ids}).all()
    asked = reviews.open_of(connection, [row.id for row in rows])
    for row in rows:
        values = dict(row._mapping)
        values |= {"id": f"link-{row.id}", "parked": list(row.parked), "reviews": asked.get(row.id, [])}
        found.setdefault(values.pop("contact_id"), []).append(LinkView(**values))
    return found


def _view(row: Row[Any], links: list[LinkView]) -> ContactView:
    fetch = FetchView(
        f"fetch-{row.id}",
        row.fetch_state,
        row.fetch_attempts,
        row.fetch_next_attempt_at,
        row.fetch_since,
        row.fetch_reason,
        row.fetch_message,
    )
    return ContactView(
        row.source_id,
        row.name,
        (row.canonical or {}).get("kind"),
        row.version,
        row.fetched_at,
        row.changed_at,
        row.gone_at,
        row.taking_part,
        fetch,
        links,
    )
