"""Bring a database to this release: its roles, its schema, and what the application may do with the tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, LockNotAvailable, UndefinedObject
from sqlalchemy.exc import ProgrammingError

from worker.errors import ConfigurationError, NotReachable
from worker.store import migrations, roles
from worker.store.engine import make_engine
from worker.store.roles import Login

if TYPE_CHECKING:
    from worker.config.sections import DatabaseSettings


def upgrade(database: DatabaseSettings) -> tuple[str | None, str]:
    """
    Bring the database to the newest schema; safe to run twice or at once. Returns the revision before and after.

    With `admin_url` it makes the roles first, with `owner_url` it migrates as the owner and then gives the application
    its rights. ConfigurationError where one of the roles may not do its part, NotReachable where somebody holds a
    table for longer than a minute and a half.
    """
    assert database.url is not None, "settings carry urls once a process starts"  # noqa: S101
    application, owner = Login.of(database.url), Login.of(database.owner_url or database.url)
    if database.admin_url is not None:
        _prepare(database.admin_url, owner, application)
    if _owns_the_tables(database.owner_url or database.url) is False:
        raise ConfigurationError(
            f"the database user {owner.name} does not own the tables: set database.owner_url to the user that does, or"
            " database.admin_url to a superuser, who hands them over (docs/running.md, Roles of the database)"
        )
    engine = make_engine(database.owner_url or database.url, pool_size=1, application_name="migrate")
    try:
        steps = migrations.upgrade(engine)
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise ConfigurationError(
                f"the database user {owner.name} may not make tables: set database.owner_url to the user that owns"
                " the database (docs/running.md, Roles of the database)"
            ) from error
        raise
    finally:
        engine.dispose()
    if owner.name != application.name:
        _grant(database.owner_url or database.url, application)
    return steps


def require_owner(url: str) -> bool:
    """
    ConfigurationError where this address signs in as somebody who cannot make and drop the partitions of months.

    False where there are no tables yet.
    """
    owns = _owns_the_tables(url)
    if owns is False:
        raise ConfigurationError(
            f"the database user {Login.of(url).name} does not own the tables, and the scheduler makes and drops the"
            " partitions of months: set database.owner_url to the user that does"
        )
    return owns is not None


def _owns_the_tables(url: str) -> bool | None:
    """None where there are none yet."""
    with _session(url) as connection:
        row = connection.execute(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('attempt')"
        ).fetchone()
    return None if row is None else bool(row[0])


def _prepare(url: str, owner: Login, application: Login) -> None:
    until = time.monotonic() + migrations.PATIENCE_SECONDS
    with _session(url) as connection:
        while True:
            try:
                return roles.prepare(connection, owner, application)
            except LockNotAvailable as error:
                if time.monotonic() > until:
                    raise NotReachable(
                        "somebody holds a table that is to change its owner, such as a backup or a long query:"
                        " run `contactsync migrate` again when it is over"
                    ) from error
            except InsufficientPrivilege as error:
                raise ConfigurationError(
                    f"the database user {Login.of(url).name} may not make users or change owners:"
                    " name a superuser in database.admin_url, or make the users yourself and leave it out"
                ) from error
            time.sleep(migrations.PAUSE_SECONDS)


def _grant(owner_url: str, application: Login) -> None:
    with _session(owner_url) as connection:
        try:
            roles.grant(connection, application.name)
        except UndefinedObject as error:
            raise ConfigurationError(
                f"the database user {application.name} of database.url does not exist: make it, or set"
                " database.admin_url (docs/running.md, Roles of the database)"
            ) from error


@contextmanager
def _session(url: str) -> Iterator[Connection[Any]]:
    """A connection of the driver's own, in autocommit mode, with the limits and the encryption of every other."""
    engine = make_engine(url, pool_size=1, application_name="migrate")
    try:
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, Connection)  # noqa: S101 - the only driver that `make_engine` names
            connection.rollback()
            driver.autocommit = True
            yield driver
    finally:
        engine.dispose()
