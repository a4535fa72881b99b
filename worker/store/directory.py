"""The directory of a system that cannot be searched: its whole list, kept as rows with their matching keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, text

from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.matching import Candidate, number_key
from worker.core.normalise import NORMALISERS, identity_key, name_key

NAME = "directory"

CLOCKS_SECONDS = 60.0
"""Two processes that read the database's clock differ by far less: what lies further ahead was never so."""

_KEYS = 2
"""Which keys the rows have: raised where they change, so that a list with others is read anew and not trusted."""

_MOST_REMARKS = 100
"""How many records that could not be read in full are kept by name."""

_UPSERT = text(
    """
    INSERT INTO directory_entry AS d (system, external_id, name, reference, usable, why_not, "values", emails,
        name_key, vat_key, registration_key, postcode_key, email_keys, seen_at)
    SELECT :system, r.external_id, r.name, r.reference, r.usable, r.why_not, r."values",
        ARRAY(SELECT jsonb_array_elements_text(r.emails)), r.name_key, r.vat_key, r.registration_key, r.postcode_key,
        ARRAY(SELECT jsonb_array_elements_text(r.email_keys)), :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(external_id text, name text, reference text, usable boolean,
        why_not text, "values" jsonb, emails jsonb, name_key text, vat_key text, registration_key text,
        postcode_key text, email_keys jsonb)
    ORDER BY r.external_id
    ON CONFLICT (system, external_id) DO UPDATE SET
        name = excluded.name, reference = excluded.reference, usable = excluded.usable, why_not = excluded.why_not,
        "values" = excluded."values", emails = excluded.emails, name_key = excluded.name_key,
        vat_key = excluded.vat_key, registration_key = excluded.registration_key,
        postcode_key = excluded.postcode_key, email_keys = excluded.email_keys, seen_at = excluded.seen_at
    WHERE (d.name, d.reference, d.usable, d."values", d.emails, d.vat_key, d.registration_key)
        IS DISTINCT FROM (excluded.name, excluded.reference, excluded.usable, excluded."values", excluded.emails,
            excluded.vat_key, excluded.registration_key)
    """
)

_FIND = text(
    """
    SELECT external_id, name, reference, usable, why_not, "values", emails FROM directory_entry
    WHERE system = :system AND (
        (:reference <> '' AND reference = :reference)
        OR (vat_key <> '' AND vat_key = ANY(CAST(:numbers AS text[])))
        OR (registration_key <> '' AND registration_key = ANY(CAST(:numbers AS text[])))
        OR (:name <> '' AND name_key = :name)
        OR (:postcode <> '' AND postcode_key = :postcode)
        OR (cardinality(CAST(:emails AS text[])) > 0 AND email_keys && CAST(:emails AS text[])))
    LIMIT 500
    """
)


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
    an empty list empties it. Rows that did not change are not written. `remarks` say what could not be read.
    """
    rows = {candidate.external_id: _row(candidate) for candidate in candidates}
    _upsert(connection, system, list(rows.values()), asked_at)
    future = asked_at + timedelta(seconds=seconds + CLOCKS_SECONDS)
    connection.execute(
        text(
            "DELETE FROM directory_entry WHERE system = :s AND NOT (external_id = ANY(:ids)) "
            "AND (seen_at < :at OR seen_at > :future)"
        ),
        {"s": system, "ids": list(rows), "at": asked_at, "future": future},
    )
    cursor = {"seconds": seconds, "count": len(rows), "keys": _KEYS, "unreadable": list(remarks[:_MOST_REMARKS])}
    connection.execute(
        text(
            "INSERT INTO checkpoint (system, name, cursor, at) VALUES (:s, :n, CAST(:c AS jsonb), :at) "
            "ON CONFLICT (system, name) DO UPDATE SET cursor = excluded.cursor, at = excluded.at "
            "WHERE checkpoint.at <= excluded.at OR checkpoint.at > :future"
        ),
        {"s": system, "n": NAME, "c": orjson.dumps(cursor).decode(), "at": asked_at, "future": future},
    )
    return len(rows)


def add(connection: Connection, system: str, candidates: Iterable[Candidate], now: datetime) -> None:
    """Records that we just made or read, so that the next contact sees them before the next whole list."""
    _upsert(connection, system, [_row(candidate) for candidate in candidates], now + timedelta(microseconds=1))


def _upsert(connection: Connection, system: str, rows: list[Json], now: datetime) -> None:
    for start in range(0, len(rows), 2_000):
        page = orjson.dumps(rows[start : start + 2_000]).decode()
        connection.execute(_UPSERT, {"system": system, "rows": page, "now": now})


def find(connection: Connection, system: str, contact: Json, reference: str | None) -> list[Candidate]:
    """Every record that shares a key with the contact; to be compared again by `matching`."""
    emails = [contact.get("email"), contact.get("invoice_email")]
    emails += [person.get("email") for person in contact.get("persons") or []]
    rows = connection.execute(
        _FIND,
        {
            "system": system,
            "reference": reference or "",
            "numbers": sorted({number_key(contact, path) for path in ("vat_number", "registration_number")} - {""}),
            "name": name_key(contact.get("name")),
            "postcode": NORMALISERS["postcode"](canonical.get(contact, "address.postal_code")),
            "emails": sorted({identity_key("email", email) for email in emails if email}),
        },
    )
    return [
        Candidate(external_id, name, values, tuple(emails), ref, usable, why_not)
        for external_id, name, ref, usable, why_not, values, emails in rows
    ]


def _row(candidate: Candidate) -> Json:
    return {
        "external_id": candidate.external_id,
        "name": candidate.name,
        "reference": candidate.reference,
        "usable": candidate.usable,
        "why_not": candidate.why_not,
        "values": dict(candidate.values),
        "emails": list(candidate.emails),
        "name_key": name_key(candidate.name),
        "vat_key": number_key(candidate.values, "vat_number"),
        "registration_key": number_key(candidate.values, "registration_number"),
        "postcode_key": NORMALISERS["postcode"](candidate.values.get("address.postal_code")),
        "email_keys": sorted({identity_key("email", email) for email in candidate.emails if email}),
    }
