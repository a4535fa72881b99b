"""
A database as it looks after years, made by SQL alone: contacts, five links each, attempts, events; little is open.

How much is open is the same at every size, so that a query whose cost follows the work is as fast at a million
contacts as at a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

SYSTEMS: Final = ("rompslomp", "recras", "workspace", "robaws", "routix")
DUE: Final = 60
"""So many links of each system are due now, and as many wait for later, are dead, or in review."""
NEW_EVENTS: Final = 50

_CONTACTS: Final = """
    INSERT INTO contact (source, source_id, version, content_hash, name, canonical, raw, fetched_at, changed_at,
        fetch_state, fetch_wanted, fetch_done, fetch_next_attempt_at, fetch_since, fetch_reason)
    SELECT 'robaws', (100000 + n)::text, 3, md5(n::text), 'Klant ' || md5(n::text) || ' ' || n,
        jsonb_build_object('name', 'Klant ' || n, 'email', 'info@klant' || n || '.example', 'address',
            jsonb_build_object('street', 'Kerkstraat ' || n %% 200, 'postal_code', '9000', 'city', 'Gent',
            'country', 'BE')), '{}', now() - n %% 900 * interval '1 hour', now() - n %% 900 * interval '1 hour',
        state, 3, CASE state WHEN 'idle' THEN 3 ELSE 2 END, CASE state WHEN 'idle' THEN NULL WHEN 'dead' THEN NULL
            WHEN 'due' THEN now() ELSE now() + interval '1 hour' END,
        CASE state WHEN 'idle' THEN NULL ELSE now() END, CASE state WHEN 'dead' THEN 'rejected' END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n,
        LATERAL (SELECT CASE WHEN n <= 30 THEN 'due' WHEN n <= 60 THEN 'waiting' WHEN n <= 90 THEN 'dead'
            ELSE 'idle' END AS state) AS s
"""

_LINKS: Final = """
    INSERT INTO link (contact_id, system, external_id, state, wanted_version, synced_version, snapshot, attempts,
        next_attempt_at, since, reason, message, fingerprint, synced_at)
    SELECT c.id, system, 'x' || c.id, state, 3, CASE state WHEN 'synced' THEN 3 ELSE 2 END,
        jsonb_build_object('name', c.name, 'email', 'info@klant.example', 'phone', '+3292000000', 'city', 'Gent'), 0,
        CASE WHEN state = 'due' THEN now() - interval '1 minute' WHEN state IN ('waiting', 'unknown')
            THEN now() + interval '1 day' END,
        CASE state WHEN 'synced' THEN NULL ELSE now() END, CASE state WHEN 'dead' THEN 'rejected'
            WHEN 'waiting' THEN 'server_error' END, CASE state WHEN 'dead' THEN 'naam is verplicht' END,
        'f' || c.id %% 7, now()
    FROM contact AS c CROSS JOIN unnest(%(systems)s::text[]) AS system,
        LATERAL (SELECT c.source_id::bigint - 100000 AS n) AS p,
        LATERAL (SELECT CASE WHEN n <= %(due)s THEN 'due' WHEN n <= 2 * %(due)s THEN 'waiting'
            WHEN n <= 3 * %(due)s THEN 'dead' WHEN n <= 4 * %(due)s THEN 'review' ELSE 'synced' END AS state) AS s
    WHERE n BETWEEN %(first)s AND %(last)s
"""

_ATTEMPTS: Final = """
    INSERT INTO attempt (at, contact_id, link_id, system, operation, method, path, sent, status, answer, duration_ms,
        correlation_id, contact_version, mapping_version, fence)
    SELECT now() - k * interval '20 hours' - l.id %% 3600 * interval '1 second', l.contact_id, l.id, l.system, 'update',
        'PATCH', '/contacts/' || l.external_id, '{"name": "Klant"}', 200, '{"id": 1}', 80, md5(l.id::text), k, '1', k
    FROM link AS l CROSS JOIN generate_series(1, 2) AS k
    WHERE l.contact_id IN (SELECT id FROM contact WHERE source_id::bigint - 100000 BETWEEN %(first)s AND %(last)s)
"""

_EVENTS: Final = """
    WITH events AS (
        SELECT c.id, c.source_id, n, now() - n %% 900 * interval '1 hour' AS at, 'e-' || c.id || '-' || n AS event_id
        FROM contact AS c, LATERAL (SELECT c.source_id::bigint - 100000 AS n) AS p
        WHERE n BETWEEN %(first)s AND %(last)s
    ), keys AS (
        INSERT INTO inbox_key (source, event_id, received_at) SELECT 'robaws', event_id, at FROM events
    )
    INSERT INTO inbox_event (received_at, source, event_id, kind, source_id, headers, body, correlation_id, state,
        contact_id, fetch_seq, contact_version, closed_at)
    SELECT at, 'robaws', event_id, 'client.updated', source_id, '{}', decode(repeat('7b', 300), 'hex'), event_id,
        CASE WHEN n <= %(new)s THEN 'new' ELSE 'applied' END, CASE WHEN n <= %(new)s THEN NULL ELSE id END, 3, 3, at
    FROM events
"""

_TALLIES: Final = """
    INSERT INTO row_tally (counted, system, rows)
    SELECT 'contact', '', %(count)s
    UNION ALL SELECT 'link', system, %(count)s FROM unnest(%(systems)s::text[]) AS system
"""

_COUNTED: Final = "INSERT INTO event_tally (received, applied) VALUES (%(count)s, %(count)s - %(open)s)"

TABLES: Final = ("contact", "link", "attempt", "inbox_event", "inbox_key", "row_tally", "event_tally")


def grow(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    """
    Contacts number `first` to `last` with all that belongs to them; committed, and the tables analysed.

    Triggers are off meanwhile, as they would take most of the time; what they count is written at the end.
    """
    values = {"first": first, "last": last, "systems": list(SYSTEMS), "due": DUE, "new": NEW_EVENTS}
    values |= {"count": last - first + 1, "open": NEW_EVENTS if first == 1 else 0}
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    for statement in (_CONTACTS, _LINKS, _ATTEMPTS, _EVENTS, _TALLIES, _COUNTED):
        connection.execute(statement, values)
    connection.execute("SET session_replication_role = origin")
    connection.commit()
    before, connection.autocommit = connection.autocommit, True
    for table in TABLES:
        connection.execute(f"VACUUM (ANALYZE) {table}")
    connection.autocommit = before
