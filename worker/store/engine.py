"""The way to PostgreSQL: one engine a process, made after fork, with its limits in one place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from psycopg import Error as PsycopgError
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError

from worker.config.servers import postgres_parameters

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext

REST_SECONDS: Final = 0.2
"""A database needs longer than this to restart; whoever waits for a vendor's answer waits longer, too."""

MOST_TRIES: Final = 4

T = TypeVar("T")

_USED: Final = "contactsync_used_at"

AWAY: Final = (OperationalError, InterfaceError)
"""What the driver raises when the database is away, restarting or refusing connections."""


def make_engine(
    url: str, *, pool_size: int = 10, application_name: str = "contactsync", statement_seconds: int = 30
) -> Engine:
    """
    An engine for `postgresql://…`. A connection that rested is checked before use, so that a restart of the database
    is not noticed by whoever comes next; one that was in use a moment ago is not, since the look costs as much as a
    statement.

    READ COMMITTED throughout: every claim is a guarded UPDATE and needs no more.
    """
    # Of what SQLAlchemy reads in the address, nothing counts that libpq does not read there as well.
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=2,
        pool_recycle=1800,
        hide_parameters=True,  # what is bound is people's data, and an error's text goes to the log
        # The connection given back last goes out first: few of them are in use at a time, and those have every
        # statement prepared.
        pool_use_lifo=True,
        connect_args={
            **postgres_parameters(url),
            # Planning a claim takes longer than running it: prepare at the second use, not at the sixth.
            "prepare_threshold": 1,
            "application_name": application_name,
            "connect_timeout": 5,
            "options": f"-c timezone=UTC -c lock_timeout=10s -c statement_timeout={statement_seconds}s"
            " -c idle_in_transaction_session_timeout=60s",
        },
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )
    _check_after_rest(engine)
    event.listen(engine, "handle_error", _without_details)
    return engine


def _without_details(context: ExceptionContext) -> None:
    """
    PostgreSQL quotes the row that did not fit, or the key that was there already, as the details of an error: people's
    data, and the text goes to the log. The sentence itself names the table, the column and the constraint.
    """
    error = context.original_exception
    primary = error.diag.message_primary if isinstance(error, PsycopgError) else None
    if primary is None:
        return
    for one in (error, context.sqlalchemy_exception):
        if one is not None and one.args:
            one.args = (str(one.args[0]).partition(primary)[0] + primary, *one.args[1:])


def _check_after_rest(engine: Engine) -> None:
    """What `pool_pre_ping` does, for connections that nobody used for a moment."""

    def used(_dbapi: DBAPIConnection, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    def checked(dbapi: DBAPIConnection, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(_USED, 0.0) < REST_SECONDS:
            return
        try:
            engine.dialect.do_ping(dbapi)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool then makes a new connection, and throws away all that are older than this moment.
            raise InvalidatePoolError from error

    event.listen(engine, "connect", used)
    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", checked)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def is_contended(error: BaseException) -> bool:
    """Whether two transactions stood in each other's way, so that the same one may well go through at once."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, DeadlockDetected | SerializationFailure)


def retried(work: Callable[[], T]) -> T:
    """Run a whole transaction, and run it again where it was the one that the database ended for another one's sake."""
    for _ in range(MOST_TRIES - 1):
        try:
            return work()
        except DBAPIError as error:
            if not is_contended(error):
                raise
    return work()


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database cannot be reached now, not that a statement was wrong."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, AWAY)
