"""What takes an admin's token, asked of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.webhooks.api_data import fill
from tests.webhooks.conftest import Served, make_settings, serving, wait_until
from tests.webhooks.test_tokens import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

TOKENS = [
    {"name": name, "role": role, "token": f"{name}-token-for-these-tests-and-for-no-other"}
    for name, role in {"an": "operator", "bo": "operator", "cas": "admin"}.items()
]
AN, BO, CAS = (token["token"] for token in TOKENS)


@pytest.fixture
def three(migrated_url: str, engine: Engine) -> Iterator[Served]:
    """Two operators and an admin, and two lines in the queue where one is many."""
    fill(engine)
    with serving(make_settings(migrated_url, ops={"tokens": TOKENS, "approval_above": 1}), engine) as made:
        wait_until(lambda: made.http.get("/readyz").status_code == 200)
        yield made


def test_a_bulk_action_on_many_items_takes_an_admin(three: Served) -> None:
    wanted = {"action": "discard", "filter": {"state": "dead"}, "reason": "all of it", "expect": 2}

    refused = three.act("/bulk", wanted, token=AN)
    [many] = three.rows("SELECT count(*) FROM operator_action")
    done = three.act("/bulk", wanted, token=CAS)

    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert "ops.approval_above" in refused.json()["detail"]
    assert many == (0,)
    assert (done.status_code, done.json()["total"]) == (202, 2)


def test_a_bulk_action_on_few_items_takes_an_operator(three: Served) -> None:
    wanted = {"action": "retry", "filter": {"state": "dead", "system": "rompslomp"}, "expect": 1}

    assert three.act("/bulk", wanted, token=AN).status_code == 202


def test_somebody_else_s_pause_takes_an_admin(three: Served) -> None:
    paused = three.act("/systems/rompslomp/pause", {"reason": "their bookkeeper counts"}, token=AN)
    others = [
        three.act("/systems/rompslomp/resume", token=BO),
        three.act("/systems/rompslomp/pause", {"reason": "mine now"}, token=BO),
    ]
    state = three.api("/summary", token=BO).json()["systems"]["rompslomp"]
    ended = three.act("/systems/rompslomp/resume", token=CAS)

    assert [one.status_code for one in (paused, *others, ended)] == [200, 403, 403, 200]
    assert {one.json()["detail"] for one in others} == {
        "rompslomp was paused by an: only they or an admin may change that"
    }
    assert counted(three, "contactsync_refusals_total") == {"role": 2}
    assert (state["state"], state["reason"]) == ("paused", "their bookkeeper counts")


def test_a_refusal_of_that_kind_is_in_the_description(three: Served) -> None:
    paths = three.http.get("/api/v1/openapi.json").json()["paths"]

    for path in ("/api/v1/bulk", "/api/v1/systems/{name}/resume", "/api/v1/systems/{name}/pause"):
        assert {"403", "429"} <= set(paths[path]["post"]["responses"])
