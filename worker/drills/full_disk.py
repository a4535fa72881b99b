"""
A PostgreSQL that answers writes as one without room does.

A disk that is really full cannot be had without rights over the file system, and would hit whoever else uses it. So
every table gets a trigger for as long as the strike lasts, which raises PostgreSQL's own error for it: `disk_full`,
SQLSTATE 53100 (https://www.postgresql.org/docs/18/errcodes-appendix.html), with its message. What it does not show: a
disk that is full for the write-ahead log stops the server, which is the drill `restart-postgres`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION drill_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/1": No space left on device' USING ERRCODE = 'disk_full';
END $$
"""
_TRIGGER: Final = """
CREATE OR REPLACE TRIGGER drill_disk_full BEFORE INSERT OR UPDATE OR DELETE ON {}
FOR EACH STATEMENT EXECUTE FUNCTION drill_disk_full()
"""
_TABLES: Final = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
AND NOT relispartition AND relname <> 'alembic_version'
"""

Connect = Callable[[], psycopg.Connection[tuple[Any, ...]]]


@contextmanager
def full_disk(connect: Connect) -> Iterator[None]:
    """For the length of the block every write to the database is refused."""
    try:
        with connect() as connection:
            connection.execute(_FUNCTION)
            for row in connection.execute(_TABLES).fetchall():
                connection.execute(sql.SQL(_TRIGGER).format(sql.Identifier(str(row[0]))))
        yield
    finally:
        make_room(connect)


def make_room(connect: Connect) -> None:
    """Take the triggers away, also those that a drill has left which was killed."""
    for last in (False, False, False, True):
        try:
            with connect() as connection:
                connection.execute("DROP FUNCTION IF EXISTS drill_disk_full() CASCADE")
        except psycopg.OperationalError:
            # It locks every table at once, which a transaction that has some of them may cross: a deadlock.
            if last:
                raise
        else:
            return
