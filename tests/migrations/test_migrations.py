"""The schema: one path from nothing, equal to the models, safe to run twice at once, refused when it does not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from models import Base
from worker.errors import ConfigurationError
from worker.store import migrations
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url, pool_size=3)
    yield made
    made.dispose()


def test_upgrading_from_nothing_equals_the_models(empty: Engine) -> None:
    migrations.upgrade(empty)

    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_object": migrations.include_object,
            },
        )
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_every_constraint_has_a_name_by_rule(empty: Engine) -> None:
    migrations.upgrade(empty)

    with empty.connect() as connection:
        names = connection.execute(
            text(
                "SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
                "WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'alembic_version' "
                "AND NOT t.relispartition AND contype <> 'n'"
            )
        ).scalars()
        odd = [name for name in names if name.split("_")[0] not in ("pk", "uq", "fk", "ck")]
    assert odd == []


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    first = migrations.upgrade(empty)
    second = migrations.upgrade(empty)

    assert first == (None, migrations.head())
    assert second == (migrations.head(), migrations.head())


@pytest.mark.slow
def test_two_upgrades_at_once_wait_for_each_other(empty: Engine, database_url: str, tmp_path: Path) -> None:
    env = {**os.environ, "CONTACTSYNC_DATABASE__URL": database_url, "CONTACTSYNC_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "worker.cli", "migrate"]

    both = [subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)]
    statuses = [process.wait(60) for process in both]

    assert statuses == [0, 0]
    migrations.require_current(empty)


def test_downgrading_leaves_nothing_behind(empty: Engine) -> None:
    migrations.upgrade(empty)

    migrations.downgrade(empty, "base")

    with empty.connect() as connection:
        tables = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        ).scalar()
    assert tables == 0


def test_the_log_keeps_no_beginning_of_a_hash(empty: Engine) -> None:
    migrations.upgrade(empty)
    migrations.downgrade(empty, "0007")
    with empty.begin() as connection:
        for actor in ("token-cf55181c", "command line (root)", "token-0a1b2c3d", "token-cf55181c", "token-of-an"):
            connection.execute(
                text(
                    "INSERT INTO operator_action (actor, role, action, target) VALUES (:actor, 'admin', 'pause', 'x')"
                ),
                {"actor": actor},
            )
        connection.execute(
            text(
                "INSERT INTO system_state (system, paused_by, learned) VALUES"
                " ('recras', 'operator', '{\"paused_by_name\": \"token-0a1b2c3d\", \"kept\": 1}'),"
                " ('routix', NULL, '{}')"
            )
        )
        connection.execute(text("INSERT INTO contact (source, source_id) VALUES ('robaws', '7')"))
        connection.execute(
            text(
                "INSERT INTO link (contact_id, system, state, message) SELECT id, 'recras', 'excluded',"
                " 'token-cf55181c left this client out of the system: twice' FROM contact"
            )
        )
        connection.execute(
            text(
                "INSERT INTO review (link_id, kind, reason, message, detail, resolved_at, choice, resolved_by)"
                " SELECT id, 'match', 'ambiguous', '', '{}', now(), 'exclude', 'token-cf55181c' FROM link"
            )
        )

    migrations.upgrade(empty)

    with empty.connect() as connection:
        actors = connection.execute(text("SELECT actor FROM operator_action ORDER BY id")).scalars().all()
        learned = {
            row.system: row.learned for row in connection.execute(text("SELECT system, learned FROM system_state"))
        }
        message, resolved_by = connection.execute(
            text("SELECT l.message, r.resolved_by FROM link l JOIN review r ON r.link_id = l.id")
        ).one()
    first, second = "token 1 of an earlier release", "token 2 of an earlier release"
    assert actors == [first, "command line (root)", second, first, "token-of-an"]
    assert learned == {"recras": {"paused_by_name": second, "kept": 1}, "routix": {}}
    assert message == "a token of an earlier release left this client out of the system: twice"
    assert resolved_by == first


def test_an_empty_database_is_refused_with_the_command_to_run(empty: Engine) -> None:
    with pytest.raises(ConfigurationError, match="contactsync migrate"):
        migrations.require_current(empty)


@pytest.mark.parametrize("guard", [migrations.require_current, migrations.upgrade], ids=["start", "migrate"])
def test_a_schema_newer_than_the_code_is_refused(empty: Engine, guard: object) -> None:
    migrations.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match="newer than this release"):
        guard(empty)  # type: ignore[operator]


def test_the_coming_months_have_their_partitions(empty: Engine) -> None:
    migrations.upgrade(empty)

    with empty.connect() as connection:
        again = migrations.ensure_partitions(connection, datetime.now(UTC))
        later = migrations.ensure_partitions(connection, datetime(2031, 11, 5, tzinfo=UTC))

    assert again == []
    assert later == [
        f"{table}_y{month}"
        for table in migrations.PARTITIONED
        for month in ("2031m11", "2031m12", "2032m01", "2032m02")
    ]


def test_a_row_of_a_month_without_a_partition_is_not_lost(empty: Engine) -> None:
    migrations.upgrade(empty)

    with empty.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO inbox_event (received_at, source, event_id, kind, source_id, headers, body, "
                "correlation_id) VALUES ('2040-01-01', 'robaws', 'e', 'client.updated', '1', '{}', '', 'c')"
            )
        )
        where = connection.execute(text("SELECT tableoid::regclass::text FROM inbox_event")).scalar_one()

    assert where == "inbox_event_default"
