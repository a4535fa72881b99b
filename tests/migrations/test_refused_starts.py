"""No part starts on a schema that is not its own: the sentence says which command to run, and the status is 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from worker.store import migrations
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PARTS = ("receiver", "worker", "scheduler")


def emptied(engine: Engine) -> None:
    """A database that nobody has migrated."""
    migrations.downgrade(engine, "base")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))


def older(engine: Engine) -> None:
    """The schema of the release before."""
    migrations.downgrade(engine, "-1")


def newer(engine: Engine) -> None:
    """The schema of a release that this one does not know."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (emptied, "the database is empty: run `contactsync migrate` first"),
        (older, "this release needs {head}: run `contactsync migrate` first"),
        (newer, "at schema 9999, which is newer than this release: install the newer release"),
    ],
    ids=["empty", "older", "newer"],
)
def test_a_part_does_not_start_on_another_schema(
    migrated_url: str, redis_url: str, tmp_path: Path, part: str, spoil: object, sentence: str
) -> None:
    engine = make_engine(migrated_url, pool_size=1)
    spoil(engine)  # type: ignore[operator]
    engine.dispose()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")},
        "CONTACTSYNC_DATABASE__URL": migrated_url,
        "CONTACTSYNC_REDIS__URL": redis_url,
        "CONTACTSYNC_RECEIVER__PORT": "0",
        "CONTACTSYNC_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-m", "worker.cli", part],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    told = " ".join((done.stdout + done.stderr).split())
    assert sentence.format(head=migrations.head()) in told
    assert "Traceback" not in told
    assert done.returncode == 2
