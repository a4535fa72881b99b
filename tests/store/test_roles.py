"""The roles of the database: what the application may not do even where somebody slips a statement into it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from models import Base
from tests.fixtures.servers import fresh_database, signed_in_as
from worker.config.sections import DatabaseSettings
from worker.errors import ConfigurationError
from worker.flows import checking
from worker.store import migrations, roles
from worker.store.engine import make_engine
from worker.store.upgrading import require_owner, upgrade


@dataclass(frozen=True)
class Place:
    """An empty database, and the addresses of three users: two of them nobody has made yet."""

    admin: str
    owner: str
    application: str

    @property
    def settings(self) -> DatabaseSettings:
        return DatabaseSettings(url=self.application, owner_url=self.owner, admin_url=self.admin)


@contextmanager
def made(postgres_url: str) -> Iterator[Place]:
    names = [f"{role}_{secrets.token_hex(4)}" for role in ("owner", "application")]
    with fresh_database(postgres_url) as url:
        owner, application = (signed_in_as(url, name, secrets.token_hex(8)) for name in names)
        yield Place(url, owner, application)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


@pytest.fixture
def place(postgres_url: str) -> Iterator[Place]:
    with made(postgres_url) as place:
        yield place


@pytest.fixture
def ready(place: Place) -> Place:
    """With the roles and the schema."""
    upgrade(place.settings)
    return place


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Iterator[Place]:
    """With the roles, the schema and a line in each of the two logs, for tests that change nothing."""
    with made(postgres_url) as place:
        upgrade(place.settings)
        run(place.application, LOGGED)
        yield place


LOGGED = (
    "INSERT INTO attempt (system, operation, method, path, duration_ms) VALUES ('recras', 'read', 'GET', '/', 1);"
    "INSERT INTO operator_action (actor, role, action, target) VALUES ('An Peeters', 'operator', 'discard', 'bulk')"
)


def run(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def month_of(table: str) -> str:
    return f"{table}_y{datetime.now(UTC):%Ym%m}".replace("ym", "y")


@pytest.mark.parametrize(
    "statement",
    [
        "COPY alembic_version FROM PROGRAM 'id'",
        "COPY contact TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE ROLE mine SUPERUSER",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE link ADD COLUMN mine text",
        "ALTER TABLE contact DISABLE TRIGGER ALL",
        "DROP TABLE attempt_default",
        "TRUNCATE attempt",
        "DELETE FROM attempt",
        "UPDATE attempt SET answer = NULL",
        "DELETE FROM attempt_default",
        f"DELETE FROM {month_of('attempt')}",
        f"UPDATE {month_of('attempt')} SET answer = NULL",
        "TRUNCATE operator_action",
        "DELETE FROM operator_action",
        "UPDATE operator_action SET actor = 'somebody else'",
        "UPDATE operator_action SET reason = 'another'",
        "UPDATE operator_action SET items = '[]'",
        "UPDATE operator_action SET at = now()",
        "DELETE FROM contact",
        "DELETE FROM inbox_event",
        "DELETE FROM inbox_key",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_the_application_may_not(shared: Place, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(shared.application, statement)

    assert run(shared.admin, "SELECT count(*) FROM attempt") == [(1,)]
    assert run(shared.admin, "SELECT actor FROM operator_action") == [("An Peeters",)]


def test_the_application_cannot_become_the_owner(shared: Place) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(shared.application, f'SET ROLE "{urlsplit(shared.owner).username}"')


def test_a_bulk_action_tells_how_far_it_is(ready: Place) -> None:
    run(ready.application, LOGGED)

    run(ready.application, "UPDATE operator_action SET done = 3, results = '[]', state = 'done', finished_at = now()")

    assert run(ready.admin, "SELECT done, state FROM operator_action") == [(3, "done")]


def test_a_month_that_is_made_later_is_as_closed(ready: Place) -> None:
    engine = make_engine(ready.owner, pool_size=1)
    with engine.begin() as connection:
        migrations.ensure_partitions(connection, datetime(2031, 5, 5, tzinfo=UTC))
    engine.dispose()
    run(
        ready.application,
        "INSERT INTO attempt (at, system, operation, method, path, duration_ms)"
        " VALUES ('2031-05-05', 'recras', 'read', 'GET', '/', 1)",
    )

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(ready.application, "DELETE FROM attempt_y2031m05")


def test_every_table_has_rights_that_somebody_thought_about() -> None:
    assert set(roles.RIGHTS) == {*Base.metadata.tables, "alembic_version"}


def test_an_installation_with_one_user_for_everything_is_brought_over_with_its_data(place: Place) -> None:
    engine = make_engine(place.admin, pool_size=1)
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(LOGGED))
    engine.dispose()

    upgrade(place.settings)
    upgrade(place.settings)

    assert run(place.application, "SELECT actor FROM operator_action") == [("An Peeters",)]
    others = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> %s::regrole"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner <> %s::regrole"
        " UNION ALL SELECT datname FROM pg_database WHERE datname = current_database() AND datdba <> %s::regrole"
    )
    owner = urlsplit(place.owner).username
    assert run(place.admin, others, owner, owner, owner) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(place.application, "DELETE FROM operator_action")


def test_the_release_before_goes_on_as_the_superuser(place: Place) -> None:
    engine = make_engine(place.admin, pool_size=1)
    migrations.upgrade(engine)

    upgrade(place.settings)

    with engine.begin() as connection:
        connection.execute(text(LOGGED))
    engine.dispose()
    assert run(place.application, "SELECT count(*) FROM attempt") == [(1,)]


@pytest.mark.slow
def test_two_at_once_wait_for_each_other(ready: Place) -> None:
    owner, application = roles.Login.of(ready.owner), roles.Login.of(ready.application)

    def prepared() -> None:
        for _ in range(5):
            with psycopg.connect(ready.admin, autocommit=True) as connection:
                roles.prepare(connection, owner, application)
            with psycopg.connect(ready.owner, autocommit=True) as connection:
                roles.grant(connection, application.name)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(prepared) for _ in range(2)]

    assert [one.result() for one in both] == [None, None]


def test_a_right_that_was_given_by_hand_is_taken_back(ready: Place) -> None:
    name = urlsplit(ready.application).username
    run(ready.owner, f'GRANT DELETE ON attempt TO "{name}"; GRANT UPDATE (actor) ON operator_action TO "{name}"')

    upgrade(ready.settings)

    for statement in ("DELETE FROM attempt", "UPDATE operator_action SET actor = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(ready.application, statement)


def test_a_table_of_somebody_else_is_left_alone(ready: Place) -> None:
    run(ready.admin, "CREATE TABLE report ()")

    upgrade(ready.settings.model_copy(update={"admin_url": None}))

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(ready.application, "SELECT FROM report")


def test_a_password_is_changed_by_changing_the_address(ready: Place) -> None:
    name = str(urlsplit(ready.application).username)
    changed = signed_in_as(ready.application, name, "another-password")

    upgrade(ready.settings.model_copy(update={"url": changed}))

    assert run(changed, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        run(ready.application, "SELECT 1")


def test_a_password_is_hashed_before_it_is_sent(ready: Place) -> None:
    password = str(urlsplit(ready.application).password)
    with psycopg.connect(ready.admin, autocommit=True) as connection:
        stored = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [urlsplit(ready.application).username]
        ).fetchone()

    assert stored is not None
    assert stored[0].startswith("SCRAM-SHA-256$")
    assert password not in stored[0]


def test_one_user_for_both_is_refused(place: Place) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.owner_url must name another user"):
        upgrade(place.settings.model_copy(update={"url": place.owner}))


def test_the_superuser_is_never_turned_into_an_ordinary_role(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="is a superuser"):
        upgrade(place.settings.model_copy(update={"url": place.admin}))

    assert run(place.admin, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(True,)]


def test_whoever_may_make_no_roles_is_told_what_to_do(ready: Place) -> None:
    with pytest.raises(ConfigurationError, match=r"name a superuser in database\.admin_url"):
        upgrade(ready.settings.model_copy(update={"admin_url": ready.owner}))


def test_an_application_that_is_to_change_the_schema_is_told_which_setting_is_missing(ready: Place) -> None:
    with pytest.raises(ConfigurationError, match=r"does not own the tables: set database\.owner_url"):
        upgrade(DatabaseSettings(url=ready.application))

    engine = make_engine(ready.owner, pool_size=1)
    migrations.downgrade(engine, "base")
    engine.dispose()
    run(ready.owner, "DROP TABLE alembic_version")
    with pytest.raises(ConfigurationError, match=r"may not make tables: set database\.owner_url"):
        upgrade(DatabaseSettings(url=ready.application))


def test_an_owner_of_nothing_is_told_who_can_hand_the_tables_over(ready: Place) -> None:
    run(ready.admin, "ALTER TABLE attempt OWNER TO CURRENT_USER")

    with pytest.raises(ConfigurationError, match=r"or database\.admin_url to a superuser"):
        upgrade(DatabaseSettings(url=ready.application, owner_url=ready.owner))


def test_an_application_without_rights_is_told_which_command_gives_them(ready: Place) -> None:
    run(ready.owner, f'REVOKE ALL ON alembic_version FROM "{urlsplit(ready.application).username}"')
    engine = make_engine(ready.application, pool_size=1)

    with pytest.raises(ConfigurationError, match="contactsync migrate"):
        migrations.require_current(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("address", "says", "step"),
    [
        ("admin", "is a superuser, who may run programs", "docs/running.md, Roles of the database"),
        ("owner", "owns the tables, and so may change the log", "docs/running.md, Roles of the database"),
        ("application", "change neither them nor the logs", ""),
    ],
)
def test_check_says_what_the_user_may_do(shared: Place, address: str, says: str, step: str) -> None:
    found = {finding.subject: finding for finding in checking.database(getattr(shared, address)).findings}

    assert says in found["user"].message
    assert step in found["user"].next_step
    assert bool(found["user"].next_step) == bool(step)


def test_a_scheduler_that_could_not_make_the_months_does_not_start(ready: Place) -> None:
    require_owner(ready.owner)
    require_owner(ready.admin)
    with pytest.raises(ConfigurationError, match=r"set database\.owner_url"):
        require_owner(ready.application)
