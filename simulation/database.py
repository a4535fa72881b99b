"""
PostgreSQL for simulations: the real server with a fresh database for each story, copied from a migrated template.

A fresh database and not emptied tables, so that a story finds the same pages, plans and counters wherever it runs:
alone, or as the thousandth. Autovacuum would be a hand that no seed guides, so it is off.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import event

from simulation.clock import BEGIN
from worker.embedded.postgres import EmbeddedPostgres
from worker.store import migrations
from worker.store.engine import _USED, make_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

SERVER: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
}
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a place, not a name that somebody could guess
_ROOM_BYTES: Final = 2 * 1024**3


@contextmanager
def server() -> Iterator[str]:
    """The address of a PostgreSQL of this process's own, in memory where there is room; gone afterwards."""
    roomy = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix="contactsync-simulation-", dir=_IN_MEMORY if roomy else None) as folder:
        home = Path(folder).resolve()
        home.chmod(0o755)  # under root the server runs as somebody else, who has to get in
        with EmbeddedPostgres(home / "home", settings=SERVER) as postgres:
            yield postgres.admin_url


class Databases:
    """A template at the newest schema, and fresh copies of it. Nobody else may be connected to the template."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.template = f"simulation_{id(self)}"
        self._number = 0
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.template)))
        engine = make_engine(self._address(self.template), pool_size=1)
        migrations.upgrade(engine)
        with engine.begin() as connection:
            migrations.ensure_partitions(connection, datetime.fromtimestamp(BEGIN, UTC))
        engine.dispose()

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """A database for one story."""
        self._number += 1
        name = f"{self.template}_{self._number}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._administer(copy.format(sql.Identifier(name), sql.Identifier(self.template)))
        try:
            with Database(self._address(name)) as database:
                yield database
        finally:
            self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Drop the template."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.template)))

    def _address(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def _never_rested(_dbapi: Any, record: Any, _proxy: Any) -> None:
    """Whether a connection is looked at before its use must not hang on how fast this machine is: it never is."""
    record.info[_USED] = time.monotonic()


def _not_kept(_dbapi: Any, record: Any) -> None:
    """Whoever acts at the console, and is no part of what is tried, never meets a connection that was cut."""
    record.invalidate()


class Database:
    """One story's database: the engines of the product and of the console, and a connection that only looks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = make_engine(url, pool_size=6, application_name="simulated")
        event.listen(self.engine, "checkout", _never_rested, insert=True)
        self.console: Engine = make_engine(url, pool_size=1, application_name="console")
        event.listen(self.console, "checkin", _not_kept)
        self.eye: psycopg.Connection[Any] = psycopg.connect(
            url, autocommit=True, prepare_threshold=1, options="-c timezone=UTC"
        )

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.eye.close()
        self.engine.dispose()
        self.console.dispose()

    def look(self, query: str, values: dict[str, Any] | None = None) -> list[Any]:
        """The rows of a query, outside the product's own connections."""
        return self.eye.execute(query, values).fetchall()

    def cut(self, pid: int | None = None) -> None:
        """The server ends one connection of the product, or all of them."""
        self.eye.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND (%(pid)s::int IS NULL OR pid = %(pid)s)",
            {"pid": pid},
        )
