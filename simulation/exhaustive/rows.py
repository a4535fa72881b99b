"""The rows that are part of a state: read whole, and put back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from psycopg import sql

from models import Base

if TYPE_CHECKING:
    import psycopg

LOGS: Final = frozenset({"attempt", "operator_action", "row_tally", "inbox_key"})
"""Tables that no flow reads back: they are not part of a state."""
SAVED: Final = tuple(table.name for table in Base.metadata.sorted_tables if table.name not in LOGS)
EMPTIED_EVERY: Final = 1_000
"""After how many restores the logs are emptied, and what the others left behind is swept up."""


class Rows:
    """The tables of one database."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.restored = 0
        self._sequences = self._find_sequences()
        tables = [sql.SQL("{}, (SELECT json_agg(t) FROM {} AS t)").format(name, sql.Identifier(name)) for name in SAVED]
        self._read = sql.SQL("SELECT json_build_object({})").format(sql.SQL(", ").join(tables))
        last = [sql.SQL("{}, (SELECT last_value FROM {})").format(name, sql.SQL(name)) for name in self._sequences]
        self._read_sequences = sql.SQL("SELECT json_build_object({})").format(sql.SQL(", ").join(last))

    def read(self) -> dict[str, Any]:
        """All rows by table, and as `sequences` where these stand."""
        [(found,)] = self.connection.execute(self._read).fetchall()
        [(sequences,)] = self.connection.execute(self._read_sequences).fetchall()
        return {**found, "sequences": sequences}

    def restore(self, saved: bytes) -> None:
        """Put back what `read` gave, as JSON."""
        self.restored += 1
        if self.restored % EMPTIED_EVERY == 0:
            self._tidy()
        tables = orjson.loads(saved)
        with self.connection.pipeline(), self.connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # no triggers: what they count is no part of it
            for name in SAVED:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
                if tables[name]:
                    cursor.execute(_insert(name, list(tables[name][0])), (orjson.dumps(tables[name]).decode(),))
            for sequence, value in tables["sequences"].items():
                cursor.execute("SELECT setval(%s::regclass, %s, true)", (sequence, value))

    def _tidy(self) -> None:
        logs, saved = (sql.SQL(", ").join(map(sql.Identifier, sorted(names))) for names in (LOGS, SAVED))
        self.connection.execute(sql.SQL("TRUNCATE {}").format(logs))
        self.connection.execute(sql.SQL("VACUUM {}").format(saved))

    def _find_sequences(self) -> list[str]:
        found = [
            self.connection.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table.name,)).fetchone()
            for table in Base.metadata.sorted_tables
            if table.name in SAVED and "id" in table.columns
        ]
        return [row[0] for row in found if row is not None and row[0]]


def _insert(name: str, columns: list[str]) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
        "SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s)"
    ).format(table=sql.Identifier(name), columns=sql.SQL(", ").join(map(sql.Identifier, columns)))
