"""The retry queue by cause: how many lines fail for the same reason, since when, and what to do about all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from sqlalchemy import Connection, Row, text

from worker.core.masks import BY_WORD, FieldName, Id, Word
from worker.core.what_to_do import what_to_do
from worker.store.listing import Page, Paging
from worker.store.listing_retries import OurSentence
from worker.store.refusals import Unfit
from worker.store.retry_queue import STATES, RetryFilter, parts

_COUNTED: Final = ", ".join(f"count(*) FILTER (WHERE state = '{state}') AS {state}" for state in STATES)
_SUMMED: Final = ", ".join(f"CAST(sum({state}) AS bigint) AS {state}" for state in STATES)
# One value for a cause; byte order is enough, and does not compare by the rules of a language.
_SAME: Final = (
    ", ".join(f"max({name}) AS {name}" for name in ("system", "status"))
    + ", "
    + ", ".join(f'max({name} COLLATE "C") AS {name}' for name in ("operation", "reason", "message", "field"))
)

_BY_CLIENT: Final = f"""
    SELECT fingerprint, contact_id, count(*) AS lines, min(since) AS first_seen, max(since) AS last_seen,
        min(next_attempt_at) AS next_attempt_at, bool_and(held) AS held, {_COUNTED}, {_SAME}
    FROM ({{lines}}) AS t GROUP BY fingerprint, contact_id
"""
_GROUPS: Final = f"""
    SELECT fingerprint, CAST(sum(lines) AS bigint) AS lines, count(*) AS contacts, min(first_seen) AS first_seen,
        max(last_seen) AS last_seen, min(next_attempt_at) AS next_attempt_at, bool_and(held) AS held, {_SUMMED}, {_SAME}
    FROM ({_BY_CLIENT}) AS t GROUP BY fingerprint
"""


@dataclass(frozen=True)
class RetryGroup:
    """
    The lines of one cause. `message` is that of one of them, in the vendor's words; `field` is the vendor's.

    `count` lines of `contacts` clients, and how many of them in each of the `states`. `first_seen` and `last_seen` are
    when the oldest and the newest of them was first owed. `waits_for_system`: all go out when their system is back.
    """

    fingerprint: Id
    system: Word
    operation: Word | None
    status: int | None
    reason: Word | None
    message: str | None
    field: FieldName | None
    count: int
    contacts: int
    states: Annotated[dict[str, int], BY_WORD]
    first_seen: datetime | None
    last_seen: datetime | None
    next_attempt_at: datetime | None
    waits_for_system: bool
    what_to_do: OurSentence

    @property
    def state(self) -> str:
        """The state that needs a person most."""
        return next((state for state in STATES if self.states[state]), "waiting")


def page(
    connection: Connection,
    wanted: RetryFilter,
    paging: Paging,
    now: datetime | None = None,
    *,
    names_of_persons: bool = True,
    questions: bool = True,
) -> Page[RetryGroup]:
    """The causes, the largest first. There are few of them, whatever the length of the queue."""
    after = paging.after(2)
    if after is not None and not (type(after[0]) is int and isinstance(after[1], str)):
        raise Unfit("cursor is none that was given out here")
    asked = parts(connection, wanted, now, names_of_persons=names_of_persons, questions=questions)
    statement = text(_GROUPS.format(lines=" UNION ALL ".join(part.causes() for part in asked.parts)))
    groups = connection.execute(statement, asked.values).all() if asked.parts else []
    ordered = sorted(groups, key=lambda row: (-row.lines, row.fingerprint))
    rest = [row for row in ordered if after is None or (-row.lines, row.fingerprint) > (-after[0], after[1])]
    keys = [[int(row.lines), row.fingerprint] for row in rest]
    return paging.page([_group(row) for row in rest], keys, len(ordered))


def _group(row: Row[Any]) -> RetryGroup:
    states = {state: int(getattr(row, state)) for state in STATES}
    state = next(state for state, lines in states.items() if lines)
    return RetryGroup(
        row.fingerprint,
        row.system,
        row.operation,
        row.status,
        row.reason,
        row.message,
        row.field,
        int(row.lines),
        row.contacts,
        states,
        row.first_seen,
        row.last_seen,
        row.next_attempt_at,
        row.held,
        str(what_to_do(row.reason, state)),
    )
