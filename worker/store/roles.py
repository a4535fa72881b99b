"""
The roles of the database: who owns the tables, and what the application may do with their rows.

- The administrator, a superuser, makes the other two and is used for nothing else.
- The owner owns the database and its tables: it migrates, and makes and drops the partitions of the months.
- The application reads and writes rows. It adds to the log of requests and to the log of what people did, and can
  neither change nor remove what stands there.

So a statement that somebody manages to slip into the application can run no program on the database's machine, read
no file of it, change no table, and cover no tracks. One role for everything works too: then nothing here is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from worker.errors import ConfigurationError
from worker.store.migrations import ADVISORY_LOCK

LOCK_TIMEOUT: Final = "1s"
WAIT_FOR_OTHER: Final = "120s"

_EVERYTHING: Final = "SELECT, INSERT, UPDATE, DELETE"
_KEPT: Final = "SELECT, INSERT, UPDATE"
"""Rows that the application never removes: they go with their month, or stay."""
_ADDED: Final = "SELECT, INSERT"

RIGHTS: Final[Mapping[str, str]] = {
    "alembic_version": "SELECT",
    "answer_rule": _KEPT,
    "attempt": _ADDED,
    "checkpoint": _EVERYTHING,
    "contact": _KEPT,
    "create_lock": _EVERYTHING,
    "directory_entry": _EVERYTHING,
    "event_tally": _EVERYTHING,
    "inbox_event": _KEPT,
    "inbox_key": _ADDED,
    "inbox_reject": _EVERYTHING,
    "link": _KEPT,
    # Who did what, when and why is never changed; how far a bulk action has come is.
    "operator_action": f"{_ADDED}, UPDATE (state, done, results, finished_at)",
    "review": _KEPT,
    "row_tally": _EVERYTHING,
    "system_state": _KEPT,
    "webhook_result": _EVERYTHING,
}
"""What the application may do with each table. Partitions are reached through their table and are granted to nobody."""


@dataclass(frozen=True)
class Login:
    """A role that signs in."""

    name: str
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Login:
        """The one that this address signs in as."""
        given = conninfo_to_dict(url)
        return cls(str(given.get("user") or ""), None if given.get("password") is None else str(given["password"]))


def prepare(connection: Connection[Any], owner: Login, application: Login) -> None:
    """
    Make the owner and the application's role, or give them these passwords; make the owner's what others own in the
    database. Needs a superuser, and a connection in autocommit mode. Safe to run again, also beside running parts: it
    takes one table at a time, and gives up on one that it cannot have within a second (LockNotAvailable).

    ConfigurationError where the names could not be those of two ordinary roles.
    """
    with _alone(connection):
        _require_two(connection, owner, application)
        for login in (owner, application):
            _make(connection, login)
        # The owner may do what the application may, such as ending its connections.
        connection.execute(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(application.name), sql.Identifier(owner.name))
        )
        for statement in _hand_over(connection, owner.name):
            connection.execute(statement)
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _require_two(connection: Connection[Any], owner: Login, application: Login) -> None:
    if not owner.name or not application.name or owner.name == application.name:
        raise ConfigurationError(
            "database.owner_url must name another user than database.url: one owns the tables, one uses them"
        )
    powerful = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = ANY(%s)", [[owner.name, application.name]]
    ).fetchone()
    if powerful is not None:
        raise ConfigurationError(
            f"the database user {powerful[0]} is a superuser and cannot be the owner or the application's role:"
            " name another user in database.url and database.owner_url"
        )


def _make(connection: Connection[Any], login: Login) -> None:
    there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [login.name]).fetchone()
    name = sql.Identifier(login.name)
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(
            sql.SQL("CREATE" if there is None else "ALTER"), name
        )
    )
    if login.password is not None:
        # Hashed here: a password in a statement would stand in the server's log where statements are logged.
        hashed = connection.pgconn.encrypt_password(login.password.encode(), login.name.encode(), b"scram-sha-256")
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(hashed.decode())))


_OTHERS: Final = """
SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, %(owner)s::text)
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND pg_get_userbyid(c.relowner) <> %(owner)s
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i'))
    )
UNION ALL
SELECT format('ALTER ROUTINE %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s::text)
FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) <> %(owner)s
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
UNION ALL
SELECT format('ALTER SCHEMA public OWNER TO %%I', %(owner)s::text)
FROM pg_namespace WHERE nspname = 'public' AND pg_get_userbyid(nspowner) <> %(owner)s
UNION ALL
SELECT format('ALTER DATABASE %%I OWNER TO %%I', datname, %(owner)s::text)
FROM pg_database WHERE datname = current_database() AND pg_get_userbyid(datdba) <> %(owner)s
"""


def _hand_over(connection: Connection[Any], owner: str) -> list[sql.SQL]:
    """What makes the owner's what somebody else owns, as in an installation of before there were roles."""
    rows = connection.execute(_OTHERS, {"owner": owner}).fetchall()
    return [sql.SQL(row[0]) for row in rows]


def grant(connection: Connection[Any], application: str) -> None:
    """
    Give the application its rights in the newest schema, and take away what it had beyond them. As the owner, on a
    connection in autocommit mode. Tables that belong to somebody else are left alone.
    """
    name = sql.Identifier(application)
    with _alone(connection), connection.transaction():
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND pg_has_role(relowner, 'USAGE') ORDER BY relname"
        ).fetchall()
        for (table,) in tables:
            rights = sql.SQL(RIGHTS.get(table, _EVERYTHING))
            connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(table), name))
            connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(rights, sql.Identifier(table), name))


_MISSING: Final = """
SELECT wanted.name FROM unnest(%(tables)s::text[], %(rights)s::text[]) AS wanted (name, asked)
WHERE to_regclass(wanted.name) IS NOT NULL AND NOT CASE wanted.asked
    WHEN 'DELETE' THEN has_table_privilege(to_regclass(wanted.name), 'DELETE')
    ELSE has_any_column_privilege(to_regclass(wanted.name), wanted.asked)
END
"""


def missing(connection: Connection[Any]) -> list[str]:
    """The tables with which the user of this connection may not do all that the application does."""
    wanted = [(table, asked) for table, rights in RIGHTS.items() for asked in re.findall("[A-Z]{6}", rights)]
    values = {"tables": [table for table, _ in wanted], "rights": [asked for _, asked in wanted]}
    return sorted({row[0] for row in connection.execute(_MISSING, values)})


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[None]:
    """Two at once would change the same rows of the catalogue, which PostgreSQL refuses; so would a migration."""
    connection.execute(f"SET statement_timeout = '{WAIT_FOR_OTHER}'; SET lock_timeout = '{WAIT_FOR_OTHER}'")
    connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    try:
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
