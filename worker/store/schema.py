"""
Whether the database's schema is this release's, told without loading the library that changes it.

The same answers as `migrations.require_current`, for a process that only serves: alembic and the models would cost the
receiver a sixth of its memory. A test holds the two to each other.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from worker.errors import ConfigurationError

NO_RIGHTS: Final = (
    "the user of database.url has no rights to the tables: run `contactsync migrate` with database.owner_url,"
    " which gives them"
)
_FOLDER: Final = Path(__file__).resolve().parents[2] / "alembic" / "versions"
_REVISION: Final = re.compile(r'^revision: str = "(\w+)"$', re.MULTILINE)
_BEFORE: Final = re.compile(r'^down_revision: str \| None = "(\w+)"$', re.MULTILINE)


@cache
def revisions() -> tuple[str, frozenset[str]]:
    """The newest revision that this code knows, and all of them."""
    texts = [path.read_text() for path in sorted(_FOLDER.glob("*.py"))]
    known = {found[1] for text_ in texts if (found := _REVISION.search(text_))}
    followed = {found[1] for text_ in texts if (found := _BEFORE.search(text_))}
    newest = known - followed
    if len(newest) != 1:
        raise ConfigurationError("the migrations are missing from this installation")
    return newest.pop(), frozenset(known)


def require_current(connection: Connection) -> None:
    """ConfigurationError, naming the command to run, unless the schema is the one that this code was written for."""
    newest, known = revisions()
    found = current(connection)
    if found is None:
        raise ConfigurationError("the database is empty: run `contactsync migrate` first")
    if found not in known:
        raise ConfigurationError(
            f"the database is at schema {found}, which is newer than this release: install the newer release"
        )
    if found != newest:
        raise ConfigurationError(
            f"the database is at schema {found} and this release needs {newest}: run `contactsync migrate` first"
        )


def current(connection: Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    try:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise ConfigurationError(NO_RIGHTS) from error
    return found
