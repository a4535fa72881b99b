"""A release goes on while a newer schema is put under it: what it has prepared still runs, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.flows.stories import client
from worker.errors import ConfigurationError, NotReachable
from worker.store import contacts, inbox, links, listing_retries, migrations, schema, summary, systems
from worker.store.listing import Paging
from worker.store.listing_retries import RetryFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from tests.fixtures.hub import Hub

TABLES = ("inbox_event", "inbox_key", "event_tally", "contact", "link", "attempt", "review", "system_state")

STATEMENTS: dict[str, Callable[[Connection, Hub], object]] = {
    "a link is claimed": lambda c, hub: links.claim(c, "recras", hub.time, 60),
    "a fetch is claimed": lambda c, hub: contacts.claim_fetch(c, hub.time, 60),
    "events are taken in": lambda c, hub: inbox.intake(c, hub.time),
    "the sweep looks for links": lambda c, hub: links.due_links(c, "recras", hub.time, 5),
    "the sweep looks for fetches": lambda c, hub: contacts.due_fetches(c, hub.time, 5),
    "a system is looked at": lambda c, _: systems.view(c, "recras"),
    "the summary is read": lambda c, hub: summary.read(c, hub.settings, hub.time),
    "the retry queue is read": lambda c, _: listing_retries.page(c, RetryFilter(), Paging()),
}


@pytest.mark.parametrize("words", STATEMENTS)
def test_a_statement_that_is_prepared_survives_a_new_column_in_every_table(
    hub: Hub, engine: Engine, words: str
) -> None:
    source_id = hub.robaws.add_client(**client())
    hub.event(source_id)
    with engine.connect() as connection:
        for _ in range(8):
            STATEMENTS[words](connection, hub)
            connection.commit()
        prepared = connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one()
        connection.commit()

        with engine.begin() as newer:
            for table in TABLES:
                newer.execute(text(f"ALTER TABLE {table} ADD COLUMN made_up jsonb"))
        STATEMENTS[words](connection, hub)

    assert prepared > 0


@pytest.fixture
def before_last(engine: Engine) -> Engine:
    """A database at the schema of the release before."""
    migrations.downgrade(engine, "0001")
    return engine


def test_the_loop_fuse_finds_its_column_beside_what_was_there(before_last: Engine) -> None:
    with before_last.begin() as connection:
        connection.execute(text("INSERT INTO contact (source, source_id, version) VALUES ('robaws', '1', 4)"))

    steps = migrations.upgrade(before_last)

    with before_last.connect() as connection:
        row = connection.execute(text("SELECT source_id, version, fuse FROM contact")).one()
    assert steps == ("0001", migrations.head())
    assert tuple(row) == ("1", 4, None)


def test_what_a_person_answered_under_the_release_before_is_still_known(engine: Engine) -> None:
    migrations.downgrade(engine, "0002")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO contact (source, source_id, version) VALUES ('robaws', '1', 4)"))
        connection.execute(
            text(
                "INSERT INTO link (contact_id, system, state, parked) SELECT id, 'recras', 'review',"
                " CAST(:parked AS jsonb) FROM contact"
            ),
            {"parked": '{":not": ["4"], ":ours": ["naam"], "plaats": {"ours": "Gent"}}'},
        )

    migrations.upgrade(engine)

    with engine.connect() as connection:
        row = connection.execute(text("SELECT parked, decided FROM link")).one()
    assert tuple(row) == ({"plaats": {"ours": "Gent"}}, {"refused": ["4"], "ours": ["naam"]})
    migrations.downgrade(engine, "0002")
    with engine.connect() as connection:
        parked = connection.execute(text("SELECT parked FROM link")).scalar_one()
    assert parked == {":not": ["4"], ":ours": ["naam"], "plaats": {"ours": "Gent"}}


def test_a_part_that_needs_the_newer_schema_says_which_command_brings_it(before_last: Engine) -> None:
    with pytest.raises(ConfigurationError, match=r"at schema 0001 and this release needs .*contactsync migrate"):
        migrations.require_current(before_last)
    with before_last.connect() as connection, pytest.raises(ConfigurationError, match="contactsync migrate"):
        schema.require_current(connection)


@pytest.mark.slow
def test_a_table_that_somebody_holds_for_long_is_waited_for_and_then_left_alone(before_last: Engine) -> None:
    with before_last.connect() as backup:
        backup.execute(text("LOCK TABLE contact IN ACCESS SHARE MODE"))
        with pytest.raises(NotReachable, match="run `contactsync migrate` again"):
            migrations.upgrade(before_last, patience_seconds=0)
        found = migrations.current(backup)

    assert found == "0001"
    assert migrations.upgrade(before_last) == ("0001", migrations.head())
