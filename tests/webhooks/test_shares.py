"""One caller of the API cannot keep the others waiting, however much is asked for at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.webhooks.conftest import Served, wait_until
from webhooks.database import CALLS_OF_ONE

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Engine

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'receiver-api' AND wait_event_type = 'Lock'"


@contextmanager
def asking(served: Served, token: str, count: int) -> Iterator[list[int]]:
    """So many calls at once, which all wait for the table of contacts."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(served.api("/contacts?query=de", token=token).status_code))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        for thread in threads:
            thread.join()


def test_a_viewer_with_many_searches_does_not_keep_an_operator_waiting(served: Served, engine: Engine) -> None:
    with engine.connect() as blocker:
        blocker.execute(text("LOCK TABLE contact IN ACCESS EXCLUSIVE MODE"))
        with asking(served, "viewer-token", 12) as statuses:
            wait_until(lambda: served.rows(WAITING)[0][0] == CALLS_OF_ONE)

            others = [served.api("/events/rejected", token="operator-token").status_code for _ in range(3)]
            ready = served.http.get("/readyz").status_code
            event = served.event("e-1").status_code
            searching = served.rows(WAITING)[0][0]
            blocker.rollback()

    assert (others, ready, event) == ([200] * 3, 200, 202)
    assert searching == CALLS_OF_ONE
    assert statuses == [200] * 12


def test_all_callers_together_leave_room_for_readiness_and_metrics(served: Served, engine: Engine) -> None:
    with engine.connect() as blocker:
        blocker.execute(text("LOCK TABLE contact IN ACCESS EXCLUSIVE MODE"))
        with (
            asking(served, "viewer-token", 5) as one,
            asking(served, "operator-token", 5) as two,
            asking(served, "administrator-token", 5) as three,
        ):
            wait_until(lambda: served.rows(WAITING)[0][0] >= 2 * CALLS_OF_ONE)
            ready = served.http.get("/readyz").status_code
            blocker.rollback()

    assert ready == 200
    assert one + two + three == [200] * 15


def test_whoever_has_waited_too_long_is_told_to_ask_less(
    served: Served, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.connect() as blocker:
        blocker.execute(text("LOCK TABLE contact IN ACCESS EXCLUSIVE MODE"))
        with asking(served, "viewer-token", CALLS_OF_ONE):
            wait_until(lambda: served.rows(WAITING)[0][0] == CALLS_OF_ONE)
            monkeypatch.setattr("webhooks.database.ANSWER_SECONDS", 0.2)

            answer = served.api("/events", token="viewer-token")
            blocker.rollback()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert "under way" in answer.json()["detail"]
