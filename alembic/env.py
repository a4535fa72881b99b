"""
Runs migrations against one connection, safely beside a release that is still serving.

A migration takes its locks within `lock_timeout` or gives up, and is tried again (`worker.store.migrations`), so that
it never queues behind a long query with all traffic queueing behind it: a receiver that has to wait for a second and a
half answers 503. Two migrations at once are kept apart by an advisory lock: the second waits, and then finds nothing
to do.
"""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from models import Base
from worker.config.servers import postgres_parameters
from worker.store.migrations import ADVISORY_LOCK, include_object

LOCK_TIMEOUT = "1s"
STATEMENT_TIMEOUT = "120s"
WAIT_FOR_OTHER = "120s"


def migrate(connection: Connection) -> None:
    """Run what is missing, holding the advisory lock."""
    connection.execute(text(f"SET lock_timeout = '{WAIT_FOR_OTHER}'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    try:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    url = context.config.get_main_option("sqlalchemy.url") or os.environ["CONTACTSYNC_DATABASE__URL"]
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        poolclass=pool.NullPool,
        connect_args=postgres_parameters(url),
    )
    with engine.connect() as made:
        migrate(made)
