"""
The retry queue as parts of statements: links and fetches that wait, gave up, do not know their outcome, or are in
review.

What is due at a system that is held back waits as well, though its rows do not say so (`worker.store.held`): such a
line has the state `waiting`, and the reason for which the system is held.

Each line has a fingerprint, the same for failures of the same cause. The one that is stored with a failure covers
system, operation, status, field and the message without its values. A line without one, such as a question, is of one
cause with those of the same system, reason and field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from worker.config import SYSTEM_NAMES
from worker.core import what_to_do
from worker.core.fingerprint import fingerprint
from worker.store.clock import database_time
from worker.store.held import Held, held, names_of
from worker.store.listing import matches, plain, words
from worker.store.refusals import one_of

STATES: Final = ("dead", "unknown", "waiting", "review")
"""In the order in which they are listed: what needs a person most comes first; questions have a list of their own."""
FETCH_STATES: Final = ("dead", "waiting")
SOURCE: Final = "robaws"

_FIELD: Final = "(SELECT min(name) FROM jsonb_object_keys({}) AS name)"
_NO_FINGERPRINT: Final = "left(md5(concat_ws('/', {})), 16)"

_LINK_FIELD: Final = (
    f"CASE WHEN l.fields IS NOT NULL THEN {_FIELD.format('l.fields')}"
    f" WHEN l.state = 'review' THEN {_FIELD.format('l.parked')} END"
)
_LINK_FINGERPRINT: Final = f"COALESCE(l.fingerprint, {_NO_FINGERPRINT.format(f'l.system, l.reason, {_LINK_FIELD}')})"
_FETCH_FINGERPRINT: Final = "COALESCE(c.fetch_fingerprint, " + _NO_FINGERPRINT.format("'robaws', c.fetch_reason") + ")"

_FETCH_HELD: Final = "(c.fetch_state = 'waiting' AND 'robaws' = ANY(CAST(:held_systems AS text[]))) AS held"
FETCH_COLUMNS: Final = f"""
    0 AS kind, c.id, c.id AS contact_id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, 'robaws' AS system,
    c.fetch_state AS state, c.fetch_reason AS reason, c.fetch_message AS message, c.fetch_attempts AS attempts,
    c.fetch_since AS since, c.fetch_next_attempt_at AS next_attempt_at, 'fetch' AS operation,
    NULL::bigint AS status, NULL::jsonb AS fields, NULL AS field, {_FETCH_FINGERPRINT} AS fingerprint,
    {_FETCH_HELD}, NULL AS external_id
"""
_LINK_HELD: Final = "(l.state IN ('waiting', 'unknown') AND l.system = ANY(CAST(:held_systems AS text[])))"
LINK_COLUMNS: Final = f"""
    1 AS kind, l.id, l.contact_id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, l.system, l.state,
    l.reason, l.message, l.attempts, l.since, l.next_attempt_at, l.operation, l.status, l.fields,
    {_LINK_FIELD} AS field, {_LINK_FINGERPRINT} AS fingerprint, {_LINK_HELD} AS held, l.external_id
"""
LINKS: Final = "link AS l JOIN contact AS c ON c.id = l.contact_id"

_HELD: Final = """'waiting' AS state, CAST(:held_reason_{place} AS text) AS reason,
        CAST(:held_message_{place} AS text) AS message"""
_HELD_UNTIL: Final = "CAST(:held_until_{place} AS timestamptz) AS next_attempt_at"
_HELD_FINGERPRINT: Final = "CAST(:held_fingerprint_{place} AS text) AS fingerprint, true AS held"

# Found first and ordered then (OFFSET 0 keeps the two apart), so that the cost follows what is due there.
_HELD_FETCHES: Final = f"""
    SELECT 0 AS kind, c.id, c.id AS contact_id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind,
        'robaws' AS system, {_HELD}, c.fetch_attempts AS attempts, c.fetch_since AS since, {_HELD_UNTIL},
        'fetch' AS operation, NULL::bigint AS status, NULL::jsonb AS fields, NULL AS field, {_HELD_FINGERPRINT},
        NULL AS external_id
    FROM (SELECT id FROM ({{found}} OFFSET 0) AS f {{some}}) AS due JOIN contact AS c USING (id)
"""
_HELD_LINKS: Final = f"""
    SELECT 1 AS kind, l.id, l.contact_id, c.source_id, c.name, c.canonical ->> 'kind' AS client_kind, l.system,
        {_HELD}, l.attempts, l.since, {_HELD_UNTIL}, l.operation, l.status, l.fields, NULL AS field,
        {_HELD_FINGERPRINT}, l.external_id
    FROM (SELECT id FROM ({{found}} OFFSET 0) AS f {{some}}) AS due JOIN link AS l USING (id)
    JOIN contact AS c ON c.id = l.contact_id
"""


@dataclass(frozen=True)
class RetryFilter:
    """Which lines; every part that is given must hold. `query` is as in the list of contacts."""

    state: str | None = None
    system: str | None = None
    reason: str | None = None
    query: str | None = None
    fingerprint: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for, which stands for everything; blanks ask for nothing."""
        return not any((given or "").strip() for given in vars(self).values())

    def to_json(self) -> dict[str, str]:
        """What was given."""
        return {name: value for name, value in vars(self).items() if value}


CAUSE: Final = """
    system, contact_id, since, next_attempt_at, state, reason, message, fingerprint, held, operation, status, field
"""
_LINK_KEYS: Final = "l.system, l.contact_id, l.since, l.next_attempt_at"
_FETCH_KEYS: Final = (
    "'robaws' AS system, c.id AS contact_id, c.fetch_since AS since, c.fetch_next_attempt_at AS next_attempt_at"
)


@dataclass(frozen=True)
class Part:
    """
    One part of the queue: rows of one kind (0: fetches, 1: links), in one state, from `source` under `where`.

    `held` is the place of the system that holds them back; None where the rows say themselves why they wait.
    """

    kind: int
    state: str
    source: str
    where: str
    held: int | None = None

    def ordered(self, position: str, limit: str) -> str:
        """Its rows after a position, the oldest first; `position` uses the alias `l` or `c`."""
        alias, since = ("l", "l.since") if self.kind else ("c", "c.fetch_since")
        order = f"ORDER BY {since} NULLS FIRST, {alias}.id {limit}"
        if self.held is None:
            source, columns = (LINKS, LINK_COLUMNS) if self.kind else (self.source, FETCH_COLUMNS)
            return f"SELECT {columns} FROM {source} WHERE {self.where} {position} {order}"
        template = _HELD_LINKS if self.kind else _HELD_FETCHES
        found = f"SELECT {alias}.id, {since} AS since FROM {self.source} WHERE {self.where} {position}"
        return template.format(place=self.held, found=found, some=f"ORDER BY f.since NULLS FIRST, f.id {limit}")

    def causes(self) -> str:
        """All its rows, with what tells their cause and no more."""
        if self.held is not None:
            said = f"{_HELD}, {_HELD_FINGERPRINT}, NULL AS operation, NULL::bigint AS status, NULL AS field"
            said = said.format(place=self.held)
        elif self.kind:
            said = (
                f"l.state, l.reason, l.message, {_LINK_FINGERPRINT} AS fingerprint, {_LINK_HELD} AS held, l.operation,"
            )
            said += f" l.status, {_LINK_FIELD} AS field"
        else:
            said = f"c.fetch_state AS state, c.fetch_reason AS reason, c.fetch_message AS message, {_FETCH_HELD},"
            said += f" {_FETCH_FINGERPRINT} AS fingerprint, 'fetch' AS operation, NULL::bigint AS status, NULL AS field"
        keys = _LINK_KEYS if self.kind else _FETCH_KEYS
        return f"SELECT {CAUSE} FROM (SELECT {keys}, {said} FROM {self.source} WHERE {self.where}) AS t"

    def ids(self) -> str:
        """Rank, time, kind and id of all its rows."""
        alias, since = ("l", "l.since") if self.kind else ("c", "c.fetch_since")
        columns = f"{STATES.index(self.state)} AS rank, {since} AS since, {self.kind} AS kind, {alias}.id"
        return f"SELECT {columns} FROM {self.source} WHERE {self.where}"

    def count(self) -> str:
        """How many."""
        return f"(SELECT count(*) FROM {self.source} WHERE {self.where})"


@dataclass(frozen=True)
class Parts:
    """What a filter finds: parts in the order of the list, and the values of their conditions."""

    parts: tuple[Part, ...]
    values: dict[str, Any]


def parts(
    connection: Connection,
    wanted: RetryFilter,
    now: datetime | None,
    *,
    names_of_persons: bool = True,
    questions: bool = True,
) -> Parts:
    """
    The parts of the queue that a filter asks for.

    Without `names_of_persons` only organisations are found by their name, and nothing by what a message says. Without
    `questions` what is in review is left out, unless it is asked for by its state.
    """
    given = {name: plain(value, name) for name, value in vars(wanted).items()}
    if given["state"]:
        one_of("state", given["state"], STATES)
    if given["system"]:
        one_of("system", given["system"], SYSTEM_NAMES)
    if given["reason"]:
        _known_reason(connection, given["reason"])
    behind = held(connection, now or database_time(connection))
    values: dict[str, Any] = {name: value for name, value in given.items() if value and name != "query"}
    values["held_systems"] = names_of(behind)
    by_contact, by_line = "", ""
    if given["query"]:
        values |= words(connection, given["query"], names_of_persons=names_of_persons)
        values["said"] = f"%{_literal(given['query'])}%"
        by_contact = f" AND {matches(names_of_persons=names_of_persons)}"
        by_line = f" AND l.id IN ({_BY_MESSAGE.format(matches=matches())})" if names_of_persons else by_contact
    fetches, links = _conditions(given)
    found: list[Part] = []
    for state in [given["state"]] if given["state"] else STATES if questions else STATES[:-1]:
        if state in FETCH_STATES and given["system"] in (None, SOURCE):
            found.append(Part(0, state, "contact AS c", f"c.fetch_state = '{state}'{fetches}{by_contact}"))
        source = LINKS if by_line and by_line == by_contact else "link AS l"
        found.append(Part(1, state, source, f"l.state = '{state}'{links}{by_line}"))
        if state == "waiting":
            for place, one in enumerate(_asked_for(behind, given)):
                values |= one.values(place) | {f"held_fingerprint_{place}": cause(one)}
                found += _held_parts(one, place, by_contact)
    return Parts(tuple(found), values)


def _held_parts(one: Held, place: int, by_contact: str) -> list[Part]:
    """What waits behind one system: for the source fetches, and links that write back to it."""
    links = Part(1, "waiting", LINKS if by_contact else "link AS l", f"{one.links(place)}{by_contact}", place)
    if one.system != SOURCE or one.creates_only:
        return [links]
    return [Part(0, "waiting", "contact AS c", f"c.fetch_state = 'due'{by_contact}", place), links]


def cause(one: Held) -> str:
    """The fingerprint of what waits behind a system."""
    return one.fingerprint or fingerprint(one.system, "held", None, one.reason, None)


_BY_MESSAGE: Final = """
    SELECT l.id FROM link AS l JOIN contact AS c ON c.id = l.contact_id
        WHERE l.state IN ('waiting', 'unknown', 'review', 'dead') AND {matches}
    UNION ALL SELECT id FROM link
        WHERE state IN ('waiting', 'unknown', 'review', 'dead') AND message ILIKE :said
"""


def _conditions(given: dict[str, str | None]) -> tuple[str, str]:
    """Further conditions on fetches and on links."""
    fetches, links = "", ""
    if given["system"]:
        links += " AND l.system = :system"
    if given["reason"]:
        fetches += " AND c.fetch_reason = :reason"
        links += " AND l.reason = :reason"
    if given["fingerprint"]:
        fetches += f" AND {_FETCH_FINGERPRINT} = :fingerprint"
        links += f" AND {_LINK_FINGERPRINT} = :fingerprint"
    return fetches, links


def _asked_for(behind: Sequence[Held], given: dict[str, str | None]) -> list[Held]:
    """The systems that are held back, as far as what waits behind them is asked for."""
    return [
        one
        for one in behind
        if given["system"] in (None, one.system)
        and given["reason"] in (None, one.reason)
        and given["fingerprint"] in (None, cause(one))
    ]


def _known_reason(connection: Connection, reason: str) -> None:
    """Unfit for a word that is no reason: a slip must not look like an empty queue. Vendors have words of their own."""
    if reason in what_to_do.WORDS:
        return
    statement = text(
        "SELECT EXISTS (SELECT FROM link WHERE state IN ('waiting', 'unknown', 'review', 'dead') AND reason = :reason)"
        " OR EXISTS (SELECT FROM contact WHERE fetch_state = 'waiting' AND fetch_reason = :reason)"
        " OR EXISTS (SELECT FROM contact WHERE fetch_state = 'dead' AND fetch_reason = :reason)"
    )
    if not connection.execute(statement, {"reason": reason}).scalar_one():
        one_of("reason", reason, what_to_do.WORDS)


def _literal(text_: str) -> str:
    """A text as it is, in a pattern of LIKE."""
    return text_.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
