"""The way of a command to the settings and the database: by url, or to the servers of an `up` that runs here."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from worker.config import Settings


def settings_with_urls() -> Settings:
    """
    The settings, with the urls of the bundled servers where none are configured.

    NotReachable where bundled servers are meant and no `contactsync up` runs them.
    """
    from worker.config import load_settings
    from worker.embedded.servers import connect_existing
    from worker.errors import NotReachable

    settings = load_settings(part="command")
    database, redis = settings.database.url, settings.redis.url
    if database is not None and redis is not None:
        return settings
    servers = connect_existing(Path(settings.home))
    if servers is None:
        raise NotReachable(
            f"nothing runs in {settings.home}: start `contactsync up` first, or set "
            f"{'database.url' if database is None else 'redis.url'}"
        )
    return settings.with_urls(database or servers.database_url, redis or servers.redis_url)


@contextmanager
def database() -> Iterator[tuple[Settings, Engine]]:
    """
    The settings and an engine, closed in the end. ConfigurationError where the schema is not this release's.
    """
    from worker.store import migrations
    from worker.store.engine import make_engine

    settings = settings_with_urls()
    assert settings.database.url is not None  # noqa: S101 - just filled in
    engine = make_engine(settings.database.url, pool_size=2, application_name="command")
    try:
        migrations.require_current(engine)
        yield settings, engine
    finally:
        engine.dispose()
