"""Credentials that cannot be sent, or were refused: nothing is sent, nobody is blamed, and no value is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.flows.stories import client
from worker.store import systems

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

PLANTED = "pl4nted-rompslomp-token-8Zs1"
UNSENDABLE = {"a blank at its end": f"{PLANTED} ", "a letter that is not ASCII": f"{PLANTED}-café"}


def stored(hub: Hub) -> str:
    """Every row of every table."""
    with hub.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        rows = [connection.execute(text(f"SELECT to_jsonb(t) FROM {table} AS t")).scalars() for table in tables]
        return json.dumps([row for table in rows for row in table], ensure_ascii=False, default=str)


@pytest.mark.parametrize("token", UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_a_token_that_cannot_be_sent_stops_its_system_and_stands_nowhere(hub: Hub, token: str) -> None:
    hub.configure(rompslomp={"token": SecretStr(token)})
    clients = [hub.robaws.add_client(**client(number)) for number in (1, 2, 3)]

    with capture_logs() as logs:
        for source_id in clients:
            hub.event(source_id)
        hub.settle()
        hub.later(float(hub.settings.breaker.probe_seconds) + 1)
        hub.settle()

    links = [hub.link(source_id, "rompslomp") for source_id in clients]
    with hub.engine.connect() as connection:
        view = systems.view(connection, "rompslomp")
    assert hub.calls("rompslomp") == []
    assert {(link["state"], link["attempts"], link["intent"]) for link in links} == {("due", 0, None)}
    assert {link["reason"] for link in links} <= {"credentials", None}
    assert view.paused_by == "credentials"
    assert view.paused_reason is not None
    assert "correct systems.rompslomp" in view.paused_reason
    assert PLANTED not in stored(hub)
    assert PLANTED not in str(logs)
