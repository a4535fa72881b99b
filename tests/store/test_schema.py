"""The light look at the schema says what alembic says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from models.link import LINK_STATES as CHECKED
from models.review import REVIEW_KINDS as CHECKED_KINDS
from worker.errors import ConfigurationError
from worker.store import migrations, schema
from worker.store.engine import make_engine
from worker.store.states import LINK_STATES, REVIEW_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine


def refusal(engine: Engine) -> tuple[str | None, str | None]:
    """What the two say against this database."""
    return _said(migrations.require_current, engine), _said(_look, engine)


def _said(look: Callable[[Engine], None], engine: Engine) -> str | None:
    try:
        look(engine)
    except ConfigurationError as error:
        return error.message
    return None


def _look(engine: Engine) -> None:
    with engine.connect() as connection:
        schema.require_current(connection)


def test_the_newest_revision_is_alembics() -> None:
    assert schema.revisions()[0] == migrations.head()


def test_the_right_schema_is_right_to_both(engine: Engine) -> None:
    assert refusal(engine) == (None, None)


def test_an_empty_database_is_empty_to_both(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)

    alembics, ours = refusal(engine)
    engine.dispose()

    assert ours is not None
    assert "contactsync migrate" in ours
    assert ours == alembics


@pytest.mark.parametrize("revision", ["9999", ""])
def test_a_newer_schema_is_newer_to_both(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})

    alembics, ours = refusal(engine)

    assert ours is not None
    assert ours == alembics


def test_the_states_are_those_of_the_table() -> None:
    assert LINK_STATES == CHECKED
    assert REVIEW_KINDS == CHECKED_KINDS
