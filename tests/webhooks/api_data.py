"""Rows for the API's tests: two clients, one with links in many states, requests, events and questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

AN = {
    "name": "Dakwerken De Linde",
    "kind": "organisation",
    "email": "an.peeters@delinde.example",
    "phone": "+32 9 000 00 01",
    "vat_number": "BE0000000097",
    "address": {"line1": "Kerkstraat 12", "postal_code": "9000", "city": "Gent", "country": "BE"},
    "persons": [{"first_name": "An", "last_name": "Peeters-Janssens", "email": "an.peeters@delinde.example"}],
}
PERSONAL = ("an.peeters@delinde.example", "+32 9 000 00 01", "Kerkstraat 12", "Peeters-Janssens", "9000")
ANSWER = {"error": {"message": "Contact an.peeters@delinde.example of Kerkstraat 12 is refused", "field": "email"}}
BODY = {"id": "e-1", "event": "client.updated", "data": {"id": "1834", "name": "De Linde", "email": PERSONAL[0]}}

_STATEMENTS = (
    """
    INSERT INTO contact (source, source_id, name, version, canonical, fetched_at)
    VALUES ('robaws', '1834', 'Dakwerken De Linde', 3, CAST(:canonical AS jsonb), now() - interval '1 hour')
    """,
    """
    INSERT INTO contact (source, source_id, name, fetch_state, fetch_wanted, fetch_attempts, fetch_since, fetch_reason,
        fetch_message)
    VALUES ('robaws', '1835', 'Tuinen Van Laar', 'dead', 2, 7, now() - interval '1 day', 'server_error', 'it failed')
    """,
    """
    INSERT INTO link (contact_id, system, external_id, state, wanted_version, synced_version, attempts, since, reason,
        message, status, fields, fingerprint, operation, unheld)
    SELECT id, 'rompslomp', '501', 'dead', 3, 2, 1, now(), 'validation', 'an.peeters@delinde.example is no e-mail',
        422, '{"email": "an.peeters@delinde.example is wrong"}', 'f1', 'update', '["language"]'
    FROM contact WHERE source_id = '1834'
    """,
    """
    INSERT INTO link (contact_id, system, external_id, state, wanted_version, synced_version)
    SELECT id, 'recras', '77', 'synced', 3, 3 FROM contact WHERE source_id = '1834'
    """,
    """
    INSERT INTO link (contact_id, system, external_id, state, wanted_version, synced_version, since, reason, message,
        parked)
    SELECT id, 'workspace', '9', 'review', 3, 3, now(), 'field_conflict', 'city differs',
        '{"location_city": {"ours": "Gent", "theirs": "Brugge"}}'
    FROM contact WHERE source_id = '1834'
    """,
    """
    UPDATE link SET snapshot = '{"ours": {"location_city": "Brugge"}, "theirs": {"location_city": "Brugge"}}'
    WHERE system = 'workspace'
    """,
    """
    INSERT INTO review (link_id, kind, path, reason, message, detail)
    SELECT id, 'field', 'location_city', 'field_conflict', 'city differs',
        '{"field": "address.city", "label": "city", "ours": "Gent", "theirs": "Brugge", "rule": "differs"}'
    FROM link WHERE system = 'workspace'
    """,
    """
    INSERT INTO attempt (contact_id, link_id, system, operation, method, path, sent, decisions, idempotency_key, status,
        answer, duration_ms, correlation_id, contact_version)
    SELECT contact_id, id, 'rompslomp', 'update', 'PATCH', '/contacts/501', CAST(:sent AS jsonb),
        '[{"path": "city", "action": "write", "rule": "Robaws owns this field", "theirs": "Brugge"}]', 'key-1', 422,
        :answer, 41, 'c-1', 3 FROM link WHERE system = 'rompslomp'
    """,
    """
    INSERT INTO attempt (contact_id, system, operation, method, path, status, answer, duration_ms)
    SELECT id, 'robaws', 'fetch', 'GET', '/clients/1835', 500, '<h1>an.peeters@delinde.example</h1>', 12
    FROM contact WHERE source_id = '1835'
    """,
    "INSERT INTO inbox_key (source, event_id) VALUES ('robaws', 'e-1'), ('robaws', 'e/2')",
    """
    INSERT INTO inbox_event (source, event_id, kind, source_id, headers, body, correlation_id, state, contact_id,
        fetch_seq, contact_version)
    SELECT 'robaws', 'e-1', 'client.updated', '1834', '{"user-agent": "Robaws"}'::jsonb, CAST(:body AS bytea), 'c-1',
        'applied', id, 1, 3 FROM contact WHERE source_id = '1834'
    UNION ALL SELECT 'robaws', 'e/2', 'client.updated', '1835', '{}'::jsonb, '{}'::bytea, 'c-2', 'dead', id, 1, NULL
        FROM contact WHERE source_id = '1835'
    """,
    "INSERT INTO event_tally (received, applied) VALUES (2, 1)",
)


def fill(engine: Engine) -> None:
    """Put the rows into an empty database, in one transaction."""
    values: dict[str, Any] = {
        "canonical": orjson.dumps(AN).decode(),
        "sent": orjson.dumps({"contact": {"email": PERSONAL[0], "vat_number": "BE0000000097"}}).decode(),
        "answer": orjson.dumps(ANSWER).decode(),
        "body": orjson.dumps(BODY),
    }
    with engine.begin() as connection:
        for statement in _STATEMENTS:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
