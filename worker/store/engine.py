"""The way to PostgreSQL: one engine a process, made after fork, with its limits in one place."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

AWAY: Final = (OperationalError, InterfaceError)
"""What the driver raises when the database is away, restarting or refusing connections."""


def make_engine(url: str, *, pool_size: int = 10, application_name: str = "contactsync") -> Engine:
    """
    An engine for `postgresql://…`. Connections are checked before use, so a restart of the database costs one retry.

    READ COMMITTED throughout: every claim is a guarded UPDATE and needs no more.
    """
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # what is bound is people's data, and an error's text goes to the log
        # The connection given back last goes out first: few of them are in use at a time, and those have every
        # statement prepared.
        pool_use_lifo=True,
        connect_args={
            # Planning a claim takes longer than running it: prepare at the second use, not at the sixth.
            "prepare_threshold": 1,
            "application_name": application_name,
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=30s"
            " -c idle_in_transaction_session_timeout=60s",
        },
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database cannot be reached now, not that a statement was wrong."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, AWAY)
