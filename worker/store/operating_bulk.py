"""
Bulk actions: many retries or discards as one object in the background, with a result for each item.

The items are fixed when it is made, so that what is done is what was counted. Each slice of them is one transaction
together with its results: a process that ends in between loses nothing and repeats nothing, and whoever comes next
goes on. Two workers never hold the same one, as its row is locked while a slice is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from sqlalchemy import Connection, Row, text

from worker.config import SYSTEM_NAMES
from worker.core.masks import MASK, Id, Shown, Vocabulary, Word
from worker.core.what_to_do import WORDS
from worker.errors import SyncError
from worker.store.listing import number, reason_given
from worker.store.listing_retries import STATES, RetryFilter, ids
from worker.store.operating import Actor, Owed, discard_item, lock_items, required, retry_item
from worker.store.refusals import Conflict, Forbidden, NotFound, Unfit

SLICE: Final = 200
Action = Literal["retry", "discard"]

_MAKE: Final = text(
    """
    INSERT INTO operator_action (at, actor, role, action, target, filter, reason, state, total, items)
    VALUES (:now, :actor, :role, :action, 'bulk', CAST(:filter AS jsonb), :reason, 'pending', :total,
        CAST(:items AS jsonb))
    RETURNING id
    """
)

_NEXT: Final = text(
    """
    SELECT id, actor, role, action, reason, done, total,
        (SELECT jsonb_agg(item ORDER BY place) FROM jsonb_array_elements_text(items) WITH ORDINALITY AS t(item, place)
            WHERE place > done AND place <= done + :slice) AS slice
    FROM operator_action WHERE state IN ('pending', 'running') AND target = 'bulk'
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)

_DONE: Final = text(
    """
    UPDATE operator_action SET done = :done, results = results || CAST(:results AS jsonb), state = :state,
        finished_at = CASE WHEN :state = 'done' THEN CAST(:now AS timestamptz) END
    WHERE id = :id
    """
)


@dataclass(frozen=True)
class BulkResult:
    """What became of one item: `retried`, `discarded`, or `skipped` with the reason, where it did not wait any more."""

    id: Id
    outcome: Word
    message: str


def _filter(given: Mapping[str, Any], _view: Mapping[str, Any], _vocabulary: Vocabulary) -> dict[str, Any]:
    """What a viewer sees of a filter: not what a person typed."""
    words = (*STATES, *SYSTEM_NAMES, *WORDS)
    names = [one.name for one in fields(RetryFilter) if one.name in given]
    return {name: given[name] if given[name] in words else MASK for name in names}


@dataclass(frozen=True)
class Bulk:
    """A bulk action. `state`: `pending`, `running`, `done`; `done` of `total` items have their result."""

    id: Id
    state: Word
    action: Word
    filter: Annotated[dict[str, Any], Shown(_filter, whole=True)]
    reason: str | None
    actor: str
    total: int
    done: int
    at: datetime
    finished_at: datetime | None
    results: list[BulkResult]


def make(
    connection: Connection,
    action: str,
    wanted: RetryFilter,
    actor: Actor,
    now: datetime,
    *,
    reason: str | None,
    approval_above: int,
    expect: int | None = None,
) -> Bulk:
    """
    Write a bulk action down, to be worked off by `work`. An empty filter is refused: everything must be asked for.

    `expect` is the count that was shown to the person; Conflict when it is another one by now. A discard wants a
    reason, and more items than `approval_above` an admin (Forbidden).
    """
    if action not in ("retry", "discard"):
        raise Unfit("action is `retry` or `discard`")
    if wanted.empty:
        raise Unfit("the filter is empty: say which ones, by state, system, reason or query")
    why = required(reason) if action == "discard" else reason_given(reason)
    items = ids(connection, wanted, now)
    if expect is not None and len(items) != expect:
        raise Conflict(f"the filter finds {len(items)} by now, not {expect}: look again before you go on")
    if len(items) > approval_above and not actor.is_admin:
        raise Forbidden(
            f"the filter finds {len(items)}, and more than {approval_above} (ops.approval_above) want an admin: "
            "ask one, or narrow the filter"
        )
    row_id = connection.execute(
        _MAKE,
        {
            "now": now,
            "actor": actor.name,
            "role": actor.role,
            "action": action,
            "filter": orjson.dumps(wanted.to_json()).decode(),
            "reason": why,
            "total": len(items),
            "items": orjson.dumps(items).decode(),
        },
    ).scalar_one()
    return one(connection, str(row_id))


def one(connection: Connection, bulk_id: str) -> Bulk:
    """One bulk action with the results so far."""
    statement = text(
        "SELECT id, state, action, filter, reason, actor, total, done, at, finished_at, results FROM operator_action"
        " WHERE id = :id AND target = 'bulk'"
    )
    row = connection.execute(statement, {"id": number(bulk_id, "bulk action")}).one_or_none()
    if row is None:
        raise NotFound(f"there is no bulk action {bulk_id}")
    values = dict(row._mapping)
    values |= {"id": str(row.id), "filter": row.filter or {}, "results": [BulkResult(**one) for one in row.results]}
    return Bulk(**values)


def pending(connection: Connection) -> bool:
    """Whether a bulk action waits or is under way."""
    statement = text(
        "SELECT EXISTS (SELECT FROM operator_action WHERE state IN ('pending', 'running') AND target = 'bulk')"
    )
    return bool(connection.execute(statement).scalar_one())


def work(connection: Connection, now: datetime) -> Owed | None:
    """
    Do the next slice of the oldest bulk action, in the caller's transaction; None where there is none to be had.

    Returns what is due now, for nudges. To be called again until it returns None.
    """
    row = connection.execute(_NEXT, {"slice": SLICE}).one_or_none()
    if row is None:
        return None
    results, owed = _slice(connection, row, now)
    done = row.done + len(results)
    connection.execute(
        _DONE,
        {
            "id": row.id,
            "done": done,
            "results": orjson.dumps([vars(result) for result in results]).decode(),
            "state": "done" if done >= row.total else "running",
            "now": now,
        },
    )
    return owed


def _slice(connection: Connection, row: Row[Any], now: datetime) -> tuple[list[BulkResult], Owed]:
    actor = Actor(row.actor, row.role)
    results: list[BulkResult] = []
    contacts: list[int] = []
    links: list[tuple[int, str]] = []
    lock_items(connection, row.slice or ())
    for item in row.slice or ():
        try:
            if row.action == "retry":
                acted = retry_item(connection, item, now)
            else:
                acted = discard_item(connection, item, actor, now, row.reason or "")
        except SyncError as error:
            results.append(BulkResult(item, "skipped", error.message))
            continue
        results.append(BulkResult(item, acted.outcome, acted.message))
        contacts += acted.owed.contacts
        links += acted.owed.links
    return results, Owed(tuple(contacts), tuple(links))
