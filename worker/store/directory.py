"""The directory of a system that cannot be searched: its whole list, kept as rows with their matching keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import Connection, Row, TextClause, text

from worker.core.contact import Json
from worker.core.evidence import keys_alike
from worker.core.matching_keys import Candidate, MatchingKeys, keys_of_contact, keys_of_record

log = structlog.get_logger()

NAME = "directory"

CLOCKS_SECONDS = 60.0
"""Two processes that read the database's clock differ by far less: what lies further ahead was never so."""

MOST_SIMILAR: Final = 200
"""So many records are compared that share but a similar name and a postcode, phone or e-mail with a contact."""

_MOST_NUMBERED: Final = 50
"""So many records are compared that share but an e-mail with a contact, and have a number as it has."""

_KEYS = 4
"""Which keys the rows have: raised where they change, so that a list with others is read anew and not trusted."""

_MOST_REMARKS = 100
"""How many records that could not be read in full are kept by name."""
_COLUMNS: Final = {
    "name": "text",
    "reference": "text",
    "usable": "boolean",
    "why_not": "text",
    "values": "jsonb",
    "emails": "text[]",
    "name_key": "text",
    "vat_key": "text",
    "registration_key": "text",
    "postcode_key": "text",
    "number_keys": "text[]",
    "email_keys": "text[]",
    "phone_keys": "text[]",
}


def _listed(form: str) -> str:
    return ", ".join(form.format(name=f'"{name}"') for name in _COLUMNS)


_UPSERT = text(
    f"""
    INSERT INTO directory_entry AS d (system, external_id, {_listed("{name}")}, seen_at)
    SELECT :system, r.external_id, {
        ", ".join(
            f"ARRAY(SELECT jsonb_array_elements_text(r.{name}))" if kind == "text[]" else f'r."{name}"'
            for name, kind in _COLUMNS.items()
        )
    }, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(external_id text, {
        ", ".join(f'"{name}" {"jsonb" if kind == "text[]" else kind}' for name, kind in _COLUMNS.items())
    })
    ORDER BY r.external_id
    ON CONFLICT (system, external_id) DO UPDATE SET
        {_listed("{name} = excluded.{name}")}, seen_at = excluded.seen_at
    WHERE ({_listed("d.{name}")}) IS DISTINCT FROM ({_listed("excluded.{name}")})
    """
)

# Each has an index of its own.
_STRONG: Final = {
    "reference": "reference = :reference",
    "numbers": "number_keys && CAST(:numbers AS text[])",
    "name": "name_key <> '' AND name_key = :name",
}
_WEAK: Final = {
    "emails": "email_keys && CAST(:emails AS text[])",
    "phones": "phone_keys && CAST(:phones AS text[])",
    "postcodes": "postcode_key <> '' AND postcode_key = ANY(CAST(:postcodes AS text[]))",
}

_READ = text(
    """
    SELECT external_id, name, reference, usable, why_not, "values", emails FROM directory_entry
    WHERE system = :system AND external_id = ANY(:ids)
    """
)


_NUMBER_FIELDS: Final = ("vat_number", "registration_number")


@dataclass(frozen=True)
class Found:
    """The records that a contact may be; `cut` says how many more there were than are compared, empty for none."""

    candidates: list[Candidate]
    cut: str = ""


@dataclass(frozen=True)
class DirectoryAge:
    """When the directory was last read whole (the time the list was asked for), and how long that took."""

    at: datetime | None
    seconds: float
    count: int

    def fresh_enough(self, now: datetime, max_age_seconds: float) -> bool:
        """
        Whether it may serve once more. A list is read again after twenty times as long as it took, so that a small
        tenant's is nearly always fresh and a large one's costs a twentieth of the time; never later than the cap. One
        that was read in the future was read under a clock that was wrong, and does not serve.
        """
        if self.at is None:
            return False
        age = (now - self.at).total_seconds()
        return -CLOCKS_SECONDS <= age <= min(max_age_seconds, max(1.0, 20 * self.seconds))


def age(connection: Connection, system: str) -> DirectoryAge:
    """How old the directory is."""
    statement = text("SELECT at, cursor FROM checkpoint WHERE system = :system AND name = :name")
    row = connection.execute(statement, {"system": system, "name": NAME}).one_or_none()
    if row is None or row.cursor.get("keys") != _KEYS:
        return DirectoryAge(None, 0.0, 0)
    return DirectoryAge(row.at, float(row.cursor.get("seconds", 0)), int(row.cursor.get("count", 0)))


def expire(connection: Connection, system: str) -> None:
    """The directory is too old, whatever its age: the next search reads the whole list."""
    connection.execute(
        text("UPDATE checkpoint SET at = to_timestamp(0) WHERE system = :s AND name = :n"), {"s": system, "n": NAME}
    )


def unreadable(connection: Connection, system: str) -> list[str]:
    """What of the last whole list could not be read, a sentence for each record."""
    statement = text("SELECT cursor->'unreadable' FROM checkpoint WHERE system = :system AND name = :name")
    return list(connection.execute(statement, {"system": system, "name": NAME}).scalar_one_or_none() or ())


def replace(
    connection: Connection,
    system: str,
    candidates: Iterable[Candidate],
    asked_at: datetime,
    seconds: float,
    remarks: Sequence[str] = (),
) -> int:
    """
    Take over a whole list. Records that are missing from it leave the directory, which decides nothing but matching;
    an empty list empties it. Rows that did not change are not written, and their keys not
    made anew. `remarks` say what could not be read.
    """
    listed = {candidate.external_id: candidate for candidate in candidates}
    held = _held(connection, system) if age(connection, system).at is not None else {}
    changed = [_row(one) for external_id, one in listed.items() if held.get(external_id) != one]
    _upsert(connection, system, changed, asked_at)
    future = asked_at + timedelta(seconds=seconds + CLOCKS_SECONDS)
    connection.execute(
        text(
            "DELETE FROM directory_entry WHERE system = :s AND NOT (external_id = ANY(:ids)) "
            "AND (seen_at < :at OR seen_at > :future)"
        ),
        {"s": system, "ids": list(listed), "at": asked_at, "future": future},
    )
    cursor = {"seconds": seconds, "count": len(listed), "keys": _KEYS, "unreadable": list(remarks[:_MOST_REMARKS])}
    connection.execute(
        text(
            "INSERT INTO checkpoint (system, name, cursor, at) VALUES (:s, :n, CAST(:c AS jsonb), :at) "
            "ON CONFLICT (system, name) DO UPDATE SET cursor = excluded.cursor, at = excluded.at "
            "WHERE checkpoint.at <= excluded.at OR checkpoint.at > :future"
        ),
        {"s": system, "n": NAME, "c": orjson.dumps(cursor).decode(), "at": asked_at, "future": future},
    )
    return len(listed)


def _held(connection: Connection, system: str) -> dict[str, Candidate]:
    """What the directory holds now, with keys of this release."""
    # The previous release writes rows without the newer keys.
    statement = text(
        """
        SELECT external_id, name, reference, usable, why_not, "values", emails FROM directory_entry
        WHERE system = :s AND NOT (number_keys = '{}' AND vat_key || registration_key <> '')
            AND NOT (phone_keys = '{}' AND COALESCE("values" ->> 'phone', "values" ->> 'mobile') IS NOT NULL)
        """
    )
    return {row.external_id: _candidate(*row) for row in connection.execute(statement, {"s": system})}


def add(connection: Connection, system: str, candidates: Iterable[Candidate], now: datetime) -> None:
    """Records that we just made or read, so that the next contact sees them before the next whole list."""
    _upsert(connection, system, [_row(candidate) for candidate in candidates], now + timedelta(microseconds=1))


def _upsert(connection: Connection, system: str, rows: list[Json], now: datetime) -> None:
    for start in range(0, len(rows), 2_000):
        page = orjson.dumps(rows[start : start + 2_000]).decode()
        connection.execute(_UPSERT, {"system": system, "rows": page, "now": now})


def find(connection: Connection, system: str, contact: Json, reference: str | None) -> Found:
    """
    Every record that a contact could be by its keys, to be compared again by `matching`.

    All that share a strong key: our reference, a number, the name. By an e-mail, a phone or a postcode only those of
    which `core.evidence` could say more than *apart*, and of the many with a similar name no more than `MOST_SIMILAR`.
    """
    keys = keys_of_contact(contact)
    told = {
        "reference": reference,
        "numbers": sorted(keys.numbers),
        "name": keys.name,
        "emails": sorted(keys.emails),
        "phones": sorted(keys.phones),
        "postcodes": sorted(keys.postcodes),
    }
    values = {name: value for name, value in told.items() if value}
    rows = connection.execute(narrow(frozenset(values)), {**values, "system": system}).all() if values else []
    strong = {row.external_id for row in rows if row.strong}
    similar, shared = _weak({row.external_id: row for row in rows if row.external_id not in strong}, keys)
    cut = ""
    if len(similar) > MOST_SIMILAR:
        similar = _free(connection, system, similar)
    if len(similar) > MOST_SIMILAR:
        cut = f"{len(similar)} records have a similar name and a postcode, phone or e-mail in common"
        cut = f"{cut}: only {MOST_SIMILAR} are compared"
        log.warning("directory.cut", system=system, similar=len(similar), compared=MOST_SIMILAR)
    read = connection.execute(_READ, {"system": system, "ids": [*strong, *similar[:MOST_SIMILAR], *shared]})
    return Found([_candidate(*row) for row in read], cut)


def _candidate(
    external_id: str,
    name: str | None,
    marked: str | None,
    usable: bool,  # a column
    why_not: str,
    values: Json,
    emails: list[str],
) -> Candidate:
    return Candidate(external_id, name, values, tuple(emails), marked, usable, why_not)


def narrow(told: frozenset[str]) -> TextClause:
    """
    The statement that finds the records which share one of these keys, by their keys alone; one may come repeatedly.

    A part for each key: of one with many keys the planner would think that it brings half the table.
    """
    parts = [
        "SELECT external_id, name_key, postcode_key, email_keys, phone_keys, number_keys <> '{}' AS numbered, "
        f"{arms is _STRONG} AS strong "
        f"FROM directory_entry WHERE system = :system AND {arm}"
        for arms in (_STRONG, _WEAK)
        for name, arm in arms.items()
        if name in told
    ]
    return text(" UNION ALL ".join(parts))


def _weak(rows: Mapping[str, Row[Any]], keys: MatchingKeys) -> tuple[list[str], list[str]]:
    """
    Of records without a strong key: those that may be doubtful by name and place, and those with an e-mail alone.

    Of the latter two are as good as all, as an address on several records asks nothing; of those with a number, which
    may be another than the contact's, some more.
    """
    similar: list[str] = []
    shared: list[str] = []
    numbered: list[str] = []
    for external_id, row in rows.items():
        email = not keys.emails.isdisjoint(row.email_keys)
        phone = not keys.phones.isdisjoint(row.phone_keys)
        place = row.postcode_key in keys.postcodes
        if keys_alike(keys.name, row.name_key) or (email and (phone or place or not row.name_key or not keys.name)):
            similar.append(external_id)
        elif email and not (keys.phones and row.phone_keys) and not (keys.postcodes and row.postcode_key):
            (numbered if row.numbered and keys.numbers else shared).append(external_id)
    return sorted(similar), sorted(shared)[:2] + sorted(numbered)[:_MOST_NUMBERED]


def _free(connection: Connection, system: str, external_ids: Sequence[str]) -> list[str]:
    """Those that no contact of ours holds which is there and takes part: of the others a similar name asks nothing."""
    statement = text(
        """
        SELECT l.external_id FROM link AS l JOIN contact AS c ON c.id = l.contact_id
        WHERE l.system = :s AND l.external_id = ANY(:ids) AND l.state <> 'excluded' AND c.gone_at IS NULL
        """
    )
    held = {row.external_id for row in connection.execute(statement, {"s": system, "ids": list(external_ids)})}
    return [external_id for external_id in external_ids if external_id not in held]


def _row(candidate: Candidate) -> Json:
    keys = keys_of_record(candidate)
    # The previous release looks numbers up by these two.
    first = {path: next((one.key for one in keys.company_numbers if one.field == path), "") for path in _NUMBER_FIELDS}
    return {
        "external_id": candidate.external_id,
        "name": candidate.name,
        "reference": candidate.reference or None,
        "usable": candidate.usable,
        "why_not": candidate.why_not,
        "values": dict(candidate.values),
        "emails": list(candidate.emails),
        "name_key": keys.name,
        "vat_key": first["vat_number"],
        "registration_key": first["registration_number"],
        "postcode_key": keys.postcode,
        "number_keys": sorted(keys.numbers),
        "email_keys": sorted(keys.emails),
        "phone_keys": sorted(keys.phones),
    }
