"""A PostgreSQL for the target `api`: at the newest schema, with a little of everything in it; gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.webhooks.api_data import fill
from worker.embedded.postgres import EmbeddedPostgres
from worker.store import migrations
from worker.store.engine import make_engine

UNSAFE_BUT_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@contextmanager
def filled() -> Iterator[str]:
    """Its address."""
    with tempfile.TemporaryDirectory(prefix="contactsync-fuzz-") as folder:
        home = Path(folder).resolve()
        home.chmod(0o755)  # under root the server runs as somebody else, who has to get in
        with EmbeddedPostgres(home / "home", settings=UNSAFE_BUT_FAST) as postgres:
            prepare(postgres.admin_url)
            yield postgres.admin_url


def prepare(url: str) -> None:
    """Bring an empty database to the newest schema and fill it."""
    engine = make_engine(url, pool_size=1)
    migrations.upgrade(engine)
    fill(engine)
    engine.dispose()
