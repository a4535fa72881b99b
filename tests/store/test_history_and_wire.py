"""The comparison of history and wire that runs after every story notices a history that says something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.fixtures.wire_log import WireLog
from tests.store.people import CLIENT

if TYPE_CHECKING:
    from tests.fixtures.hub import Hub

UPDATE = "UPDATE attempt SET {} WHERE operation = 'update' AND system = 'rompslomp'"
SNAPSHOT = "UPDATE link SET snapshot = snapshot || jsonb_build_object({}) WHERE system = 'rompslomp'"

THEIRS = """'theirs', snapshot -> 'theirs' || '{"city": "GENK"}'"""
OURS = """'ours', snapshot -> 'ours' || '{"city": "Elders"}'"""
SENT = """'because', CAST('{"city": {"sent": true}}' AS jsonb)"""
RULE = """'because', CAST('{"city": {"rule": "x"}}' AS jsonb)"""


@pytest.mark.parametrize(
    ("lie", "noticed"),
    [
        pytest.param(UPDATE.format('sent = \'{"contact": {"city": "Elders"}}\''), "never received", id="other value"),
        pytest.param(UPDATE.format("decisions = '[]'"), "nothing is told", id="nothing told"),
        pytest.param(
            UPDATE.format("decisions = jsonb_path_query_array(decisions, '$[*] ? (@.path != \"city\")')"),
            "city: 'Gent' -> 'Genk' is not told",
            id="a field is left out",
        ),
        pytest.param(
            SNAPSHOT.format(f"{THEIRS}, {OURS}, {SENT}"),
            "not_accepted is said of 'Elders'",
            id="sent, but it was not",
        ),
        pytest.param(
            SNAPSHOT.format(f"{THEIRS}, {RULE}"),
            "and it was sent",
            id="not sent, but it was",
        ),
    ],
)
def test_a_history_that_says_something_else_is_noticed(hub: Hub, lie: str, noticed: str) -> None:
    wire = WireLog(hub)
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    hub.robaws.change_client(client, address={"city": "Genk"})
    hub.sync(client)
    before = wire.problems()

    with hub.engine.begin() as connection:
        connection.execute(text(lie))

    assert before == []
    assert noticed in " ".join(wire.problems())
