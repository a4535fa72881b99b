"""
Bring the database to the newest schema, and tell whether it is there; make the monthly partitions in time.

Every part asks whether the schema is right when it starts, and few change it: so alembic, which
takes seven megabytes and a fifth of a second, is loaded only where it works.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from psycopg.errors import InsufficientPrivilege, LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from worker.errors import ConfigurationError, NotReachable
from worker.store import partitions
from worker.store.clock import database_time
from worker.store.schema import NO_RIGHTS

if TYPE_CHECKING:
    from alembic.config import Config

ADVISORY_LOCK: Final = 7_215_300_941
"""Any fixed number: whoever migrates this product's schema holds the advisory lock of this key."""

PARTITIONED: Final = tuple(partitions.PARTITIONED)
PATIENCE_SECONDS: Final = 90.0
PAUSE_SECONDS: Final = 2.0
"""Between two tries to get a table's lock, what queued behind the first one is worked off."""

_REVISION: Final = re.compile(r'^(revision|down_revision)(?:: [^=]+)? = (?:"([^"]+)"|None)$', re.MULTILINE)


def _folder() -> Path:
    found = find_spec("models")  # not imported: it brings SQLAlchemy's mapper, which no part needs
    if found is None or found.origin is None:
        raise ConfigurationError("the package `models` is missing: install the project whole")
    folder = Path(found.origin).resolve().parent.parent / "alembic"
    if not (folder / "env.py").exists():
        raise ConfigurationError(f"the migrations are missing: expected them in {folder}")
    return folder


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    return config


def _revisions() -> dict[str, str | None]:
    """Every revision that this code knows, with the one before it."""
    found: dict[str, str | None] = {}
    for file in (_folder() / "versions").glob("*.py"):
        named = {name: value or None for name, value in _REVISION.findall(file.read_text(encoding="utf-8"))}
        if named.get("revision"):
            found[str(named["revision"])] = named.get("down_revision")
    return found


def head() -> str:
    """The newest revision that this code knows."""
    revisions = _revisions()
    newest = set(revisions) - set(revisions.values())
    if len(newest) != 1:
        raise ConfigurationError("the migrations are missing from this installation")
    return newest.pop()


def current(connection: Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    try:
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise ConfigurationError(NO_RIGHTS) from error
    return revision


def upgrade(engine: Engine, *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[str | None, str]:
    """
    Bring the database to the newest schema and make the coming months' partitions; safe to run twice or at once.

    Returns the revision before and after. ConfigurationError when the database is newer than the code; NotReachable
    when somebody (a backup, a long query) holds a table for longer than `patience_seconds`: then nothing of the step
    that waited is done, and running it again goes on from there.
    """
    until = time.monotonic() + patience_seconds
    with engine.connect() as connection:
        before = current(connection)
        connection.rollback()
        _refuse_unknown(before)
        while not _upgraded(connection):
            if time.monotonic() > until:
                raise NotReachable(
                    "somebody holds a table that the migration changes, such as a backup or a long query:"
                    " nothing is lost and the running release goes on; run `contactsync migrate` again when it is over"
                )
            time.sleep(PAUSE_SECONDS)
        return before, head()


def _upgraded(connection: Connection) -> bool:
    """False where a table's lock could not be had in time."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
        for month in partitions.missing(connection, database_time(connection)):
            partitions.make(connection, month)
            connection.commit()
        connection.commit()
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            connection.rollback()
            return False
        raise
    return True


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision (`base`: to nothing, with all data); for tests and for emergencies."""
    from alembic import command

    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()


def require_current(engine: Engine) -> None:
    """ConfigurationError, naming the command to run, unless the schema is the one that this code was written for."""
    with engine.connect() as connection:
        found = current(connection)
    _refuse_unknown(found)
    if found is None:
        raise ConfigurationError("the database is empty: run `contactsync migrate` first")
    if found != head():
        raise ConfigurationError(
            f"the database is at schema {found} and this release needs {head()}: run `contactsync migrate` first"
        )


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in _revisions():
        raise ConfigurationError(
            f"the database is at schema {revision}, which is newer than this release: install the newer release"
        )


def ensure_partitions(connection: Connection, now: datetime) -> list[str]:
    """
    Make the partitions of this month and the coming ones where they are missing; returns the names made.

    Rows of a month without a partition go to the default one, so a scheduler that was away loses nothing.
    """
    return partitions.ensure(connection, now)


def include_object(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """For alembic's comparison: partitions belong to their table and are no tables of their own."""
    if kind == "table" and name is not None:
        return not any(name.startswith(f"{table}_") and name != table for table in PARTITIONED)
    return True
