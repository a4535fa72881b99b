"""Contacts for people: searched, listed, and one with its links, its fields and its whole way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from worker.core.identity import WHOLE_NUMBER
from worker.core.masks import ClientFields, ClientName, FieldName, Id, Word
from worker.store import held, reviews
from worker.store.clock import database_time
from worker.store.held import Held
from worker.store.listing import COUNT_CAP, Page, Paging, matches, plain, words
from worker.store.listing_history import DifferenceView, HistoryEntry, history
from worker.store.refusals import NotFound, Unfit, one_of
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
    `reviews` the ids of the questions that are open about it. `waits_for_system`: it is due, and goes out when its
    system is no longer held back; state, reason and message are then those of the retry queue.
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
    waits_for_system: bool


@dataclass(frozen=True)
class FetchView:
    """The fetch that a contact is owed, if any. `waits_for_system` as in a link."""

    id: Id
    state: Word
    attempts: int
    next_attempt_at: datetime | None
    since: datetime | None
    reason: Word | None
    message: str | None
    waits_for_system: bool


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
    now: datetime | None = None,
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
    behind = held.held(connection, now or database_time(connection))
    conditions, values = _conditions(connection, query, state, behind, names_of_persons=names_of_persons)
    total = _count(connection, conditions, values)
    # What a word finds may be one row or nearly all, and the planner cannot tell. Few are best found by the index and
    # sorted; of many, the next fifty are best met by going through them in order.
    order = "c.id + 0" if query and total <= COUNT_CAP else "c.id"
    rows = connection.execute(
        text(f"SELECT {_COLUMNS} FROM contact AS c WHERE c.id > :after {conditions} ORDER BY {order} LIMIT :limit"),
        {**values, "after": after[0] if after else 0, "limit": paging.limit + 1},
    ).all()
    links = _links(connection, [row.id for row in rows[: paging.limit]], behind)
    found = [_view(row, links.get(row.id, []), behind) for row in rows]
    return paging.page(found, [[row.id] for row in rows], total, capped=bool(conditions))


def one(connection: Connection, source_id: str, now: datetime | None = None) -> ContactDetail:
    """One contact, by the id that it has at the source; NotFound where none was ever heard of."""
    found = contact_id(connection, source_id)
    row = connection.execute(text(f"SELECT {_COLUMNS} FROM contact AS c WHERE c.id = :id"), {"id": found}).one()
    behind = held.held(connection, now or database_time(connection))
    links = _links(connection, [row.id], behind).get(row.id, [])
    view = _view(row, links, behind)
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
    connection: Connection, query: str | None, state: str | None, behind: Sequence[Held], *, names_of_persons: bool
) -> tuple[str, dict[str, Any]]:
    conditions = ""
    values: dict[str, Any] = {}
    if query:
        conditions += f" AND {matches(names_of_persons=names_of_persons)}"
        values |= words(connection, query, names_of_persons=names_of_persons)
    if state:
        one_of("state", state, STATES)
        if state == "fetch_due":
            conditions += " AND c.fetch_state IN ('due', 'working', 'waiting')"
        elif state == "fetch_dead":
            conditions += " AND c.fetch_state = 'dead'"
        elif state == "gone":
            conditions += " AND c.gone_at IS NOT NULL"
        else:
            # Written out for the planner: the partial indexes on the rarer states are usable only for a constant.
            waits = " OR ".join(f"({one.links(place)})" for place, one in enumerate(behind))
            found = f"SELECT contact_id FROM link WHERE state = '{state}'"
            if waits and state == "waiting":
                found += f" UNION ALL SELECT l.contact_id FROM link AS l WHERE {waits}"
            elif waits and state == "due":
                found = f"SELECT l.contact_id FROM link AS l WHERE l.state = 'due' AND NOT ({waits})"
            for place, one in enumerate(behind):
                values |= one.values(place)
            conditions += f" AND c.id IN ({found})"
    return conditions, values


def _count(connection: Connection, conditions: str, values: dict[str, Any]) -> int:
    """How many: all of them from the tally, those that a condition leaves up to one more than the cap."""
    if not conditions:
        all_of_them = text("SELECT COALESCE(sum(rows), 0) FROM row_tally WHERE counted = 'contact'")
        return int(connection.execute(all_of_them).scalar_one())
    some = text(f"SELECT count(*) FROM (SELECT FROM contact AS c WHERE true {conditions} LIMIT :most) AS t")
    return int(connection.execute(some, {**values, "most": COUNT_CAP + 1}).scalar_one())


def _links(connection: Connection, contact_ids: list[int], behind: Sequence[Held]) -> dict[int, list[LinkView]]:
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
        waits = held.behind(behind, row.system, row.state, row.external_id)
        also = row.state in ("waiting", "unknown") and row.system in held.names_of(behind)
        found.setdefault(values.pop("contact_id"), []).append(LinkView(**values | _shown(waits, also=also)))
    return found


def _shown(waits: Held | None, *, also: bool) -> dict[str, Any]:
    """What is shown in place of a due row's own state, where it waits behind its system; `also`: it waits there too."""
    if waits is None:
        return {"waits_for_system": also}
    return {
        "state": "waiting",
        "reason": waits.reason,
        "message": waits.message,
        "next_attempt_at": waits.until,
        "waits_for_system": True,
    }


def _view(row: Row[Any], links: list[LinkView], behind: Sequence[Held]) -> ContactView:
    values = {
        "id": f"fetch-{row.id}",
        "state": row.fetch_state,
        "attempts": row.fetch_attempts,
        "next_attempt_at": row.fetch_next_attempt_at,
        "since": row.fetch_since,
        "reason": row.fetch_reason,
        "message": row.fetch_message,
    }
    waits = held.behind(behind, SOURCE, row.fetch_state, None)
    also = row.fetch_state == "waiting" and SOURCE in held.names_of(behind)
    fetch = FetchView(**values | _shown(None if waits is not None and waits.creates_only else waits, also=also))
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
