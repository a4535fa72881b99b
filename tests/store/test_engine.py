"""The database may restart between two uses of a connection; nobody who comes next notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import event, text

from worker.store import engine as engines

if TYPE_CHECKING:
    import pytest


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
