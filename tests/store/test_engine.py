"""The database may restart between two uses of a connection; nobody who comes next notices."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from worker.store import engine as engines


def end_all(url: str, name: str) -> None:
    """What a restart does to connections: the server ends them."""
    other = engines.make_engine(url, pool_size=1, application_name="ender")
    with other.begin() as connection:
        ended = connection.execute(
            text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": name},
        ).scalar_one()
    other.dispose()
    assert ended


def test_connections_that_rested_are_looked_at_and_all_made_anew(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "REST_SECONDS", 0.0)
    made = engines.make_engine(database_url, pool_size=3, application_name="restarted")
    with made.connect() as one, made.connect() as two, made.connect() as three:
        before = {each.execute(text("SELECT pg_backend_pid()")).scalar_one() for each in (one, two, three)}
    end_all(database_url, "restarted")

    with made.connect() as one, made.connect() as two, made.connect() as three:
        after = {each.execute(text("SELECT pg_backend_pid()")).scalar_one() for each in (one, two, three)}

    made.dispose()
    assert len(before) == len(after) == 3
    assert not before & after


def test_a_connection_used_a_moment_ago_is_used_without_a_look(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "REST_SECONDS", 3600.0)
    made = engines.make_engine(database_url, pool_size=1)
    looks: list[object] = []
    monkeypatch.setattr(made.dialect, "do_ping", looks.append)
    sent: list[str] = []
    event.listen(made, "before_cursor_execute", lambda *given: sent.append(given[2]))

    for _ in range(3):
        with made.connect() as connection:
            connection.execute(text("SELECT 1"))

    made.dispose()
    assert not looks
    assert sent == ["SELECT 1"] * 3


def test_an_error_of_the_database_quotes_no_row(engine: Engine) -> None:
    refused = {
        "not-null": "INSERT INTO inbox_key (source, event_id) VALUES ('Marleen Verbruggen', NULL)",
        "check": "INSERT INTO system_state (system, breaker) VALUES ('recras', 'Marleen Verbruggen')",
        "duplicate": "INSERT INTO inbox_key (source, event_id) VALUES ('robaws', 'Marleen'), ('robaws', 'Marleen')",
    }
    for word, statement in refused.items():
        with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
            connection.execute(text(statement))

        said = "".join(traceback.format_exception(caught.value)).replace(statement, "")
        assert word in said
        assert "Failing row" not in said
        assert "Marleen" not in said
        assert caught.value.orig is not None
        assert "Marleen" not in str(caught.value.orig)


def test_a_database_that_is_away_is_still_told_by_its_sentence() -> None:
    engine = engines.make_engine("postgresql://nobody@127.0.0.1:1/nowhere")

    with pytest.raises(OperationalError, match="refused") as caught:
        engine.connect()

    assert engines.is_away(caught.value)
