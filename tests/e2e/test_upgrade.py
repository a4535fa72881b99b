"""An upgrade: the newer release's migration runs while the release before it serves, in real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.e2e.tree import ROOT, Tree, running_tree
from tests.flows.stories import client
from worker.embedded.servers import LocalServers, connect_existing
from worker.store import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PACKAGES = ("worker", "webhooks", "models", "alembic")
CITIES = {"rompslomp": "city", "recras": "plaats", "workspace": "location_city"}
MIGRATION = '''\
"""made up"""

from __future__ import annotations

from alembic import op

revision: str = "9001"
down_revision: str | None = "{head}"


def upgrade() -> None:
    """A column in every table that is written all the time, with a default, and an index."""
    with op.get_context().autocommit_block():
        for table in ("inbox_event", "contact", "link", "attempt", "review", "system_state", "event_tally"):
            op.execute(f"ALTER TABLE {{table}} ADD COLUMN IF NOT EXISTS made_up text DEFAULT 'nothing'")
        op.create_index("ix_link_made_up", "link", ["made_up"], postgresql_concurrently=True, if_not_exists=True)
'''


@pytest.fixture
def newer_release(tmp_path: Path) -> Path:
    """The next release, which has a migration more."""
    place = tmp_path / "newer"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "alembic" / "versions" / "9001_made_up.py").write_text(MIGRATION.format(head=migrations.head()))
    return place


class Stream:
    """People at work: changes of a few clients, one after the other, each with its event."""

    def __init__(self, tree: Tree, ids: list[str]) -> None:
        self.tree = tree
        self.ids = ids
        self.statuses: list[int] = []
        self.last: dict[str, str] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Until it is over."""
        number = 0
        while not self._over.wait(0.02):
            source_id = self.ids[number % len(self.ids)]
            number += 1
            city = f"Stad {number}"
            self.tree.robaws.change_client(source_id, address={"city": city})
            self.statuses.append(self.tree.post(source_id))
            self.last[source_id] = city

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """While the block runs."""
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def grows(self, by: int) -> None:
        """Wait until so many more were sent."""
        target = len(self.statuses) + by
        self.tree.wait_for(lambda: len(self.statuses) >= target, 120)


def counted(database_url: str, query: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def migrate(place: Path, servers: LocalServers, home: Path) -> subprocess.Popen[str]:
    """`contactsync migrate` of the newer release."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
    env |= {
        "CONTACTSYNC_DATABASE__URL": servers.database_url,
        "CONTACTSYNC_DATABASE__OWNER_URL": servers.database_owner_url,
        "CONTACTSYNC_HOME": str(home),
        "PYTHONPATH": str(place),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "worker.cli", "migrate"],
        env=env,
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and what it said."""
    told, _ = process.communicate(timeout=240)
    return process.returncode, told


def test_a_migration_runs_while_the_release_before_it_accepts_and_delivers(tmp_path: Path, newer_release: Path) -> None:
    settings: dict[str, Any] = {"worker": {"lease_seconds": 5, "concurrency": 4}}
    with running_tree(tmp_path / "home", **settings) as tree:
        servers = connect_existing(tmp_path / "home" / "home")
        assert servers is not None
        url = servers.database_url
        stream = Stream(tree, [tree.robaws.add_client(**client(number)) for number in range(1, 7)])
        with stream.flowing():
            tree.wait_for(lambda: counted(url, "SELECT count(*) FROM attempt") > 150, 120)
            with psycopg.connect(url) as backup:
                backup.execute("LOCK TABLE contact IN ACCESS SHARE MODE")
                migration = migrate(newer_release, servers, tmp_path / "elsewhere")
                tree.wait_for(lambda: counted(url, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0, 120)
                stream.grows(20)
            status, told = said(migration)
            stream.grows(60)
        tree.wait_for(tree.settled, 120)

        summary = tree.get("/api/v1/summary")
        logs = "".join(path.read_text() for path in (tmp_path / "home" / "home" / "logs").glob("*.log"))

    assert (status, told.strip()) == (0, f"schema {migrations.head()} -> 9001")
    assert set(stream.statuses) == {202}
    held = {system: {str(one[member]) for one in tree.records(system)} for system, member in CITIES.items()}
    assert held == {system: set(stream.last.values()) for system in CITIES}
    assert (summary["conservation"], summary["events"]["dead"]) == (0, 0)
    assert [word for word in ("cached plan", "Traceback", "unexpected") if word in logs] == []
